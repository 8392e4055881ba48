/** What products bring, what is bought together, and what customers are worth by the product that they began with. */
import { Segmented } from "antd";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import type { ChartOption } from "@/shell/Chart";
import { Figure, type Column } from "@/shell/Figure";

import {
  useBaskets,
  useContribution,
  useFirstProducts,
  type Baskets,
  type FirstProducts,
  type ProductContribution,
  type Products,
} from "./analysis";
import { SERIES } from "./heat";
import { intervals } from "./intervals";
import { behindFirst, behindPair, behindProduct } from "./marks";
import { Nothing, Part } from "./Part";
import type { Narrowed, View } from "./views";

/** Of many, so many are drawn; the table has them all. */
const DRAWN_MAX = 25;

type By = View<string>["by"];

interface Props {
  narrowed: Narrowed;
  opens: boolean;
  /** What it is narrowed by, above; the currencies are known with the answer. */
  bar: (currencies: readonly string[]) => ReactNode;
}

export function ContributionFigures({
  narrowed,
  by,
  opens,
  bar,
  change,
}: Props & { by: By; change: (by: By) => void }) {
  const found = useContribution(narrowed, by);
  return (
    <>
      {bar(found.data?.basis.currencies ?? [])}
      <Part of={found} height={640}>
        {(products) => <Contribution found={products} by={by} narrowed={narrowed} opens={opens} change={change} />}
      </Part>
    </>
  );
}

interface ContributionProps {
  found: Products;
  by: By;
  narrowed: Narrowed;
  opens: boolean;
  change: (by: By) => void;
}

function Contribution({ found, by, narrowed, opens, change }: ContributionProps) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const currency = found.basis.currency ?? null;
  const rows = found.products;
  const named = useMemo(() => rows.map((row) => row.name ?? row.key ?? t("goods.no_category")), [rows, t]);
  const option = useMemo<ChartOption>(() => {
    const drawn = rows.slice(0, DRAWN_MAX);
    return {
      grid: { top: 56 },
      xAxis: [
        {
          type: "value",
          name: t("goods.revenue"),
          nameLocation: "middle",
          nameGap: 26,
          axisLabel: { formatter: (value: number) => say.shortMoney(value, currency) },
        },
        {
          type: "value",
          position: "top",
          name: t("goods.cumulative"),
          nameLocation: "middle",
          nameGap: 24,
          min: 0,
          max: 1,
          splitLine: { show: false },
          axisLabel: { formatter: (value: number) => say.share(value, 0) },
        },
      ],
      yAxis: { type: "category", inverse: true, data: named.slice(0, DRAWN_MAX), axisLabel: cut(18) },
      series: [
        {
          type: "bar",
          name: t("goods.revenue"),
          itemStyle: { color: SERIES.one, borderRadius: [0, 3, 3, 0] },
          data: drawn.map((row) => row.revenue_minor),
          tooltip: { valueFormatter: (value) => say.money(Number(value), currency, true) },
        },
        {
          type: "line",
          name: t("goods.cumulative"),
          xAxisIndex: 1,
          color: SERIES.two,
          symbolSize: 5,
          data: drawn.map((row) => row.cumulative_share),
          tooltip: { valueFormatter: (value) => say.share(Number(value)) },
        },
      ],
    };
  }, [rows, named, currency, say, t]);
  const choice = (
    <Segmented
      size="small"
      aria-label={t("goods.by")}
      value={by}
      options={(["product", "category"] as const).map((one) => ({ value: one, label: t(`goods.${one}`) }))}
      onChange={change}
    />
  );
  if (rows.length === 0) {
    return (
      <>
        <Nothing title={t("goods.contribution")} reason={found.basis.cannot_say ?? null} />
        {by === "category" && choice}
      </>
    );
  }
  const none = t("worth.unsaid");
  const column = (
    title: string,
    of: (row: ProductContribution) => number | null,
    said: (value: number) => string,
  ): Column => ({
    title,
    cells: rows.map(of),
    said: rows.map((row) => {
      const value = of(row);
      return value === null ? none : said(value);
    }),
  });
  const money = (minor: number) => say.money(minor, currency, true);
  const share = (value: number) => say.share(value);
  const known = (of: (row: ProductContribution) => number | null, made: Column) =>
    rows.some((row) => of(row) !== null) ? [made] : [];
  return (
    <Figure
      title={t("goods.contribution")}
      about={t("goods.contribution_about", { number: say.number(found.for_80), items: say.number(found.items) })}
      how={t("goods.contribution_how")}
      name={`${by}-contribution`}
      option={option}
      height={120 + Math.min(rows.length, DRAWN_MAX) * 26}
      tools={choice}
      opens={(at) => {
        const row = rows[at];
        return row && opens ? behindProduct(row, by, narrowed) : null;
      }}
      columns={[
        { title: t("goods.item"), cells: named, said: named },
        column(t("goods.revenue"), (row) => row.revenue_minor, money),
        column(t("goods.share"), (row) => row.share, share),
        column(t("goods.cumulative"), (row) => row.cumulative_share, share),
        { title: t("goods.class"), cells: rows.map((row) => row.abc_class), said: rows.map((row) => row.abc_class) },
        column(t("columns.orders"), (row) => row.orders, say.number),
        column(t("overview.customers"), (row) => row.customers, say.number),
        column(t("goods.customer_share"), (row) => row.customer_share, share),
        column(t("goods.repeat"), (row) => row.repeat_share, share),
        column(t("goods.units"), (row) => row.units, say.number),
        ...known(
          (row) => row.return_rate,
          column(t("goods.returns"), (row) => row.return_rate, share),
        ),
        ...known(
          (row) => row.contribution_minor,
          column(t("goods.margin"), (row) => row.contribution_minor, money),
        ),
        ...known(
          (row) => row.margin_rate,
          column(t("goods.margin_rate"), (row) => row.margin_rate, share),
        ),
      ]}
    />
  );
}

export function BasketFigures({ narrowed, opens, bar }: Props) {
  const found = useBaskets(narrowed);
  return (
    <>
      {bar(found.data?.basis.currencies ?? [])}
      <Part of={found} height={520}>
        {(baskets) => <Pairs found={baskets} narrowed={narrowed} opens={opens} />}
      </Part>
    </>
  );
}

function Pairs({ found, narrowed, opens }: Omit<Props, "bar"> & { found: Baskets }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const rows = found.pairs;
  const named = useMemo(
    () => rows.map((row) => `${row.first_name ?? row.first} + ${row.second_name ?? row.second}`),
    [rows],
  );
  const option = useMemo<ChartOption>(() => {
    const drawn = rows.slice(0, DRAWN_MAX);
    return {
      tooltip: { trigger: "item" },
      grid: { top: 8 },
      legend: { show: false },
      xAxis: { type: "value", name: t("goods.lift"), nameLocation: "middle", nameGap: 26 },
      yAxis: { type: "category", inverse: true, data: named.slice(0, DRAWN_MAX), axisLabel: cut(30) },
      series: intervals(
        drawn.map((row) => ({ value: row.lift, low: row.lift_low, high: row.lift_high })),
        (at) => {
          const row = drawn[at];
          if (!row) return "";
          return [
            named[at] ?? "",
            `${t("goods.lift")}: ${say.number(row.lift, 1)} (${say.number(row.lift_low, 1)}–${say.number(row.lift_high, 1)})`,
            `${t("goods.together")}: ${say.number(row.orders)}`,
            `${t("overview.customers")}: ${say.number(row.customers)}`,
          ].join("\n");
        },
      ),
    };
  }, [rows, named, say, t]);
  if (rows.length === 0) {
    return (
      <Nothing title={t("goods.baskets")} reason={found.basis.cannot_say ?? null}>
        {t("goods.no_pairs_how", { number: say.number(found.needed) })}
      </Nothing>
    );
  }
  return (
    <Figure
      title={t("goods.baskets")}
      about={t("goods.baskets_about", {
        count: found.needed,
        number: say.number(found.needed),
        orders: say.number(found.orders),
      })}
      how={t("goods.baskets_how")}
      name="baskets"
      option={option}
      height={60 + Math.min(rows.length, DRAWN_MAX) * 26}
      opens={(at) => {
        const row = rows[at];
        return row && opens ? behindPair(row, narrowed) : null;
      }}
      columns={[
        { title: t("goods.pair"), cells: named, said: named },
        numbers(
          t("goods.together"),
          rows.map((row) => row.orders),
          say.number,
        ),
        numbers(
          t("overview.customers"),
          rows.map((row) => row.customers),
          say.number,
        ),
        numbers(
          t("goods.confidence"),
          rows.map((row) => row.confidence),
          (value) => say.share(value),
        ),
        numbers(
          t("goods.lift"),
          rows.map((row) => row.lift),
          (value) => say.number(value, 1),
        ),
        numbers(
          t("goods.low"),
          rows.map((row) => row.lift_low),
          (value) => say.number(value, 1),
        ),
        numbers(
          t("goods.high"),
          rows.map((row) => row.lift_high),
          (value) => say.number(value, 1),
        ),
      ]}
    />
  );
}

export function FirstProductFigures({ narrowed, opens, bar }: Props) {
  const found = useFirstProducts(narrowed);
  return (
    <>
      {bar(found.data?.basis.currencies ?? [])}
      <Part of={found} height={520}>
        {(products) => <First found={products} narrowed={narrowed} opens={opens} />}
      </Part>
    </>
  );
}

function First({ found, narrowed, opens }: Omit<Props, "bar"> & { found: FirstProducts }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const currency = found.basis.currency ?? null;
  const rows = found.products;
  const named = useMemo(() => rows.map((row) => row.name ?? row.key), [rows]);
  const option = useMemo<ChartOption>(() => {
    const drawn = rows.slice(0, DRAWN_MAX);
    const money = (minor: number) => say.money(minor, currency, true);
    return {
      tooltip: { trigger: "item" },
      grid: { top: 8 },
      legend: { show: false },
      xAxis: { type: "value", axisLabel: { formatter: (value: number) => say.shortMoney(value, currency) } },
      yAxis: { type: "category", inverse: true, data: named.slice(0, DRAWN_MAX), axisLabel: cut(18) },
      series: intervals(
        drawn.map((row) => ({
          value: row.value_minor,
          low: row.low_minor ?? row.value_minor,
          high: row.high_minor ?? row.value_minor,
        })),
        (at) => {
          const row = drawn[at];
          if (!row) return "";
          const between =
            row.low_minor === null || row.high_minor === null
              ? ""
              : ` (${money(row.low_minor)}–${money(row.high_minor)})`;
          return [
            named[at] ?? "",
            `${t("goods.value_each")}: ${money(row.value_minor)}${between}`,
            `${t("overview.customers")}: ${say.number(row.customers)}`,
            `${t("goods.came_back")}: ${say.share(row.repeat_share)}`,
          ].join("\n");
        },
      ),
    };
  }, [rows, named, currency, say, t]);
  if (rows.length === 0) {
    return (
      <Nothing title={t("goods.first_title")} reason={found.basis.cannot_say ?? null}>
        {t("goods.no_first_how", { number: say.number(found.customers_needed) })}
      </Nothing>
    );
  }
  const money = (minor: number | null) => (minor === null ? t("worth.unsaid") : say.money(minor, currency, true));
  return (
    <Figure
      title={t("goods.first_title")}
      about={t("goods.first_about", { count: found.days, everyone: money(found.everyone_minor) })}
      how={t("goods.first_how")}
      name="first-products"
      option={option}
      height={50 + Math.min(rows.length, DRAWN_MAX) * 26}
      opens={(at) => {
        const row = rows[at];
        return row && opens ? behindFirst(row.key, found.until, narrowed) : null;
      }}
      columns={[
        { title: t("goods.item"), cells: named, said: named },
        numbers(
          t("overview.customers"),
          rows.map((row) => row.customers),
          say.number,
        ),
        numbers(
          t("goods.value_each"),
          rows.map((row) => row.value_minor),
          money,
        ),
        {
          title: t("goods.low"),
          cells: rows.map((row) => row.low_minor),
          said: rows.map((row) => money(row.low_minor)),
        },
        {
          title: t("goods.high"),
          cells: rows.map((row) => row.high_minor),
          said: rows.map((row) => money(row.high_minor)),
        },
        numbers(
          t("goods.came_back"),
          rows.map((row) => row.repeat_share),
          (value) => say.share(value),
        ),
      ]}
    />
  );
}

function numbers(title: string, cells: number[], said: (value: number) => string): Column {
  return { title, cells, said: cells.map((value) => said(value)) };
}

/** Long names are cut; the tip and the table have them whole. */
function cut(letters: number) {
  return {
    formatter: (name: string) => {
      const found = Array.from(name);
      return found.length > letters ? `${found.slice(0, letters - 1).join("")}…` : name;
    },
  };
}
