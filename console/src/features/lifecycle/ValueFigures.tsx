/** Recency and frequency, and how the value of customers is spread. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { Panel } from "@/shell/Page";
import { usePreferences } from "@/shell/preferences";

import { useRfm, useValues, type RfmCells, type Values } from "./analysis";
import styles from "./Analysis.module.css";
import { heatColours, onHeat, SERIES } from "./heat";
import { Known } from "./Known";
import { behindBand, behindScores } from "./marks";
import { Nothing, Part } from "./Part";
import type { Narrowed } from "./views";

const SCORES = [1, 2, 3, 4, 5];

interface Props {
  narrowed: Narrowed;
}

export function ValueFigures({ narrowed }: Props) {
  const cells = useRfm(narrowed);
  const values = useValues(narrowed);
  return (
    <>
      <Part of={values}>
        {(found) => (
          <>
            <Known known={found.known} narrowed={narrowed} />
            <Quantiles values={found} />
          </>
        )}
      </Part>
      <div className={styles.columns}>
        <Part of={cells}>{(found) => <Matrix found={found} narrowed={narrowed} />}</Part>
        <Part of={values}>{(found) => <Spread values={found} narrowed={narrowed} />}</Part>
      </div>
    </>
  );
}

function Matrix({ found, narrowed }: Props & { found: RfmCells }) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const say = useSaying();
  const { dark } = usePreferences();
  const { cells, known } = found;
  const currency = known.currency ?? null;
  const option = useMemo<ChartOption>(() => {
    const most = Math.max(...cells.map((cell) => cell.customers), 1);
    return {
      tooltip: { trigger: "item" },
      grid: { top: 8, bottom: 28, left: 28 },
      xAxis: {
        type: "category",
        data: SCORES.map(String),
        name: t("rfm.frequency"),
        nameLocation: "middle",
        nameGap: 26,
      },
      yAxis: {
        type: "category",
        data: SCORES.map(String),
        name: t("rfm.recency"),
        nameLocation: "middle",
        nameGap: 22,
      },
      visualMap: { show: false, type: "continuous", min: 0, max: most, inRange: { color: heatColours(dark) } },
      series: [
        {
          type: "heatmap",
          itemStyle: { borderColor: dark ? "#161e26" : "#ffffff", borderWidth: 2, borderRadius: 4 },
          label: { show: true },
          data: cells.map((cell) => ({
            value: [cell.f_score - 1, cell.r_score - 1, cell.customers],
            label: { formatter: say.short(cell.customers), color: onHeat(cell.customers / most, dark) },
          })),
          tooltip: {
            formatter: (mark) => {
              const cell = cells[(mark as { dataIndex: number }).dataIndex];
              if (!cell) return "";
              return [
                names("rfm_groups", cell.group),
                `${t("rfm.recency")} ${cell.r_score} · ${t("rfm.frequency")} ${cell.f_score}`,
                `${t("overview.customers")}: ${say.number(cell.customers)}`,
                `${t("worth.historic")}: ${say.money(cell.historic_minor, currency, true)}`,
              ].join("\n");
            },
          },
        },
      ],
    };
  }, [cells, currency, names, say, t, dark]);
  if (cells.length === 0) return <Nothing title={t("rfm.title")} />;
  const money = (minor: number | null) => (minor === null ? t("worth.unsaid") : say.money(minor, currency, true));
  return (
    <Figure
      title={t("rfm.title")}
      how={t("rfm.how")}
      name="rfm"
      option={option}
      height={360}
      opens={(row) => {
        const cell = cells[row];
        return cell ? behindScores(cell, known, narrowed) : null;
      }}
      columns={[
        {
          title: t("rfm.group"),
          cells: cells.map((cell) => names("rfm_groups", cell.group)),
          said: cells.map((cell) => names("rfm_groups", cell.group)),
        },
        {
          title: t("rfm.recency"),
          cells: cells.map((cell) => cell.r_score),
          said: cells.map((cell) => `${cell.r_score}`),
        },
        {
          title: t("rfm.frequency"),
          cells: cells.map((cell) => cell.f_score),
          said: cells.map((cell) => `${cell.f_score}`),
        },
        {
          title: t("overview.customers"),
          cells: cells.map((cell) => cell.customers),
          said: cells.map((cell) => say.number(cell.customers)),
        },
        {
          title: t("worth.historic"),
          cells: cells.map((cell) => cell.historic_minor),
          said: cells.map((cell) => money(cell.historic_minor)),
        },
        ...(known.past
          ? []
          : [
              {
                title: t("overview.expected"),
                cells: cells.map((cell) => cell.predicted_minor),
                said: cells.map((cell) => money(cell.predicted_minor)),
              },
            ]),
      ]}
    />
  );
}

function Quantiles({ values }: { values: Values }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  if (values.customers === 0 || values.mean_minor === null) return null;
  const money = (minor: number | undefined) =>
    minor === undefined ? "" : say.money(minor, values.known.currency ?? null, true);
  return (
    <Panel>
      <dl className={styles.figures}>
        <One name={t("values.mean")} value={money(values.mean_minor)} />
        <One name={t("values.median")} value={money(values.quantiles[2])} />
        <One name={t("values.best_tenth")} value={money(values.quantiles[4])} />
        {values.top_share !== null && (
          <One name={t("values.top_share")} value={say.share(values.top_share)} about={t("values.top_share_about")} />
        )}
      </dl>
    </Panel>
  );
}

function One({ name, value, about }: { name: string; value: string; about?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {about && <small>{about}</small>}
      </dd>
    </div>
  );
}

function Spread({ values, narrowed }: { values: Values; narrowed: Narrowed }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const bands = values.bands;
  const named = useMemo(() => {
    const short = (minor: number) => say.shortMoney(minor, values.known.currency ?? null);
    return bands.map((band) => `${short(band.from_minor)}–${short(band.to_minor)}`);
  }, [bands, values.known.currency, say]);
  const option = useMemo<ChartOption>(
    () => ({
      grid: { top: 12 },
      legend: { show: false },
      xAxis: { type: "category", data: named, axisLabel: { hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { formatter: (value: number) => say.short(value) } },
      series: [
        {
          type: "bar",
          name: t("overview.customers"),
          barCategoryGap: "12%",
          itemStyle: { color: SERIES.one, borderRadius: [3, 3, 0, 0] },
          data: bands.map((band) => band.customers),
          tooltip: { valueFormatter: (value) => say.number(Number(value)) },
        },
      ],
    }),
    [bands, named, say, t],
  );
  if (bands.length === 0) return <Nothing title={t("values.title")} />;
  return (
    <Figure
      title={t("values.title")}
      how={t(values.known.past ? "values.how_past" : "values.how")}
      name="value-distribution"
      option={option}
      height={360}
      opens={(row) => {
        const band = bands[row];
        return band ? behindBand(band, values.known, narrowed) : null;
      }}
      columns={[
        { title: t("columns.value"), cells: named, said: named },
        {
          title: t("overview.customers"),
          cells: bands.map((band) => band.customers),
          said: bands.map((band) => say.number(band.customers)),
        },
        {
          title: t("values.sum"),
          cells: bands.map((band) => band.value_minor),
          said: bands.map((band) => say.money(band.value_minor, values.known.currency ?? null, true)),
        },
      ]}
    />
  );
}
