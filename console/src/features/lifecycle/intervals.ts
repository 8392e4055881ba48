/** Figures with their intervals, one below the other, as series of a chart. Pure. */
import type { ChartOption } from "@/shell/Chart";

import { SERIES } from "./heat";

interface Interval {
  value: number;
  low: number;
  high: number;
}

/** A bar for each figure, and on it a line from the low end to the high one; `tip` says what a row means. */
export function intervals(rows: readonly Interval[], tip: (row: number) => string): NonNullable<ChartOption["series"]> {
  const tooltip = { formatter: (mark: unknown) => tip((mark as { dataIndex: number }).dataIndex) };
  return [
    {
      type: "bar",
      itemStyle: { color: SERIES.one, opacity: 0.75, borderRadius: [0, 3, 3, 0] },
      data: rows.map((row) => row.value),
      tooltip,
    },
    {
      type: "custom",
      z: 3,
      data: rows.map((row, at) => [row.low, at, row.high]),
      encode: { x: [0, 2], y: 1 },
      tooltip,
      renderItem: (_, place) => {
        const [x1 = 0, y = 0] = place.coord([place.value(0), place.value(1)]);
        const [x2 = 0] = place.coord([place.value(2), place.value(1)]);
        const line = (shape: { x1: number; y1: number; x2: number; y2: number }) => ({
          type: "line" as const,
          shape,
          style: { stroke: SERIES.two, lineWidth: 2 },
        });
        return {
          type: "group",
          children: [
            line({ x1, y1: y, x2, y2: y }),
            line({ x1, y1: y - 4, x2: x1, y2: y + 4 }),
            line({ x1: x2, y1: y - 4, x2, y2: y + 4 }),
          ],
        };
      },
    },
  ];
}
