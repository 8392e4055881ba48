/** Whom a draft means at this moment, beside it: how many, what they are worth, who, and how it reads. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useSaying } from "@/base/useSaying";
import { Refused, Waiting } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import styles from "./Builder.module.css";
import { Person } from "./Person";
import type { Preview, usePreview } from "./queries";
import type { Group } from "./tree";

interface Props {
  of: ReturnType<typeof usePreview>;
  definition: Group;
  currency: string | null;
  /** How many statements have to be finished before anybody can be counted. */
  unfinished: number;
  /** Whether what is wrong is said at a statement already. */
  told: boolean;
  /** Whether the draft is another than the one that was counted. */
  behind: boolean;
}

export function PreviewPanel({ of, definition, currency, unfinished, told, behind }: Props) {
  const { t } = useTranslation("segments");
  const old = behind || of.isPlaceholderData || of.isError || unfinished > 0;
  return (
    <Panel title={t("preview.title")}>
      <div className={styles.preview}>
        {unfinished > 0 && (
          <p className={styles.small} role="status">
            {t("builder.unfinished", { count: unfinished })} {of.data && t("preview.waits")}
          </p>
        )}
        {of.error && !told && !behind && <Refused error={of.error} again={() => void of.refetch()} />}
        {of.data && (
          <div className={old ? styles.stale : undefined} aria-busy={old && unfinished === 0 && !of.isError}>
            <Figures found={of.data} currency={currency} />
          </div>
        )}
        {!of.data && !of.error && unfinished === 0 && <Waiting height={180} />}
        <Json definition={definition} />
      </div>
    </Panel>
  );
}

function Figures({ found, currency }: { found: Preview; currency: string | null }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const share = found.everybody === 0 ? 0 : found.customers / found.everybody;
  return (
    <>
      <p className={styles.count} role="status">
        <strong>{say.number(found.customers)}</strong>
        <span>{t("preview.customers", { count: found.customers })}</span>
        <small>{t("preview.of", { share: say.share(share), everybody: say.number(found.everybody) })}</small>
      </p>
      <svg className={styles.share} width="100%" height="8" aria-hidden="true">
        <rect width={`${share * 100}%`} height="8" />
      </svg>
      <p className={styles.text}>
        {t("preview.value")}: <strong>{say.money(found.value_minor, currency, true)}</strong>{" "}
        <small>{t("preview.value_what")}</small>
      </p>
      <p className={styles.small}>{t("preview.exact", { moment: say.moment(found.as_of) })}</p>
      <h3>{t("preview.some")}</h3>
      {found.some.length === 0 && <p className={styles.small}>{t("preview.nobody")}</p>}
      <ul>
        {found.some.map((customer) => (
          <li key={customer}>
            <Person customer={customer} />
          </li>
        ))}
      </ul>
      {found.overlap.length > 0 && (
        <>
          <h3>{t("preview.overlap")}</h3>
          <ul>
            {found.overlap.map((one) => (
              <li key={one.segment_id}>
                <Link to={`/segments/${one.segment_id}`}>{one.name}</Link>
                <small>
                  {t("preview.overlap_of", {
                    number: say.number(one.both),
                    share: say.share(found.customers === 0 ? 0 : one.both / found.customers, 0),
                  })}
                </small>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{t("preview.sentence")}</h3>
      <p className={styles.text}>{found.text}</p>
    </>
  );
}

function Json({ definition }: { definition: Group }) {
  const { t } = useTranslation(["segments", "shell"]);
  const { message } = App.useApp();
  const text = JSON.stringify(definition, null, 2);
  return (
    <details>
      <summary>{t("preview.json")}</summary>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
      <pre className={styles.json} tabIndex={0} role="region" aria-label={t("preview.json")}>
        {text}
      </pre>
      <Button
        size="small"
        icon={<CopyOutlined />}
        onClick={() =>
          void navigator.clipboard.writeText(text).then(() => {
            void message.success(t("shell:copied"));
          })
        }
      >
        {t("preview.copy")}
      </Button>
    </details>
  );
}
