/** Who comes back, when, and how far customers come. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { Panel } from "@/shell/Page";

import { useRetention, type Retention } from "./analysis";
import styles from "./Analysis.module.css";
import { SERIES } from "./heat";
import { behindReturn, behindStep } from "./marks";
import { Nothing, Part } from "./Part";
import type { Narrowed } from "./views";

interface Props {
  narrowed: Narrowed;
  opens: boolean;
  /** What it is narrowed by, above; the currencies are known with the answer. */
  bar: (currencies: readonly string[]) => ReactNode;
}

export function RetentionFigures({ narrowed, opens, bar }: Props) {
  const found = useRetention(narrowed);
  return (
    <>
      {bar(found.data?.basis.currencies ?? [])}
      <Part of={found} height={480}>
        {(retention) => (
          <>
            <Gaps retention={retention} />
            <div className={styles.columns}>
              <Curve retention={retention} narrowed={narrowed} opens={opens} />
              <Ladder retention={retention} narrowed={narrowed} opens={opens} />
            </div>
          </>
        )}
      </Part>
    </>
  );
}

function Gaps({ retention }: { retention: Retention }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const gaps = retention.gaps;
  if (!gaps) return null;
  const days = (count: number) => t("retention.days", { count: Math.round(count), number: say.number(count) });
  return (
    <Panel>
      <dl className={styles.figures}>
        <div>
          <dt>{t("retention.median_gap")}</dt>
          <dd>{days(gaps.median_days)}</dd>
        </div>
        <div>
          <dt>{t("retention.p75_gap")}</dt>
          <dd>{days(gaps.p75_days)}</dd>
        </div>
        <div>
          <dt>{t("retention.p90_gap")}</dt>
          <dd>{days(gaps.p90_days)}</dd>
        </div>
      </dl>
    </Panel>
  );
}

function Curve({ retention, narrowed, opens }: Omit<Props, "bar"> & { retention: Retention }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const points = retention.curve;
  const option = useMemo<ChartOption>(() => {
    const share = (value: unknown) => (value == null ? "" : say.share(Number(value)));
    return {
      tooltip: {
        formatter: (marks) => {
          const at = (Array.isArray(marks) ? marks[0] : marks) as { dataIndex?: number } | undefined;
          const point = points[at?.dataIndex ?? -1];
          if (!point) return "";
          const between =
            point.low === null || point.high === null ? "" : ` (${share(point.low)}–${share(point.high)})`;
          return `${t("retention.by_day", { day: say.number(point.days) })}: ${share(point.share)}${between}`;
        },
      },
      grid: { top: 12, right: 16, bottom: 24 },
      legend: { show: false },
      xAxis: { type: "value", name: t("retention.days_after"), nameLocation: "middle", nameGap: 28 },
      yAxis: { type: "value", axisLabel: { formatter: (value: number) => say.share(value, 0) } },
      series: [
        // The limits, as an area that stands on an unseen one.
        {
          type: "line",
          stack: "limits",
          symbol: "none",
          silent: true,
          lineStyle: { opacity: 0 },
          data: points.map((point) => [point.days, point.low ?? point.share]),
        },
        {
          type: "line",
          stack: "limits",
          symbol: "none",
          silent: true,
          lineStyle: { opacity: 0 },
          areaStyle: { color: SERIES.one, opacity: 0.22 },
          data: points.map((point) => [point.days, (point.high ?? point.share) - (point.low ?? point.share)]),
        },
        {
          type: "line",
          name: t("retention.share"),
          color: SERIES.one,
          symbol: "circle",
          symbolSize: 5,
          data: points.map((point) => [point.days, point.share]),
        },
      ],
    };
  }, [points, say, t]);
  if (points.length === 0) {
    return (
      <Nothing title={t("retention.title")} reason={retention.basis.cannot_say ?? null}>
        {t("retention.nobody_yet")}
      </Nothing>
    );
  }
  const share = (value: number | null) => (value === null ? "" : say.share(value));
  return (
    <Figure
      title={t("retention.title")}
      about={t("retention.about")}
      how={t("retention.how")}
      name="came-back"
      option={option}
      height={340}
      opens={(row) => {
        const point = points[row];
        return point && opens ? behindReturn(point.days, narrowed) : null;
      }}
      columns={[
        {
          title: t("retention.days_after"),
          cells: points.map((point) => point.days),
          said: points.map((point) => say.number(point.days)),
        },
        {
          title: t("retention.share"),
          cells: points.map((point) => point.share),
          said: points.map((point) => share(point.share)),
        },
        {
          title: t("retention.low"),
          cells: points.map((point) => point.low),
          said: points.map((point) => share(point.low)),
        },
        {
          title: t("retention.high"),
          cells: points.map((point) => point.high),
          said: points.map((point) => share(point.high)),
        },
        {
          title: t("retention.came_back"),
          cells: points.map((point) => point.came_back),
          said: points.map((point) => say.number(point.came_back)),
        },
      ]}
    />
  );
}

function Ladder({ retention, narrowed, opens }: Omit<Props, "bar"> & { retention: Retention }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const steps = retention.ladder;
  const option = useMemo<ChartOption>(
    () => ({
      grid: { top: 12 },
      legend: { show: false },
      xAxis: { type: "category", data: steps.map((step) => t("retention.order", { number: step.step })) },
      yAxis: { type: "value", minInterval: 1, axisLabel: { formatter: (value: number) => say.short(value) } },
      series: [
        {
          type: "bar",
          name: t("overview.customers"),
          itemStyle: { color: SERIES.one, borderRadius: [3, 3, 0, 0] },
          label: {
            show: true,
            position: "top",
            formatter: ({ dataIndex }) => {
              const step = steps[dataIndex];
              return step?.share_within == null ? "" : say.share(step.share_within, 0);
            },
          },
          data: steps.map((step) => step.customers),
          tooltip: { valueFormatter: (value) => say.number(Number(value)) },
        },
      ],
    }),
    [steps, say, t],
  );
  if (steps.length === 0) return null;
  const share = (value: number | null) => (value === null ? t("worth.unsaid") : say.share(value));
  const days = (value: number | null) => (value === null ? t("worth.unsaid") : say.number(value));
  return (
    <Figure
      title={t("retention.ladder")}
      about={t("retention.ladder_about", { count: retention.within_days })}
      how={t("retention.ladder_how")}
      name="order-ladder"
      option={option}
      height={340}
      opens={(row) => {
        const step = steps[row];
        return step && opens ? behindStep(step.step, narrowed) : null;
      }}
      columns={[
        {
          title: t("retention.step"),
          cells: steps.map((step) => step.step),
          said: steps.map((step) => t("retention.order", { number: step.step })),
        },
        {
          title: t("overview.customers"),
          cells: steps.map((step) => step.customers),
          said: steps.map((step) => say.number(step.customers)),
        },
        {
          title: t("retention.went_on"),
          cells: steps.map((step) => step.went_on),
          said: steps.map((step) => say.number(step.went_on)),
        },
        {
          title: t("retention.within", { count: retention.within_days }),
          cells: steps.map((step) => step.share_within),
          said: steps.map((step) => share(step.share_within)),
        },
        {
          title: t("retention.median_days"),
          cells: steps.map((step) => step.median_days),
          said: steps.map((step) => days(step.median_days)),
        },
        {
          title: t("retention.average"),
          cells: steps.map((step) => step.average_minor),
          said: steps.map((step) => say.money(step.average_minor, retention.basis.currency ?? null, true)),
        },
      ]}
    />
  );
}
