/** The lifetime-value report: read in place, saved, made anew, made by itself; and those that were made before. */
import { DownloadOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Button, Segmented, Tag } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useSearchParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Answer, Empty, Waiting } from "@/shell/Answer";
import { Grid } from "@/shell/Grid";
import { JobBar, JobFailed } from "@/shell/JobBar";
import { Page, Panel } from "@/shell/Page";
import { hasEnded, useJob, type Job } from "@/shell/useJob";

import { MakeReport } from "./MakeReport";
import { addressOf, REPORTS, useReport, useReports, useSchedule, type Report } from "./queries";
import styles from "./ReportPage.module.css";
import { ScheduleReports } from "./ScheduleReports";

const SAVED = ["pdf", "xlsx", "lists.zip", "json"] as const;

export function ReportPage() {
  const { t } = useTranslation("reports");
  const may = useMay();
  const [address] = useSearchParams();
  const reports = useReports();
  const [dialog, setDialog] = useState<"make" | "schedule" | null>(null);
  const close = () => {
    setDialog(null);
  };
  const make = may("reports.write") && (
    <Button
      type="primary"
      onClick={() => {
        setDialog("make");
      }}
    >
      {t("make.open")}
    </Button>
  );
  const asked = address.get("report");
  const listed = reports.data?.pages.flatMap((page) => page.items) ?? [];
  const one = useReport(asked && !listed.some((report) => report.report_id === asked) && reports.data ? asked : null);
  const shown = one.data ?? listed.find((report) => report.report_id === asked) ?? listed[0];
  return (
    <Page
      title={t("title")}
      about={<Due />}
      actions={
        may("reports.write") && (
          <>
            <Button
              onClick={() => {
                setDialog("schedule");
              }}
            >
              {t("schedule.open")}
            </Button>
            {make}
          </>
        )
      }
    >
      <Answer of={reports} waiting={<Waiting height={600} />}>
        {({ pages: [first] }) => (
          <>
            {first?.making.map((job) => (
              <Panel key={job.job_id}>
                <Making job={job} />
              </Panel>
            ))}
            {shown ? (
              <Shown report={shown} key={shown.report_id} />
            ) : (
              first?.making.every((job) => hasEnded(job)) && (
                <Panel>
                  <Empty title={t("none")} action={make}>
                    <p>{t("none_what")}</p>
                    <p>
                      {t("none_needs")} <Link to="/data/import">{t("none_import")}</Link>
                    </p>
                  </Empty>
                </Panel>
              )
            )}
            {listed.length > 0 && <Shelf reports={reports} listed={listed} shown={shown} />}
          </>
        )}
      </Answer>
      {dialog === "make" && <MakeReport close={close} />}
      {dialog === "schedule" && <ScheduleReports close={close} />}
    </Page>
  );
}

/** When the next is made by itself. */
function Due() {
  const { t } = useTranslation("reports");
  const say = useSaying();
  const { data } = useSchedule();
  return <>{data?.due_at ? t("schedule.due", { moment: say.moment(data.due_at) }) : t("about")}</>;
}

/** One that is being made, or that did not come to its end. */
function Making({ job: listed }: { job: Job }) {
  const { t } = useTranslation("reports");
  const queries = useQueryClient();
  const told = useJob(hasEnded(listed) ? null : listed.job_id);
  const job = told.data ?? listed;
  const ended = hasEnded(job);
  useEffect(() => {
    if (ended) void queries.invalidateQueries({ queryKey: REPORTS });
  }, [ended, queries]);
  if (!ended) return <JobBar job={job} title={t("making")} />;
  return job.state === "done" ? <Waiting height={64} /> : <JobFailed job={job} />;
}

function Shown({ report }: { report: Report }) {
  const { t } = useTranslation("reports");
  const say = useSaying();
  const { hash } = useLocation();
  const [chosen, choose] = useState<string | null>(null);
  const [first] = report.languages;
  const spoken = chosen ?? report.languages.find((one) => one === say.language) ?? first ?? "zh-CN";
  const sizes = new Map(
    report.files.filter((file) => file.language === spoken).map((file) => [file.kind, file.size_bytes]),
  );
  const title = t("until", { day: say.day(report.data_until) });
  return (
    <Panel
      title={title}
      actions={
        <span className={styles.tools}>
          {report.languages.length > 1 && (
            <Segmented
              aria-label={t("terms.languages")}
              value={spoken}
              options={report.languages.map((value) => ({ value, label: value === "zh-CN" ? "中文" : "English" }))}
              onChange={choose}
            />
          )}
          {SAVED.filter((kind) => sizes.has(kind)).map((kind) => (
            <Button key={kind} icon={<DownloadOutlined />} href={addressOf(report, kind, spoken)} download>
              {t(`files.${kind === "lists.zip" ? "lists" : kind}`)}
            </Button>
          ))}
        </span>
      }
    >
      <iframe
        className={styles.page}
        title={title}
        sandbox="allow-scripts"
        src={`${addressOf(report, "page", spoken)}${hash}`}
      />
    </Panel>
  );
}

interface ShelfProps {
  reports: ReturnType<typeof useReports>;
  listed: readonly Report[];
  shown: Report | undefined;
}

function Shelf({ reports, listed, shown }: ShelfProps) {
  const { t } = useTranslation(["reports", "shell"]);
  const say = useSaying();
  return (
    <Panel title={t("history")} about={t("history_about")}>
      <Grid<Report>
        label={t("history")}
        size="middle"
        rowKey="report_id"
        dataSource={[...listed]}
        columns={[
          {
            title: t("columns.until"),
            render: (_, report) => (
              <Link
                to={`/report?report=${report.report_id}`}
                {...(report.report_id === shown?.report_id ? { "aria-current": "true" as const } : {})}
              >
                {say.day(report.data_until)}
              </Link>
            ),
          },
          {
            title: t("columns.languages"),
            render: (_, report) => report.languages.map((one) => (one === "zh-CN" ? "中文" : "English")).join(" · "),
          },
          { title: t("columns.customers"), align: "right", render: (_, report) => say.number(report.customers) },
          {
            title: t("columns.horizon"),
            align: "right",
            render: (_, report) => t("terms.days", { count: report.horizon_days }),
          },
          {
            title: t("columns.basis"),
            render: (_, report) =>
              report.margin === null
                ? t(`terms.bases.${report.by_costs ? "costs" : "sales"}`)
                : say.share(report.margin),
          },
          {
            title: t("columns.who"),
            render: (_, report) => (
              <>
                {report.who} {report.scheduled && <Tag>{t("scheduled")}</Tag>}
              </>
            ),
          },
          { title: t("columns.made"), render: (_, report) => say.moment(report.made_at) },
        ]}
      />
      {reports.hasNextPage && (
        <p>
          <Button loading={reports.isFetchingNextPage} onClick={() => void reports.fetchNextPage()}>
            {t("shell:more")}
          </Button>
        </p>
      )}
    </Panel>
  );
}
