/** What a customer has agreed to, by purpose and channel. */
import { CheckCircleFilled, StopOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { Empty } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import styles from "./Customer.module.css";
import type { Consent } from "./queries";

export function Consents({ consents }: { consents: readonly Consent[] }) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  const say = useSaying();
  return (
    <Panel title={t("consents.title")}>
      {consents.length === 0 && <Empty title={t("consents.none")}>{t("consents.none_how")}</Empty>}
      <ul className={styles.list}>
        {consents.map((one) => (
          <li key={`${one.purpose} ${one.channel}`}>
            <span className={styles.kind}>
              {names("purposes", one.purpose)} · {names("channels", one.channel)}
            </span>
            <span className={styles.value}>
              <span className={one.state === "granted" ? styles.granted : styles.withdrawn} aria-hidden="true">
                {one.state === "granted" ? <CheckCircleFilled /> : <StopOutlined />}
              </span>{" "}
              {names("consent_states", one.state)}
            </span>
            <small>
              {say.day(one.at)} · {t("consents.notice", { version: one.notice_version })}
            </small>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
