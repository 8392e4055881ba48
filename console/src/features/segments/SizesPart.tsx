/** How many were in a segment at the end of each day. */
import { Segmented } from "antd";
import { useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { Answer, Empty } from "@/shell/Answer";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { Panel } from "@/shell/Page";

import { useSizes, type Segment, type Size } from "./queries";

const SPANS = [30, 90, 365];

export function SizesPart({ segment }: { segment: Segment }) {
  const { t } = useTranslation("segments");
  const [days, setDays] = useState(90);
  const sizes = useSizes(segment.segment_id, days);
  return (
    <Answer of={sizes} height={340}>
      {({ items }) =>
        items.length === 0 ? (
          <Panel title={t("sizes.title")}>
            <Empty title={t("sizes.none")} />
          </Panel>
        ) : (
          <Sizes
            sizes={items}
            tools={
              <Segmented
                size="small"
                aria-label={t("sizes.days")}
                value={days}
                options={SPANS.map((value) => ({ value, label: t("spans.days", { count: value }) }))}
                onChange={setDays}
              />
            }
          />
        )
      }
    </Answer>
  );
}

function Sizes({ sizes, tools }: { sizes: readonly Size[]; tools: ReactNode }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const options = useMemo(() => {
    const axes = {
      xAxis: { type: "category" as const, data: sizes.map((one) => say.day(one.day)) },
      yAxis: {
        type: "value" as const,
        minInterval: 1,
        axisLabel: { formatter: (value: number) => say.short(value) },
      },
    };
    const bar = (of: (one: Size) => number, name: string, color: string) => ({
      type: "bar" as const,
      name,
      stack: "moved",
      itemStyle: { color },
      data: sizes.map(of),
    });
    const all: ChartOption = {
      ...axes,
      legend: { show: false },
      grid: { top: 12 },
      series: [
        {
          type: "line",
          name: t("sizes.customers"),
          showSymbol: sizes.length < 2,
          itemStyle: { color: "#2f7fb5" },
          areaStyle: { color: "#2f7fb5", opacity: 0.12 },
          data: sizes.map((one) => one.customers),
        },
      ],
    };
    const moved: ChartOption = {
      ...axes,
      series: [
        bar((one) => one.entered, t("sizes.entered"), "#12a08a"),
        bar((one) => -one.left, t("sizes.left"), "#d9730d"),
      ],
    };
    return { all, moved };
  }, [sizes, say, t]);
  const day = {
    title: t("sizes.day"),
    cells: sizes.map((one) => one.day),
    said: sizes.map((one) => say.day(one.day)),
  };
  const numbers = (title: string, of: (one: Size) => number) => ({
    title,
    cells: sizes.map(of),
    said: sizes.map((one) => say.number(of(one))),
  });
  return (
    <>
      <Figure
        title={t("sizes.title")}
        how={t("sizes.how")}
        name="segment-sizes"
        option={options.all}
        tools={tools}
        columns={[day, numbers(t("sizes.customers"), (one) => one.customers)]}
      />
      <Figure
        title={t("sizes.moved")}
        how={t("sizes.how")}
        name="segment-changes"
        option={options.moved}
        columns={[day, numbers(t("sizes.entered"), (one) => one.entered), numbers(t("sizes.left"), (one) => one.left)]}
      />
    </>
  );
}
