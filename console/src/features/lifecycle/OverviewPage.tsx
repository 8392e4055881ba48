/** How the brand stands: customers by stage, what they are worth, what the last weeks brought. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { STAGES, stageColour } from "@/base/stages";
import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Answer, Empty, Waiting } from "@/shell/Answer";
import type { ChartOption } from "@/shell/Chart";
import { Figure, type Column } from "@/shell/Figure";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";

import styles from "./OverviewPage.module.css";
import { useOverview, type Overview, type StageTotal, type Week } from "./queries";
import { change, worthOf } from "./rules";
import { Stage } from "./Stage";

interface Props {
  /** What the latest report found, from the room above. */
  findings?: ReactNode;
}

export function OverviewPage({ findings }: Props) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const overview = useOverview();
  const asOf = overview.data?.refresh?.as_of;
  return (
    <Page title={t("overview.title")} about={asOf ? t("worth.as_of", { day: say.day(asOf) }) : "\u00a0"}>
      <Answer
        of={overview}
        waiting={
          <>
            <Panel>
              <Waiting height={90} />
            </Panel>
            <Panel>
              <Waiting height={300} />
            </Panel>
          </>
        }
      >
        {(found) =>
          found.refresh ? <Standing overview={found} findings={findings} /> : <NothingYet customers={found.customers} />
        }
      </Answer>
    </Page>
  );
}

function Standing({ overview, findings }: Props & { overview: Overview }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const currency = overview.refresh?.currency ?? null;
  const money = (minor: number) => say.money(minor, currency, true);
  const order = (stage: string) => {
    const at = STAGES.findIndex((known) => known === stage);
    return at < 0 ? STAGES.length : at;
  };
  const stages = [...overview.stages].sort((a, b) => order(a.stage) - order(b.stage));
  const all = worthOf(stages);
  const risk = worthOf(stages.filter((one) => one.stage === "at_risk"));
  const [before, last] = overview.weeks.slice(-3);
  return (
    <>
      <Panel>
        <dl className={styles.figures}>
          <Figures name={t("overview.customers")} value={say.number(overview.customers)}>
            {t("overview.without_order", { number: say.number(overview.without_order), count: overview.without_order })}
          </Figures>
          <Figures name={t("overview.historic")} value={money(all.historic)} />
          <Figures
            name={t("overview.predicted", { count: overview.refresh?.horizon_days ?? 365 })}
            value={all.predicted === null ? t("worth.unsaid") : money(all.predicted)}
          />
          <Figures
            name={t("overview.at_risk")}
            value={money(risk.historic)}
            about={t("overview.at_risk_people", { number: say.number(risk.customers), count: risk.customers })}
            to="/customers?stages=at_risk"
          />
          {last && before && (
            <Figures name={t("overview.week", { day: say.day(last.monday) })} value={money(last.revenue_minor)}>
              <Change now={last.revenue_minor} then={before.revenue_minor} />
            </Figures>
          )}
        </dl>
      </Panel>
      {findings}
      <Stages stages={stages} currency={currency} compared={overview.compared_with} />
      <div className={styles.columns}>
        <Revenue weeks={overview.weeks} currency={currency} />
        <NewAndLost weeks={overview.weeks} />
      </div>
    </>
  );
}

interface FiguresProps {
  name: string;
  value: string;
  about?: string;
  to?: string;
  children?: ReactNode;
}

function Figures({ name, value, about, to, children }: FiguresProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className={styles.value}>{value}</span>
        {about && <small>{to ? <Link to={to}>{about}</Link> : about}</small>}
        {children && <small>{children}</small>}
      </dd>
    </div>
  );
}

function Change({ now, then }: { now: number; then: number }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const share = change(now, then);
  if (share === null) return t("overview.no_change");
  const sign = share > 0 ? "+" : share < 0 ? "−" : "";
  return t("overview.change", { change: `${sign}${say.share(Math.abs(share))}` });
}

/** Each stage as a bar of its people and its worth; each leads to the people. */
function Stages({
  stages,
  currency,
  compared,
}: {
  stages: StageTotal[];
  currency: string | null;
  compared: string | null;
}) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const money = (minor: number) => say.money(minor, currency, true);
  const most = Math.max(...stages.map((one) => one.customers), 1);
  return (
    <Panel
      title={t("overview.stages")}
      {...(compared ? { about: t("overview.compared", { day: say.day(compared) }) } : {})}
    >
      {stages.length === 0 && <Empty title={t("overview.no_stages")}>{t("overview.no_stages_why")}</Empty>}
      {stages.length > 0 && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls where it is too wide
        <div className={styles.scroll} tabIndex={0} role="region" aria-label={t("overview.stages")}>
          <table className={styles.stages}>
            <thead>
              <tr>
                <th scope="col">{t("columns.stage")}</th>
                <th scope="col" className={styles.barCell}>
                  {t("overview.customers")}
                </th>
                {compared && <th scope="col">{t("overview.change_column")}</th>}
                <th scope="col">{t("worth.historic")}</th>
                <th scope="col">{t("overview.expected")}</th>
              </tr>
            </thead>
            <tbody>
              {stages.map((one) => (
                <tr key={one.stage}>
                  <th scope="row">
                    <Link to={`/customers?stages=${encodeURIComponent(one.stage)}`}>
                      <Stage stage={one.stage} />
                    </Link>
                  </th>
                  <td className={styles.barCell}>
                    <span
                      className={styles.bar}
                      style={{ width: `${(100 * one.customers) / most}%`, background: stageColour(one.stage) }}
                      aria-hidden="true"
                    />
                    {say.number(one.customers)}
                  </td>
                  {compared && (
                    <td data-label={t("overview.change_column")}>
                      {one.before === null ? "" : signed(one.customers - one.before, say.number)}
                    </td>
                  )}
                  <td data-label={t("worth.historic")}>{money(one.historic_minor)}</td>
                  <td data-label={t("overview.expected")}>
                    {one.predicted_minor === null ? t("worth.unsaid") : money(one.predicted_minor)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function signed(value: number, say: (value: number) => string): string {
  return value > 0 ? `+${say(value)}` : value < 0 ? `−${say(-value)}` : "0";
}

function Revenue({ weeks, currency }: { weeks: readonly Week[]; currency: string | null }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const option = useMemo<ChartOption>(
    () => ({
      xAxis: { type: "category", data: weeks.map((week) => say.day(week.monday)) },
      yAxis: { type: "value", axisLabel: { formatter: (value: number) => say.money(value, currency, true) } },
      series: [
        {
          type: "bar",
          name: t("overview.revenue"),
          itemStyle: { color: "#2f7fb5", borderRadius: [3, 3, 0, 0] },
          data: weeks.map((week) => week.revenue_minor),
          tooltip: { valueFormatter: (value) => say.money(Number(value), currency, true) },
        },
        {
          type: "bar",
          name: t("overview.refunds"),
          itemStyle: { color: "#d9730d", borderRadius: [3, 3, 0, 0] },
          data: weeks.map((week) => week.refunds_minor),
          tooltip: { valueFormatter: (value) => say.money(Number(value), currency, true) },
        },
      ],
    }),
    [weeks, currency, say, t],
  );
  const column = (title: string, of: (week: Week) => number): Column => ({
    title,
    cells: weeks.map(of),
    said: weeks.map((week) => say.money(of(week), currency, true)),
  });
  return (
    <Figure
      title={t("overview.revenue_by_week")}
      name="revenue-by-week"
      option={option}
      columns={[
        weekColumn(weeks, t("overview.week_column"), say.day),
        column(t("overview.revenue"), (week) => week.revenue_minor),
        column(t("overview.refunds"), (week) => week.refunds_minor),
      ]}
    />
  );
}

function NewAndLost({ weeks }: { weeks: readonly Week[] }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const option = useMemo<ChartOption>(
    () => ({
      xAxis: { type: "category", data: weeks.map((week) => say.day(week.monday)) },
      yAxis: { type: "value", minInterval: 1 },
      series: [
        {
          type: "line",
          name: t("overview.new"),
          color: "#12a08a",
          symbolSize: 6,
          data: weeks.map((week) => week.new_customers),
        },
        {
          type: "line",
          name: t("overview.lost"),
          color: "#a3523a",
          symbolSize: 6,
          data: weeks.map((week) => week.lost_customers),
        },
      ],
    }),
    [weeks, say, t],
  );
  const column = (title: string, of: (week: Week) => number): Column => ({
    title,
    cells: weeks.map(of),
    said: weeks.map((week) => say.number(of(week))),
  });
  return (
    <Figure
      title={t("overview.new_and_lost")}
      name="new-and-lost"
      option={option}
      columns={[
        weekColumn(weeks, t("overview.week_column"), say.day),
        column(t("overview.new"), (week) => week.new_customers),
        column(t("overview.lost"), (week) => week.lost_customers),
      ]}
    />
  );
}

function weekColumn(weeks: readonly Week[], title: string, say: (day: string) => string): Column {
  return { title, cells: weeks.map((week) => week.monday), said: weeks.map((week) => say(week.monday)) };
}

function NothingYet({ customers }: { customers: number }) {
  const { t } = useTranslation("lifecycle");
  const may = useMay();
  return (
    <Panel>
      <Empty
        title={customers > 0 ? t("overview.not_refreshed") : t("customers.none")}
        action={
          customers === 0 &&
          may("data.write") && (
            <LinkButton type="primary" to="/data/import">
              {t("customers.import")}
            </LinkButton>
          )
        }
      >
        {customers > 0 ? t("overview.not_refreshed_how") : t("customers.none_how")}
      </Empty>
    </Panel>
  );
}
