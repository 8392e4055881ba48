/** Figures as a small line. Pure. */

/** Room for half of the line's width. */
const MARGIN = 2;

/** The points of a line that fills a box, as SVG has them; what does not change is in the middle. */
export function lineOf(values: readonly number[], width: number, height: number): string {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const across = (at: number) => (values.length > 1 ? (at / (values.length - 1)) * width : 0);
  const up = (value: number) =>
    high === low ? height / 2 : height - MARGIN - ((value - low) / (high - low)) * (height - 2 * MARGIN);
  return values.map((value, at) => `${digits(across(at))},${digits(up(value))}`).join(" ");
}

function digits(value: number): string {
  return String(Math.round(value * 10) / 10);
}
