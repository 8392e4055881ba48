/** What the model is, why it was chosen, and how it did on what it had not seen. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { Empty } from "@/shell/Answer";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { Panel } from "@/shell/Page";

import { useModelQuality, type ModelQuality, type ModelTest } from "./analysis";
import styles from "./Analysis.module.css";
import { SERIES } from "./heat";
import { behindFrequency } from "./marks";
import { Part } from "./Part";

export function ModelFigures() {
  const { t } = useTranslation("lifecycle");
  const found = useModelQuality();
  return (
    <Part of={found}>
      {(quality) =>
        quality?.model ? (
          <>
            <Summary quality={quality} model={quality.model} />
            {quality.test ? (
              <div className={styles.columns}>
                <Calibration test={quality.test} />
                <Weeks test={quality.test} />
                <Deciles test={quality.test} />
              </div>
            ) : (
              <Panel title={t("model.test")}>
                <Empty title={t("model.untested")}>{t("model.untested_why")}</Empty>
              </Panel>
            )}
          </>
        ) : (
          <Panel title={t("model.title")}>
            <Empty title={t("model.none")}>{t("model.none_why")}</Empty>
          </Panel>
        )
      }
    </Part>
  );
}

function Summary({ quality, model }: { quality: ModelQuality; model: string }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const test = quality.test;
  const error = test && test.orders_actual > 0 ? test.orders_predicted / test.orders_actual - 1 : null;
  return (
    <Panel title={t("model.title")} about={t("model.about", { day: say.day(quality.as_of) })}>
      <dl className={styles.figures}>
        <div>
          <dt>{t("model.name")}</dt>
          <dd>
            {model.toUpperCase()}
            <small>{t("model.among", { count: quality.candidates.length })}</small>
          </dd>
        </div>
        {test && (
          <>
            <div>
              <dt>{t("model.total_error")}</dt>
              <dd>
                {error === null ? t("worth.unsaid") : signed(error, say.share)}
                <small>
                  {t("model.total", {
                    actual: say.number(test.orders_actual),
                    predicted: say.number(test.orders_predicted),
                    low: say.number(test.orders_low),
                    high: say.number(test.orders_high),
                  })}
                </small>
              </dd>
            </div>
            <div>
              <dt>{t("model.mae")}</dt>
              <dd>
                {say.number(test.mae, 2)}
                <small>{t("model.mae_about", { rmse: say.number(test.rmse, 2) })}</small>
              </dd>
            </div>
            {test.gini !== null && test.gini_best !== null && test.gini_best > 0 && (
              <div>
                <dt>{t("model.order")}</dt>
                <dd>
                  {say.share(test.gini / test.gini_best, 0)}
                  <small>{t("model.order_about")}</small>
                </dd>
              </div>
            )}
            <div>
              <dt>{t("model.test")}</dt>
              <dd>
                {t("retention.days", {
                  count: days(test.calibration_end, test.holdout_end),
                  number: say.number(days(test.calibration_end, test.holdout_end)),
                })}
                <small>{t("model.span", { from: say.day(test.calibration_end), to: say.day(test.holdout_end) })}</small>
              </dd>
            </div>
          </>
        )}
      </dl>
    </Panel>
  );
}

function signed(value: number, say: (share: number) => string): string {
  return `${value > 0 ? "+" : value < 0 ? "−" : ""}${say(Math.abs(value))}`;
}

function days(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function Calibration({ test }: { test: ModelTest }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const rows = test.calibration;
  const named = useMemo(() => rows.map((row) => `${row.frequency}${row.and_more ? "+" : ""}`), [rows]);
  const option = useMemo<ChartOption>(
    () => ({
      grid: { bottom: 24 },
      xAxis: { type: "category", data: named, name: t("model.frequency"), nameLocation: "middle", nameGap: 28 },
      yAxis: { type: "value" },
      series: [
        actual(
          t("model.actual"),
          rows.map((row) => row.actual),
          say.number,
        ),
        expected(
          t("model.expected"),
          rows.map((row) => row.predicted),
          say.number,
        ),
      ],
    }),
    [rows, named, say, t],
  );
  return (
    <Figure
      title={t("model.calibration")}
      how={t("model.calibration_how")}
      name="calibration"
      option={option}
      height={300}
      opens={(at) => {
        const row = rows[at];
        return row ? behindFrequency(row, test) : null;
      }}
      columns={[
        { title: t("model.frequency"), cells: named, said: named },
        figures(
          t("overview.customers"),
          rows.map((row) => row.customers),
          say.number,
        ),
        figures(
          t("model.actual"),
          rows.map((row) => row.actual),
          (value) => say.number(value, 2),
        ),
        figures(
          t("model.expected"),
          rows.map((row) => row.predicted),
          (value) => say.number(value, 2),
        ),
      ]}
    />
  );
}

function Deciles({ test }: { test: ModelTest }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const rows = test.deciles;
  const named = useMemo(() => rows.map((row) => String(row.decile)), [rows]);
  const option = useMemo<ChartOption>(
    () => ({
      grid: { bottom: 24 },
      xAxis: { type: "category", data: named, name: t("model.decile"), nameLocation: "middle", nameGap: 28 },
      yAxis: { type: "value", axisLabel: { formatter: (value: number) => say.short(value) } },
      series: [
        actual(
          t("model.actual"),
          rows.map((row) => row.actual),
          say.number,
        ),
        expected(
          t("model.expected"),
          rows.map((row) => row.predicted),
          say.number,
        ),
      ],
    }),
    [rows, named, say, t],
  );
  return (
    <Figure
      title={t("model.deciles")}
      how={t("model.deciles_how")}
      name="deciles"
      option={option}
      height={300}
      columns={[
        { title: t("model.decile"), cells: rows.map((row) => row.decile), said: named },
        figures(
          t("model.actual"),
          rows.map((row) => row.actual),
          say.number,
        ),
        figures(
          t("model.expected"),
          rows.map((row) => row.predicted),
          say.number,
        ),
      ]}
    />
  );
}

function Weeks({ test }: { test: ModelTest }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const rows = test.weeks;
  const option = useMemo<ChartOption>(() => {
    const begun = rows.findIndex((row) => row.holdout);
    return {
      xAxis: { type: "category", data: rows.map((row) => say.day(row.week_end)) },
      yAxis: { type: "value", axisLabel: { formatter: (value: number) => say.short(value) } },
      series: [
        {
          type: "line",
          name: t("model.actual"),
          color: SERIES.one,
          symbol: "none",
          data: rows.map((row) => row.actual_total),
          tooltip: { valueFormatter: (value) => say.number(Number(value)) },
        },
        {
          type: "line",
          name: t("model.seen"),
          color: SERIES.faint,
          symbol: "none",
          data: rows.map((row, at) => (begun < 0 || at < begun ? row.expected_total : null)),
          tooltip: { valueFormatter: (value) => (value == null ? "" : say.number(Number(value))) },
        },
        {
          type: "line",
          name: t("model.unseen"),
          color: SERIES.two,
          symbol: "none",
          lineStyle: { type: "dashed" },
          data: rows.map((row, at) => (begun >= 0 && at >= begun - 1 ? row.expected_total : null)),
          tooltip: { valueFormatter: (value) => (value == null ? "" : say.number(Number(value))) },
        },
      ],
    };
  }, [rows, say, t]);
  return (
    <Figure
      title={t("model.weeks")}
      how={t("model.weeks_how")}
      name="tracking"
      option={option}
      height={300}
      columns={[
        {
          title: t("model.week"),
          cells: rows.map((row) => row.week_end),
          said: rows.map((row) => say.day(row.week_end)),
        },
        {
          title: t("model.seen_column"),
          cells: rows.map((row) => (row.holdout ? t("cohorts.not_yet") : t("cohorts.yes"))),
          said: rows.map((row) => (row.holdout ? t("cohorts.not_yet") : t("cohorts.yes"))),
        },
        figures(
          t("model.actual"),
          rows.map((row) => row.actual_total),
          say.number,
        ),
        figures(
          t("model.expected"),
          rows.map((row) => row.expected_total),
          say.number,
        ),
      ]}
    />
  );
}

function actual(name: string, data: number[], say: (value: number, digits?: number) => string) {
  return bar(name, SERIES.one, data, say);
}

function expected(name: string, data: number[], say: (value: number, digits?: number) => string) {
  return bar(name, SERIES.two, data, say);
}

function bar(name: string, color: string, data: number[], say: (value: number, digits?: number) => string) {
  return {
    type: "bar" as const,
    name,
    itemStyle: { color, borderRadius: [3, 3, 0, 0] },
    data,
    tooltip: { valueFormatter: (value: unknown) => say(Number(value), 2) },
  };
}

function figures(title: string, cells: number[], say: (value: number) => string) {
  return { title, cells, said: cells.map((value) => say(value)) };
}
