/** Figures as a file for spreadsheets. Pure. */

export type Cell = string | number | null;

/** A table as CSV that Excel opens as UTF-8; what a spreadsheet would take for a formula is text. */
export function csvOf(rows: readonly (readonly Cell[])[]): string {
  return "\ufeff" + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
