/** What the customers of each acquiring channel bring, are worth, and cost. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import type { ChartOption } from "@/shell/Chart";
import { Figure, type Column } from "@/shell/Figure";

import { useChannelEconomics, type ChannelEconomics, type Channels } from "./analysis";
import styles from "./Analysis.module.css";
import { SERIES } from "./heat";
import { behindChannel } from "./marks";
import { Nothing, Part } from "./Part";
import type { Narrowed } from "./views";

interface Props {
  narrowed: Narrowed;
  opens: boolean;
  /** What it is narrowed by, above; the currencies are known with the answer. */
  bar: (currencies: readonly string[]) => ReactNode;
}

export function ChannelFigures({ narrowed, opens, bar }: Props) {
  const found = useChannelEconomics(narrowed);
  return (
    <>
      {bar(found.data?.basis.currencies ?? [])}
      <Part of={found}>{(channels) => <Economics found={channels} narrowed={narrowed} opens={opens} />}</Part>
    </>
  );
}

function Economics({ found, narrowed, opens }: Omit<Props, "bar"> & { found: Channels }) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const say = useSaying();
  const currency = found.basis.currency ?? null;
  const rows = found.channels;
  const named = useMemo(
    () => rows.map((row) => (row.channel === null ? t("channels.none") : names("channels", row.channel))),
    [rows, names, t],
  );
  const option = useMemo<ChartOption>(() => {
    const said = (value: unknown) => (value == null ? t("worth.unsaid") : say.money(Number(value), currency, true));
    const bar = (name: string, color: string, of: (row: ChannelEconomics) => number | null) => ({
      type: "bar" as const,
      name,
      itemStyle: { color, borderRadius: [0, 3, 3, 0] },
      data: rows.map(of),
      tooltip: { valueFormatter: said },
    });
    return {
      xAxis: { type: "value", axisLabel: { formatter: (value: number) => say.shortMoney(value, currency) } },
      yAxis: { type: "category", inverse: true, data: named },
      series: [
        bar(t("channels.revenue"), SERIES.one, (row) => row.revenue_minor - row.refunds_minor),
        bar(t("channels.expected"), SERIES.two, (row) => row.predicted_minor),
        ...(rows.some((row) => row.spend_minor !== null)
          ? [bar(t("channels.spend"), SERIES.three, (row) => row.spend_minor)]
          : []),
      ],
    };
  }, [rows, named, currency, say, t]);
  if (rows.length === 0) return <Nothing title={t("channels.title")} reason={found.basis.cannot_say ?? null} />;
  const none = t("worth.unsaid");
  const money = (minor: number | null) => (minor === null ? none : say.money(minor, currency, true));
  const column = (
    title: string,
    of: (row: ChannelEconomics) => number | null,
    said: (value: number | null) => string,
  ): Column => ({ title, cells: rows.map(of), said: rows.map((row) => said(of(row))) });
  const number = (value: number | null) => (value === null ? none : say.number(value));
  const share = (value: number | null) => (value === null ? none : say.share(value));
  const perCustomer = (minor: number | null, row: ChannelEconomics) =>
    minor === null || row.customers === 0 ? null : Math.round(minor / row.customers);
  const costed = rows.some((row) => row.spend_minor !== null);
  const margins = rows.some((row) => row.margin_rate !== null);
  return (
    <>
      <Figure
        title={t("channels.title")}
        about={t("channels.about")}
        how={t("channels.how")}
        name="channels"
        option={option}
        height={80 + rows.length * (costed ? 66 : 50)}
        opens={(at) => {
          const row = rows[at];
          return row && opens ? behindChannel(row, narrowed) : null;
        }}
        columns={[
          { title: t("channels.channel"), cells: named, said: named },
          column(t("overview.customers"), (row) => row.customers, number),
          column(t("channels.repeat"), (row) => (row.customers ? row.repeat_customers / row.customers : null), share),
          column(t("columns.orders"), (row) => row.orders, number),
          column(t("channels.revenue"), (row) => row.revenue_minor - row.refunds_minor, money),
          column(t("channels.first_order"), (row) => row.first_order_minor, money),
          column(t("channels.value_each"), (row) => perCustomer(row.historic_minor, row), money),
          column(t("channels.expected_each"), (row) => perCustomer(row.predicted_minor, row), money),
          ...(margins
            ? [
                column(t("channels.contribution"), (row) => row.contribution_minor, money),
                column(t("channels.margin"), (row) => row.margin_rate, share),
              ]
            : []),
          ...(costed
            ? [
                column(t("channels.spend"), (row) => row.spend_minor, money),
                column(t("channels.cost_each"), (row) => row.cost_minor, money),
                column(
                  t("channels.value_to_cost"),
                  (row) => row.value_to_cost,
                  (value) => (value === null ? none : say.number(value, 1)),
                ),
                column(t("channels.payback"), (row) => row.payback_months, number),
              ]
            : []),
        ]}
      />
      {!costed && <p className={styles.note}>{t("channels.no_costs")}</p>}
    </>
  );
}
