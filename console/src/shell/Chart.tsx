/** ECharts, of it only what is drawn here; loaded when a page has a chart. */
import {
  BarChart,
  CustomChart,
  HeatmapChart,
  LineChart,
  SankeyChart,
  type BarSeriesOption,
  type CustomSeriesOption,
  type HeatmapSeriesOption,
  type LineSeriesOption,
  type SankeySeriesOption,
} from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  VisualMapComponent,
  type AriaComponentOption,
  type GridComponentOption,
  type LegendComponentOption,
  type TooltipComponentOption,
  type VisualMapComponentOption,
} from "echarts/components";
import { init, use as draws, type ComposeOption } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { useEffect, useImperativeHandle, useRef, useState, type Ref } from "react";
import { flushSync } from "react-dom";

import { useMedia } from "@/base/appearance";

import { pngOf, type Picture } from "./picture";
import { usePreferences } from "./preferences";

draws([BarChart, CustomChart, HeatmapChart, LineChart, SankeyChart]);
draws([AriaComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);

/** What a drawing of our own would look like is said where it is drawn. */
type DrawnSeriesOption = Omit<CustomSeriesOption, "itemStyle" | "label" | "labelLine" | "labelLayout" | "emphasis">;

export type ChartOption = ComposeOption<
  | BarSeriesOption
  | DrawnSeriesOption
  | HeatmapSeriesOption
  | LineSeriesOption
  | SankeySeriesOption
  | AriaComponentOption
  | GridComponentOption
  | LegendComponentOption
  | TooltipComponentOption
  | VisualMapComponentOption
>;

export interface ChartHandle {
  picture: (kind: Picture) => Promise<string>;
}

/** What of a chart was chosen: the row that it was drawn from, or the node of a flow by its name. */
export type Mark = { row: number } | { node: string };

interface Props {
  ref: Ref<ChartHandle>;
  title: string;
  option: ChartOption;
  height: number;
  /** Below this, the chart is scrolled. */
  minWidth?: number;
  onMark?: (mark: Mark) => void;
}

type Drawn = ReturnType<typeof init>;

/** So far below what the reader sees is drawn, too, so that it stands when they come to it. */
const AHEAD = "300px 0px";

export function Chart({ ref, title, option, height, minWidth, onMark }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const { dark } = usePreferences();
  const still = useMedia("(prefers-reduced-motion: reduce)");
  const [wanted, setWanted] = useState(false);

  // To draw takes long. Who came for the first chart does not wait for the tenth, nor does any click wait for two.
  useEffect(() => {
    const element = place.current;
    if (!element || wanted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watched = new IntersectionObserver(
      ([latest]) => {
        if (!latest?.isIntersecting) return;
        timer ??= setTimeout(() => {
          setWanted(true);
        });
      },
      { rootMargin: AHEAD },
    );
    watched.observe(element);
    const printed = () => {
      flushSync(() => {
        setWanted(true);
      });
    };
    addEventListener("beforeprint", printed);
    return () => {
      watched.disconnect();
      clearTimeout(timer);
      removeEventListener("beforeprint", printed);
    };
  }, [wanted]);

  useEffect(() => {
    const element = place.current;
    if (!element || !wanted) return;
    const chart = init(element, null, { renderer: "svg" });
    drawn.current = chart;
    const watched = new ResizeObserver(() => {
      // It is told of the size that it begins with, too.
      if (element.clientWidth !== chart.getWidth() || element.clientHeight !== chart.getHeight()) chart.resize();
    });
    watched.observe(element);
    return () => {
      watched.disconnect();
      chart.dispose();
      drawn.current = null;
    };
  }, [wanted]);

  useEffect(() => {
    const colours = coloursOf(place.current);
    const axis = {
      axisLine: { lineStyle: { color: colours.muted } },
      axisTick: { show: false },
      axisLabel: { color: colours.muted },
      nameTextStyle: { color: colours.muted },
      splitLine: { lineStyle: { color: colours.line } },
    };
    // A flow has no axes.
    const axes = (given: unknown) => (given ? merged(axis, given) : undefined);
    const { xAxis, yAxis, tooltip, legend, grid, ...rest } = option;
    drawn.current?.setOption(
      {
        animation: !still,
        textStyle: { fontFamily: colours.font, color: colours.text },
        // Written as text on the picture: as markup it would carry styles, which the page's policy refuses.
        tooltip: {
          trigger: "axis",
          renderMode: "richText",
          confine: true,
          backgroundColor: colours.raised,
          borderColor: colours.line,
          textStyle: { color: colours.text },
          ...(tooltip as object),
        },
        legend: {
          top: 0,
          left: 0,
          icon: "roundRect",
          itemWidth: 10,
          itemHeight: 10,
          textStyle: { color: colours.muted },
          ...(legend as object),
        },
        ...rest,
        ...(xAxis || yAxis
          ? {
              grid: {
                left: 8,
                right: 8,
                top: 36,
                bottom: 4,
                outerBoundsMode: "same",
                outerBoundsContain: "axisLabel",
                ...(grid as object),
              },
              xAxis: axes(xAxis),
              yAxis: axes(yAxis),
            }
          : {}),
      },
      // Worked out when the browser next draws: not in one piece with what leads here.
      { notMerge: true, lazyUpdate: true },
    );
  }, [option, dark, still, wanted]);

  useEffect(() => {
    const chart = drawn.current;
    if (!chart || !onMark) return;
    const chosen = (mark: { dataIndex?: number; dataType?: string; name?: string }) => {
      if (mark.dataType === "node") onMark({ node: mark.name ?? "" });
      else if (mark.dataIndex !== undefined) onMark({ row: mark.dataIndex });
    };
    chart.on("click", chosen);
    return () => {
      chart.off("click", chosen);
    };
  }, [onMark, wanted]);

  useImperativeHandle(ref, () => ({
    picture: async (kind) => {
      flushSync(() => {
        setWanted(true);
      });
      const chart = drawn.current;
      // What is still to be drawn is drawn for it, now.
      chart?.resize();
      const colours = coloursOf(place.current);
      const svg = chart?.getDataURL({ type: "svg", backgroundColor: colours.raised }) ?? "";
      return kind === "svg" ? svg : pngOf(svg, chart?.getWidth() ?? 0, chart?.getHeight() ?? 0);
    },
  }));

  return <div ref={place} role="img" aria-label={title} style={{ height, minWidth }} />;
}

/** One axis or several, with what all have in common. */
function merged(common: Record<string, object>, given: unknown): object {
  if (Array.isArray(given)) return given.map((one: unknown) => merged(common, one));
  const own = given as Record<string, unknown>;
  const joined = Object.entries(common).map(([name, values]): [string, object] => [
    name,
    { ...values, ...(own[name] as object | undefined) },
  ]);
  return { ...own, ...Object.fromEntries(joined) };
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
