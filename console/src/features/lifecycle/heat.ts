/** Colours of heat maps: one hue from faint to strong, which everybody can tell apart, in both appearances. Pure. */

const LIGHT = ["#eef4f9", "#c7dded", "#8fbbdb", "#4f93c2", "#1f6ba1", "#0b4775"];
const DARK = ["#17232e", "#1d3c56", "#235b85", "#3b80b3", "#6fadd9", "#b5dcf7"];
const INKS = ["#0d1a26", "#ffffff"] as const;

export function heatColours(dark: boolean): string[] {
  return dark ? DARK : LIGHT;
}

/** The ink that is read best on a cell of this share of the strongest. */
export function onHeat(share: number, dark: boolean): string {
  const ground = luminance(colourAt(Math.min(Math.max(share, 0), 1), heatColours(dark)));
  const [ink, white] = INKS;
  return contrast(ground, luminance(channels(ink))) >= contrast(ground, luminance(channels(white))) ? ink : white;
}

function colourAt(share: number, colours: readonly string[]): number[] {
  const place = share * (colours.length - 1);
  const low = channels(colours[Math.floor(place)] ?? "");
  const high = channels(colours[Math.ceil(place)] ?? "");
  return low.map((value, at) => value + ((high[at] ?? value) - value) * (place % 1));
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** As WCAG 2.2 has it. */
function luminance(rgb: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** Colours of series that differ in lightness as well as in hue. */
export const SERIES = { one: "#2f7fb5", two: "#d9730d", three: "#12a08a", faint: "#8c9aa5" } as const;
