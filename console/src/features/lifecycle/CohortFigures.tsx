/** What the customers of each month, or quarter, of a first order did since. */
import { Segmented } from "antd";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { usePreferences } from "@/shell/preferences";

import { useCohorts, type Cell, type Cohort, type Cohorts } from "./analysis";
import styles from "./Analysis.module.css";
import { heatColours, onHeat } from "./heat";
import { behindCohort } from "./marks";
import { Nothing, Part } from "./Part";
import type { Narrowed, View } from "./views";

type Shown = Pick<View<string>, "period" | "measure">;

interface Props {
  narrowed: Narrowed;
  shown: Shown;
  /** Whether the lists of customers are of these orders: they are in one currency. */
  opens: boolean;
  /** What it is narrowed by, above; the currencies are known with the answer. */
  bar: (currencies: readonly string[]) => ReactNode;
  change: (change: Partial<Shown>) => void;
}

export function CohortFigures({ narrowed, shown, opens, bar, change }: Props) {
  const cohorts = useCohorts(narrowed, shown.period);
  return (
    <>
      {bar(cohorts.data?.basis.currencies ?? [])}
      <Part of={cohorts} height={520}>
        {(found) => <Heat found={found} narrowed={narrowed} shown={shown} opens={opens} change={change} />}
      </Part>
    </>
  );
}

const MEASURES = ["share", "customers", "money", "value"] as const;
type Measure = (typeof MEASURES)[number];

function measured(measure: Measure, cohort: Cohort, cell: Cell): number {
  if (measure === "share") return cohort.customers === 0 ? 0 : cell.active / cohort.customers;
  if (measure === "customers") return cell.active;
  if (measure === "money") return cell.amount_minor - cell.refunds_minor;
  return cohort.customers === 0 ? 0 : cell.value_minor / cohort.customers;
}

function Heat({ found, narrowed, shown, opens, change }: Omit<Props, "bar"> & { found: Cohorts }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const { dark } = usePreferences();
  const { measure } = shown;
  const currency = found.basis.currency ?? null;
  const cohorts = found.cohorts;
  const rows = useMemo(
    () => cohorts.flatMap((cohort, at) => cohort.cells.map((cell) => ({ cohort, cell, at }))),
    [cohorts],
  );
  const named = useMemo(
    () => cohorts.map((cohort) => cohortName(cohort.begins, found.period)),
    [cohorts, found.period],
  );
  const words = useMemo(
    () => ({
      long: (value: number) =>
        measure === "share"
          ? say.share(value)
          : measure === "customers"
            ? say.number(value)
            : say.money(Math.round(value), currency, true),
      short: (value: number) =>
        measure === "share"
          ? say.share(value, 0)
          : measure === "customers"
            ? say.short(value)
            : say.shortMoney(Math.round(value), currency),
    }),
    [measure, currency, say],
  );
  const periods = Math.max(...cohorts.map((cohort) => cohort.cells.length), 1);
  const option = useMemo<ChartOption>(() => {
    // In the first period everybody ordered, beside whom the others would all be faint.
    const first = (row: { cell: Cell }) => row.cell.period === 0 && measure !== "value";
    const values = rows.map((row) => measured(measure, row.cohort, row.cell));
    const most = Math.max(...values.filter((_, at) => rows[at] && !first(rows[at])), measure === "share" ? 0.01 : 1);
    return {
      tooltip: { trigger: "item" },
      grid: { top: 26, left: 4, right: 4, bottom: 4 },
      xAxis: {
        type: "category",
        position: "top",
        data: Array.from({ length: periods }, (_, at) => String(at)),
        axisLine: { show: false },
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: cohorts.map((cohort, at) => `${named[at] ?? ""}  ${say.short(cohort.customers)}`),
        axisLine: { show: false },
      },
      visualMap: { show: false, type: "continuous", min: 0, max: most, inRange: { color: heatColours(dark) } },
      series: [
        {
          type: "heatmap",
          itemStyle: { borderColor: dark ? "#161e26" : "#ffffff", borderWidth: 1, borderRadius: 2 },
          label: { show: true, fontSize: 11 },
          data: rows.map((row, at) => {
            const value = values[at] ?? 0;
            const mark = row.cell.complete ? "" : "*";
            return {
              value: [row.cell.period, row.at, Math.min(value, most)],
              label: {
                formatter: words.short(value) + mark,
                color: onHeat(Math.min(value / most, 1), dark),
              },
              // What is not over yet is also seen without colours.
              ...(row.cell.complete
                ? {}
                : { itemStyle: { borderType: "dashed" as const, borderColor: dark ? "#98a5b0" : "#5f6d78" } }),
            };
          }),
          tooltip: {
            formatter: (mark) => {
              const row = rows[(mark as { dataIndex: number }).dataIndex];
              if (!row) return "";
              const { cohort, cell } = row;
              return [
                `${cohortName(cohort.begins, found.period)} · ${t(`cohorts.after_${found.period}`, { count: cell.period })}`,
                ...(cell.complete ? [] : [t("cohorts.not_over")]),
                `${t("cohorts.active")}: ${say.number(cell.active)} / ${say.number(cohort.customers)}`,
                `${t("cohorts.money")}: ${say.money(cell.amount_minor - cell.refunds_minor, currency, true)}`,
                `${t("cohorts.value")}: ${say.money(
                  cohort.customers ? Math.round(cell.value_minor / cohort.customers) : 0,
                  currency,
                  true,
                )}`,
              ].join("\n");
            },
          },
        },
      ],
    };
  }, [rows, cohorts, named, periods, measure, words, currency, found.period, say, t, dark]);
  if (cohorts.length === 0) return <Nothing title={t("cohorts.title")} reason={found.basis.cannot_say ?? null} />;
  const column = (title: string, of: (row: (typeof rows)[number]) => number, say: (value: number) => string) => ({
    title,
    cells: rows.map(of),
    said: rows.map((row) => say(of(row))),
  });
  const money = (minor: number) => say.money(Math.round(minor), currency, true);
  return (
    <Figure
      title={t("cohorts.title")}
      about={
        found.left_out > 0
          ? t("cohorts.left_out", { count: found.left_out, number: say.number(found.left_out) })
          : t("cohorts.about")
      }
      how={t("cohorts.how")}
      name="cohorts"
      option={option}
      height={40 + cohorts.length * 26}
      minWidth={110 + periods * 46}
      tools={
        <span className={styles.tools}>
          <Segmented
            size="small"
            aria-label={t("cohorts.measure")}
            value={measure}
            options={MEASURES.map((one) => ({ value: one, label: t(`cohorts.${one}`) }))}
            onChange={(chosen) => {
              change({ measure: chosen });
            }}
          />
          <Segmented
            size="small"
            aria-label={t("cohorts.period")}
            value={shown.period}
            options={(["month", "quarter"] as const).map((one) => ({ value: one, label: t(`cohorts.${one}`) }))}
            onChange={(chosen) => {
              change({ period: chosen });
            }}
          />
        </span>
      }
      opens={(at) => {
        const row = rows[at];
        return row && opens ? behindCohort(row.cohort, row.cell, found.period, narrowed) : null;
      }}
      columns={[
        {
          title: t("cohorts.cohort"),
          cells: rows.map((row) => row.cohort.begins),
          said: rows.map((row) => named[row.at] ?? ""),
        },
        column(t("cohorts.number"), (row) => row.cell.period, String),
        column(t("cohorts.size"), (row) => row.cohort.customers, say.number),
        column(t("cohorts.active"), (row) => row.cell.active, say.number),
        column(
          t("cohorts.share"),
          (row) => measured("share", row.cohort, row.cell),
          (share) => say.share(share),
        ),
        column(t("columns.orders"), (row) => row.cell.orders, say.number),
        column(t("cohorts.money"), (row) => row.cell.amount_minor - row.cell.refunds_minor, money),
        column(t("cohorts.value"), (row) => measured("value", row.cohort, row.cell), money),
        {
          title: t("cohorts.over"),
          cells: rows.map((row) => (row.cell.complete ? t("cohorts.yes") : t("cohorts.not_yet"))),
          said: rows.map((row) => (row.cell.complete ? t("cohorts.yes") : t("cohorts.not_yet"))),
        },
      ]}
    />
  );
}

/** 2026-03, or 2026 Q1: the same in both languages. */
function cohortName(begins: string, period: "month" | "quarter"): string {
  const [year = "", month = "1"] = begins.split("-");
  return period === "month" ? `${year}-${month}` : `${year} Q${Math.floor((Number(month) - 1) / 3) + 1}`;
}
