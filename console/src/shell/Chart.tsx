/** ECharts, of it only what is drawn here; loaded when a page has a chart. */
import { BarChart, LineChart, type BarSeriesOption, type LineSeriesOption } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  type AriaComponentOption,
  type GridComponentOption,
  type LegendComponentOption,
  type TooltipComponentOption,
} from "echarts/components";
import { init, use as draws, type ComposeOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import { useMedia } from "@/base/appearance";

import { usePreferences } from "./preferences";

draws([BarChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

export type ChartOption = ComposeOption<
  | BarSeriesOption
  | LineSeriesOption
  | AriaComponentOption
  | GridComponentOption
  | LegendComponentOption
  | TooltipComponentOption
>;

export interface ChartHandle {
  picture: () => string;
}

interface Props {
  ref: Ref<ChartHandle>;
  title: string;
  option: ChartOption;
  height: number;
  onMark?: (row: number) => void;
}

type Drawn = ReturnType<typeof init>;

export function Chart({ ref, title, option, height, onMark }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const { dark } = usePreferences();
  const still = useMedia("(prefers-reduced-motion: reduce)");

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const chart = init(element, null, { renderer: "svg" });
    drawn.current = chart;
    const watched = new ResizeObserver(() => {
      chart.resize();
    });
    watched.observe(element);
    return () => {
      watched.disconnect();
      chart.dispose();
      drawn.current = null;
    };
  }, []);

  useEffect(() => {
    const colours = coloursOf(place.current);
    const axis = {
      axisLine: { lineStyle: { color: colours.muted } },
      axisTick: { show: false },
      axisLabel: { color: colours.muted },
      splitLine: { lineStyle: { color: colours.line } },
    };
    drawn.current?.setOption(
      {
        animation: !still,
        textStyle: { fontFamily: colours.font, color: colours.text },
        // Written as text on the picture: as markup it would carry styles, which the page's policy refuses.
        tooltip: {
          trigger: "axis",
          renderMode: "richText",
          backgroundColor: colours.raised,
          borderColor: colours.line,
          textStyle: { color: colours.text },
        },
        legend: {
          top: 0,
          left: 0,
          icon: "roundRect",
          itemWidth: 10,
          itemHeight: 10,
          textStyle: { color: colours.muted },
        },
        grid: { left: 8, right: 8, top: 36, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        ...option,
        xAxis: { ...axis, ...(option.xAxis as object) },
        yAxis: { ...axis, ...(option.yAxis as object) },
      },
      { notMerge: true },
    );
  }, [option, dark, still]);

  useEffect(() => {
    const chart = drawn.current;
    if (!chart || !onMark) return;
    const chosen = (mark: { dataIndex?: number }) => {
      if (mark.dataIndex !== undefined) onMark(mark.dataIndex);
    };
    chart.on("click", chosen);
    return () => {
      chart.off("click", chosen);
    };
  }, [onMark]);

  useImperativeHandle(ref, () => ({
    picture: () => drawn.current?.getDataURL({ type: "svg" }) ?? "",
  }));

  return <div ref={place} role="img" aria-label={title} style={{ height }} />;
}

/** The colours of the appearance, as text and lines around the chart have them. */
function coloursOf(element: Element | null) {
  const style = getComputedStyle(element ?? document.body);
  const value = (name: string) => style.getPropertyValue(`--ant-${name}`).trim();
  return {
    font: style.fontFamily,
    text: value("color-text"),
    muted: value("color-text-secondary"),
    line: value("color-border-secondary"),
    raised: value("color-bg-elevated"),
  };
}
