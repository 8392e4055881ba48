/** Colours of heat maps: one hue from faint to strong, which everybody can tell apart, in both appearances. Pure. */

const LIGHT = ["#eef4f9", "#c7dded", "#8fbbdb", "#4f93c2", "#1f6ba1", "#0b4775"];
const DARK = ["#17232e", "#1d3c56", "#235b85", "#3b80b3", "#6fadd9", "#b5dcf7"];

export function heatColours(dark: boolean): string[] {
  return dark ? DARK : LIGHT;
}

/** What can be read on a cell of this share of the strongest. */
export function onHeat(share: number, dark: boolean): string {
  return share > 0.55 === dark ? "#0d1a26" : "#ffffff";
}

/** Colours of series that differ in lightness as well as in hue. */
export const SERIES = { one: "#2f7fb5", two: "#d9730d", three: "#12a08a", faint: "#8c9aa5" } as const;
