/** How good the data are: what came in, what could not be used, what events hold, what changed suddenly. */
import { Button, Input, Segmented, Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useNames, useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Answer, Empty } from "@/shell/Answer";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { Grid } from "@/shell/Grid";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";

import styles from "./DataPage.module.css";
import { byHour, outcomes, sourcesOf } from "./quality";
import { useQuality, type Quality } from "./queries";
import { Snippets } from "./Snippets";
import { Sources } from "./Sources";

const PERIODS = ["24", "168", "720"] as const;
const FIELDS_SHOWN = 200;

export function DataPage() {
  const { t } = useTranslation("collect");
  const may = useMay();
  const [address, setAddress] = useSearchParams();
  const hours = PERIODS.find((period) => period === address.get("hours")) ?? "168";
  const source = address.get("source");
  const all = useQuality(Number(hours), null);
  const quality = useQuality(Number(hours), source);
  const set = (name: string, value: string | null) => {
    const next = new URLSearchParams(address);
    if (value) next.set(name, value);
    else next.delete(name);
    setAddress(next, { replace: true });
  };
  return (
    <Page
      title={t("data.title")}
      about={t("data.about")}
      actions={
        <>
          {may("data.write") && (
            <LinkButton type="primary" to="/data/import">
              {t("data.import")}
            </LinkButton>
          )}
          <Select
            allowClear
            className={styles.source ?? ""}
            aria-label={t("data.source")}
            placeholder={t("data.source")}
            value={source}
            options={sourcesOf(all.data).map((name) => ({ value: name, label: name }))}
            onChange={(name: string | null) => {
              set("source", name);
            }}
          />
          <Segmented
            aria-label={t("data.hours")}
            value={hours}
            options={PERIODS.map((period) => ({ value: period, label: t(`data.periods.${period}`) }))}
            onChange={(period) => {
              set("hours", period);
            }}
          />
        </>
      }
    >
      <Answer of={quality} height={1100}>
        {(found) => (
          <div className={quality.isPlaceholderData ? styles.stale : undefined}>
            {found.hours.length === 0 ? (
              <Panel>
                <Empty title={t("data.nothing")}>{t("data.nothing_how")}</Empty>
              </Panel>
            ) : (
              <Volumes quality={found} />
            )}
            {found.hours.length > 0 && (
              <div className={styles.columns}>
                <Rejects rejects={found.rejects} />
                <Changes changes={found.changes} />
              </div>
            )}
            <Fields fields={found.fields} />
          </div>
        )}
      </Answer>
      <Sources />
      <Snippets />
    </Page>
  );
}

function Volumes({ quality }: { quality: Quality }) {
  const { t } = useTranslation("collect");
  const say = useSaying();
  const counts = outcomes(quality);
  const hours = useMemo(() => byHour(quality), [quality]);
  const option = useMemo<ChartOption>(
    () => ({
      xAxis: { type: "category", data: hours.map((hour) => say.moment(hour.hour)) },
      yAxis: { type: "value", minInterval: 1 },
      series: (["facts", "duplicates", "rejected"] as const).map((outcome, number) => ({
        type: "bar",
        stack: "all",
        name: t(`data.${outcome}`),
        itemStyle: { color: ["#2f7fb5", "#8c9aa5", "#d9730d"][number] ?? "#8c9aa5" },
        data: hours.map((hour) => hour[outcome]),
      })),
    }),
    [hours, say, t],
  );
  return (
    <>
      <Panel>
        <dl className={styles.figures}>
          {(["facts", "duplicates", "rejected"] as const).map((outcome) => (
            <div key={outcome}>
              <dt>{t(`data.${outcome}`)}</dt>
              <dd className="numbers">{say.number(counts[outcome])}</dd>
            </div>
          ))}
        </dl>
      </Panel>
      <Figure
        title={t("data.volumes")}
        name="events-by-hour"
        option={option}
        columns={[
          {
            title: t("data.hour"),
            cells: hours.map((hour) => hour.hour),
            said: hours.map((hour) => say.moment(hour.hour)),
          },
          ...(["facts", "duplicates", "rejected"] as const).map((outcome) => ({
            title: t(`data.${outcome}`),
            cells: hours.map((hour) => hour[outcome]),
            said: hours.map((hour) => say.number(hour[outcome])),
          })),
        ]}
      />
    </>
  );
}

function Rejects({ rejects }: { rejects: Quality["rejects"] }) {
  const { t } = useTranslation("collect");
  const names = useNames();
  const say = useSaying();
  const rows = Object.entries(rejects);
  return (
    <Panel title={t("data.rejects")}>
      {rows.length === 0 ? (
        <Empty title={t("data.rejects_none")} />
      ) : (
        <ul className={styles.list}>
          {rows.map(([reason, events]) => (
            <li key={reason}>
              <span>{names("rejects", reason)}</span>
              <strong className="numbers">{say.number(events)}</strong>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Changes({ changes }: { changes: Quality["changes"] }) {
  const { t } = useTranslation("collect");
  const names = useNames();
  const say = useSaying();
  return (
    <Panel title={t("data.changes")} about={t("data.changes_about")}>
      {changes.length === 0 ? (
        <Empty title={t("data.changes_none")} />
      ) : (
        <ul className={styles.list}>
          {changes.slice(0, 50).map((one) => (
            <li key={`${one.source} ${one.kind} ${one.name} ${one.hour}`}>
              <span>
                {names("events", one.name || one.kind)}
                <small>
                  {one.source} · {say.moment(one.hour)}
                </small>
              </span>
              <span className="numbers">
                <strong>{say.number(one.events)}</strong>{" "}
                <small>
                  {t("data.usual")} {say.number(one.usual, 1)}
                </small>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

type Field = Quality["fields"][number];

function Fields({ fields }: { fields: Quality["fields"] }) {
  const { t } = useTranslation(["collect", "shell"]);
  const names = useNames();
  const say = useSaying();
  const [typed, setTyped] = useState("");
  const [shown, setShown] = useState(FIELDS_SHOWN);
  const wanted = typed.trim().toLowerCase();
  const found = fields.filter(
    (one) =>
      wanted === "" ||
      [one.name, one.field, one.source, names("events", one.name)].some((text) => text.toLowerCase().includes(wanted)),
  );
  if (fields.length === 0) return null;
  return (
    <Panel
      title={t("data.fields")}
      about={t("data.fields_about")}
      actions={
        <Input
          allowClear
          className={styles.find ?? ""}
          aria-label={t("data.filter")}
          placeholder={t("data.filter")}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
        />
      }
    >
      <Grid<Field>
        label={t("data.fields")}
        rowKey={(one) => `${one.source} ${one.kind} ${one.name} ${one.field} ${one.type}`}
        size="small"
        dataSource={found.slice(0, shown)}
        columns={[
          { title: t("data.event"), render: (_, one) => names("events", one.name || one.kind) },
          { title: t("data.field"), render: (_, one) => <code>{one.field}</code> },
          { title: t("data.type"), dataIndex: "type" },
          { title: t("data.share"), align: "right", render: (_, one) => say.share(one.share, 0) },
          { title: t("data.events"), align: "right", render: (_, one) => say.number(one.events) },
          { title: t("data.source"), dataIndex: "source" },
          { title: t("data.last_seen"), render: (_, one) => say.ago(one.last_seen_at) },
        ]}
      />
      {found.length > shown && (
        <p>
          <Button
            onClick={() => {
              setShown(shown + FIELDS_SHOWN);
            }}
          >
            {t("shell:more")}
          </Button>
        </p>
      )}
    </Panel>
  );
}
