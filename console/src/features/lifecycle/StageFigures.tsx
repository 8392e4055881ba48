/** How customers moved between stages, and what those of each stage are worth. */
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { midnight } from "@/base/midnight";
import { brandZone } from "@/base/page";
import { STAGES, stageColour } from "@/base/stages";
import { useNames, useSaying } from "@/base/useSaying";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";

import { useFlows, useStages, type Flows, type StageValues } from "./analysis";
import { SERIES } from "./heat";
import { Known } from "./Known";
import { beganBy, behindFlow, behindStage, OUTSIDE } from "./marks";
import { Nothing, Part } from "./Part";
import type { Narrowed } from "./views";
import { customersAt } from "./wanted";

/** How far back the flow begins, unless somebody says otherwise. */
const USUAL_MS = 90 * 86_400_000;

interface Props {
  narrowed: Narrowed;
  /** The moment of the last refresh. */
  asOf: string;
}

export function StageFigures({ narrowed, asOf }: Props) {
  // From as the first day began to as the last one ended; for a start, from when anything was known at all.
  const until = narrowed.until ? midnight(narrowed.until, 1, brandZone) : new Date(asOf).toISOString();
  const usual = new Date(Date.parse(until) - USUAL_MS).toISOString();
  const [first, setFirst] = useState<string | null>(null);
  const since = narrowed.since
    ? midnight(narrowed.since, 0, brandZone)
    : first && first > usual && first < until
      ? first
      : usual;
  const flows = useFlows({ since, until }, narrowed);
  const known = flows.data?.first ? new Date(flows.data.first).toISOString() : null;
  if (known !== first) setFirst(known);
  const stages = useStages(narrowed);
  return (
    <>
      <Part of={flows} height={440}>
        {(found) => <Sankey flows={found} since={since} narrowed={narrowed} />}
      </Part>
      <Part of={stages}>{(found) => <Worth found={found} narrowed={narrowed} />}</Part>
    </>
  );
}

function place(stage: string | null): number {
  const at = STAGES.findIndex((known) => known === stage);
  return stage === null ? -1 : at < 0 ? STAGES.length : at;
}

function Sankey({ flows, since, narrowed }: { flows: Flows; since: string; narrowed: Narrowed }) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const say = useSaying();
  const rows = useMemo(
    () => [...flows.flows].sort((a, b) => place(a.before) - place(b.before) || place(a.after) - place(b.after)),
    [flows],
  );
  const named = useMemo(
    () => ({
      before: (stage: string | null) => (stage === null ? t("flows.not_yet") : names("stages", stage)),
      after: (stage: string | null) => names("stages", stage ?? OUTSIDE),
    }),
    [names, t],
  );
  const option = useMemo<ChartOption>(() => {
    const sum = (side: "before" | "after", stage: string | null) =>
      rows.reduce((total, row) => total + (row[side] === stage ? row.customers : 0), 0);
    const nodes = (side: "before" | "after") =>
      [...new Set(rows.map((row) => row[side]))]
        .sort((a, b) => place(a) - place(b))
        .map((stage) => ({
          name: `${side}:${stage ?? OUTSIDE}`,
          depth: side === "before" ? 0 : 1,
          itemStyle: { color: stageColour(stage) },
          label: {
            position: side === "before" ? ("right" as const) : ("left" as const),
            formatter: `${named[side](stage)}  ${say.short(sum(side, stage))}`,
          },
        }));
    return {
      tooltip: { trigger: "item" },
      series: [
        {
          type: "sankey",
          left: 2,
          right: 2,
          top: 6,
          bottom: 6,
          nodeGap: 14,
          nodeWidth: 14,
          draggable: false,
          layoutIterations: 0,
          emphasis: { focus: "adjacency" },
          lineStyle: { color: "gradient", opacity: 0.4 },
          data: [...nodes("before"), ...nodes("after")],
          links: rows.map((row) => ({
            source: `before:${row.before ?? OUTSIDE}`,
            target: `after:${row.after ?? OUTSIDE}`,
            value: row.customers,
          })),
          tooltip: {
            formatter: (mark) => {
              const one = mark as { dataType?: string; dataIndex?: number; name?: string; value?: unknown };
              const row = one.dataType === "edge" ? rows[one.dataIndex ?? -1] : undefined;
              if (!row) return `${nodeName(one.name ?? "", named)}: ${say.number(Number(one.value))}`;
              return `${named.before(row.before)} → ${named.after(row.after)}: ${say.number(row.customers)}\n${t(
                "worth.historic",
              )}: ${say.money(row.value_minor, flows.currency, true)}`;
            },
          },
        },
      ],
    };
  }, [rows, flows.currency, named, say, t]);
  if (!flows.until || rows.length === 0) {
    return <Nothing title={t("flows.title")}>{t("flows.nothing_how")}</Nothing>;
  }
  // Of a moment before the first refresh nothing is known, and all came from nowhere.
  const moments = { since: flows.since ?? since, until: flows.until };
  return (
    <Figure
      title={t("flows.title")}
      about={
        flows.since
          ? t("flows.about", { since: say.day(flows.since), until: say.day(flows.until) })
          : t("flows.since_ever", { until: say.day(flows.until) })
      }
      how={t("flows.how")}
      name="stage-flow"
      option={option}
      height={400}
      opens={(row) => {
        const flow = rows[row];
        return flow ? behindFlow(flow, moments, narrowed) : null;
      }}
      opensNode={(node) => {
        const [side = "", stage = ""] = node.split(":");
        if (stage === OUTSIDE) return null;
        const at = side === "before" ? moments.since : moments.until;
        return customersAt({ ...beganBy(narrowed), stood: [{ stages: [stage], at }] });
      }}
      columns={[
        text(
          t("flows.from"),
          rows.map((row) => named.before(row.before)),
        ),
        text(
          t("flows.to"),
          rows.map((row) => named.after(row.after)),
        ),
        {
          title: t("overview.customers"),
          cells: rows.map((row) => row.customers),
          said: rows.map((row) => say.number(row.customers)),
        },
        {
          title: t("worth.historic"),
          cells: rows.map((row) => row.value_minor),
          said: rows.map((row) => say.money(row.value_minor, flows.currency, true)),
        },
      ]}
    />
  );
}

interface Named {
  before: (stage: string | null) => string;
  after: (stage: string | null) => string;
}

function nodeName(node: string, named: Named): string {
  const [side = "", stage = ""] = node.split(":");
  return side === "before" ? named.before(stage === OUTSIDE ? null : stage) : named.after(stage);
}

function text(title: string, words: readonly string[]) {
  return { title, cells: words, said: words };
}

function Worth({ found, narrowed }: { found: StageValues; narrowed: Narrowed }) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const say = useSaying();
  const { known } = found;
  const currency = known.currency ?? null;
  const rows = useMemo(() => [...found.stages].sort((a, b) => place(a.stage) - place(b.stage)), [found]);
  const option = useMemo<ChartOption>(() => {
    const said = (value: unknown) => (value == null ? t("worth.unsaid") : say.money(Number(value), currency, true));
    return {
      xAxis: { type: "value", axisLabel: { formatter: (value: number) => say.shortMoney(value, currency) } },
      yAxis: { type: "category", inverse: true, data: rows.map((row) => names("stages", row.stage)) },
      series: [
        {
          type: "bar",
          name: t("worth.historic"),
          itemStyle: { color: SERIES.one, borderRadius: [0, 3, 3, 0] },
          data: rows.map((row) => row.historic_minor),
          tooltip: { valueFormatter: said },
        },
        {
          type: "bar",
          name: t("overview.expected"),
          itemStyle: { color: SERIES.two, borderRadius: [0, 3, 3, 0] },
          data: rows.map((row) => row.predicted_minor),
          tooltip: { valueFormatter: said },
        },
      ],
    };
  }, [rows, currency, names, say, t]);
  if (rows.length === 0) {
    return (
      <>
        <Known known={known} narrowed={narrowed} />
        <Nothing title={t("stage_values.title")} />
      </>
    );
  }
  const money = (minor: number | null) => (minor === null ? t("worth.unsaid") : say.money(minor, currency, true));
  return (
    <>
      <Known known={known} narrowed={narrowed} />
      <Figure
        title={t("stage_values.title")}
        how={t("stage_values.how")}
        name="stage-values"
        option={option}
        height={90 + rows.length * 52}
        opens={(row) => {
          const stage = rows[row]?.stage;
          return stage ? behindStage(stage, known, narrowed) : null;
        }}
        columns={[
          text(
            t("columns.stage"),
            rows.map((row) => names("stages", row.stage)),
          ),
          {
            title: t("overview.customers"),
            cells: rows.map((row) => row.customers),
            said: rows.map((row) => say.number(row.customers)),
          },
          {
            title: t("columns.orders"),
            cells: rows.map((row) => row.orders),
            said: rows.map((row) => say.number(row.orders)),
          },
          {
            title: t("worth.historic"),
            cells: rows.map((row) => row.historic_minor),
            said: rows.map((row) => money(row.historic_minor)),
          },
          {
            title: t("overview.expected"),
            cells: rows.map((row) => row.predicted_minor),
            said: rows.map((row) => money(row.predicted_minor)),
          },
        ]}
      />
    </>
  );
}
