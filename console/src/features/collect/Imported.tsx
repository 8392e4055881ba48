/** What came of an import: counts, what was left out and why, row by row and as a file. */
import { DownloadOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Tag } from "antd";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Waiting } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { JobBar, JobFailed } from "@/shell/JobBar";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";
import { Unseen } from "@/shell/Unseen";
import { hasEnded, useJob } from "@/shell/useJob";

import { useImport, type WholeImport } from "./imports";
import styles from "./ImportPage.module.css";

const OUTCOMES = ["created", "updated", "unchanged"] as const;
const WHATS = ["orders", "refunds", "products", "costs", "customers", "events"] as const;

export function ImportedPage() {
  const { t } = useTranslation("collect");
  const { job: id = "" } = useParams();
  return (
    <Page title={t("imported.title")} actions={<LinkButton to="/data/import">{t("imported.again")}</LinkButton>}>
      <ImportedJob id={id} />
    </Page>
  );
}

/** An import while it goes on, and then what came of it; `go` is what can be done next. */
export function ImportedJob({ id, go }: { id: string; go?: ReactNode }) {
  const { t } = useTranslation("collect");
  const queries = useQueryClient();
  // Who looks at a colleague's import is told of it by the import itself.
  const job = useJob(id);
  const ended = job.data === undefined ? job.isError : hasEnded(job.data);
  const found = useImport(id, ended);
  useEffect(() => {
    if (ended) void queries.invalidateQueries({ queryKey: ["overview"] });
  }, [ended, queries]);
  if (job.data && !ended) {
    return (
      <Panel>
        <JobBar job={job.data} title={t(job.data.asked.dry_run ? "imported.trying" : "imported.doing")} />
      </Panel>
    );
  }
  return (
    <Answer of={found} waiting={<Waiting height={240} />}>
      {(told) => {
        if (told.state === "failed" || told.state === "cancelled") {
          return (
            <Panel>
              <JobFailed job={told} />
            </Panel>
          );
        }
        return told.state === "done" ? <Outcome told={told} go={go} /> : <Waiting height={240} />;
      }}
    </Answer>
  );
}

interface Result {
  counts: Record<string, number>;
  resumed: number;
  currency: string | null;
  rejects_id?: string;
}

function Outcome({ told, go }: { told: WholeImport; go: ReactNode }) {
  const { t } = useTranslation("collect");
  const say = useSaying();
  const result = told.result as unknown as Result;
  const tried = told.asked.dry_run === true;
  const counted = WHATS.filter((what) => Object.keys(result.counts).some((name) => name.startsWith(`${what}.`)));
  const money = result.counts["orders.amount_minor"];
  return (
    <>
      <Panel title={t(tried ? "imported.tried" : "imported.done")} actions={go}>
        <Grid
          label={t("imported.counts")}
          size="small"
          rowKey="what"
          dataSource={counted.map((what) => ({ what }))}
          columns={[
            { title: <Unseen>{t("imported.what")}</Unseen>, render: (_, { what }) => t(`imported.whats.${what}`) },
            ...OUTCOMES.map((outcome) => ({
              title: t(`imported.${outcome}`),
              align: "right" as const,
              render: (_: unknown, { what }: { what: (typeof WHATS)[number] }) => {
                // Files of customers and events tell rows alone.
                const rows = outcome === "created" ? result.counts[`${what}.rows`] : undefined;
                return say.number(result.counts[`${what}.${outcome}`] ?? rows ?? 0);
              },
            })),
          ]}
        />
        {money !== undefined && <p>{t("imported.money", { money: say.money(money, result.currency) })}</p>}
        {tried ? <Alert type="info" showIcon title={t("imported.tried_about")} /> : <Next kind={told.asked.kind} />}
      </Panel>
      <LeftOut told={told} hasFile={result.rejects_id !== undefined && told.mine} />
    </>
  );
}

/** What can be done once something is in. */
function Next({ kind }: { kind: unknown }) {
  const { t } = useTranslation("collect");
  const may = useMay();
  const { attempt } = useDoing();
  const [refreshing, setRefreshing] = useState<string | null>(null);
  const job = useJob(refreshing);
  const queries = useQueryClient();
  const state = job.data?.state;
  useEffect(() => {
    if (state === "done") void queries.invalidateQueries();
  }, [state, queries]);
  if (kind !== "orders" && kind !== "customers") return null;
  if (job.data && !hasEnded(job.data)) return <JobBar job={job.data} title={t("imported.refreshing")} />;
  if (job.data?.state === "done") {
    return (
      <p>
        {t("imported.refreshed")} <Link to="/overview">{t("imported.to_overview")}</Link>
      </p>
    );
  }
  return (
    <>
      {job.data && <JobFailed job={job.data} />}
      {may("lifecycle.refresh") && (
        <div className={styles.go}>
          <Button
            type="primary"
            onClick={() =>
              void attempt(async () => {
                setRefreshing((await answer(api.POST("/api/refreshes"))).job_id);
              })
            }
          >
            {t("imported.refresh")}
          </Button>
          <span>{t("imported.refresh_about")}</span>
        </div>
      )}
    </>
  );
}

function LeftOut({ told, hasFile }: { told: WholeImport; hasFile: boolean }) {
  const { t } = useTranslation("collect");
  const say = useSaying();
  if (told.left_out.length === 0) {
    return (
      <Panel>
        <Tag color="success">{t("imported.all")}</Tag>
      </Panel>
    );
  }
  const rows = told.left_out.reduce((sum, one) => sum + one.rows, 0);
  return (
    <Panel
      title={t("imported.left_out", { number: say.number(rows), count: rows })}
      about={t("imported.left_out_about")}
      actions={
        hasFile && (
          <Button icon={<DownloadOutlined />} href={`/api/imports/${told.job_id}/rejects`} download>
            {t("imported.save")}
          </Button>
        )
      }
    >
      <ul className={styles.reasons}>
        {told.left_out.map((one) => (
          <li key={one.code}>
            <span>{one.reason}</span>
            <strong className="numbers">{say.number(one.rows)}</strong>
          </li>
        ))}
      </ul>
      {told.rows.length > 0 && (
        <Grid
          label={t("imported.rows")}
          size="small"
          rowKey="key"
          dataSource={told.rows.map((row, key) => ({ ...row, key }))}
          columns={[
            { title: t("imported.file"), dataIndex: "file" },
            {
              title: t("imported.row"),
              align: "right",
              render: (_, row) => (row.row === null ? "" : say.number(row.row)),
            },
            { title: t("imported.reason"), dataIndex: "reason" },
            { title: t("imported.cells"), render: (_, row) => row.cells.filter(Boolean).join(" · ") },
          ]}
        />
      )}
    </Panel>
  );
}
