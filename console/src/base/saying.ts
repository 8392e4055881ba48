/** How each language writes numbers, money and moments. */
import type { Language } from "./language";

const SHORT = { notation: "compact", maximumSignificantDigits: 3 } as const;

const formats = new Map<string, Intl.NumberFormat>();

function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.NumberFormat(language, options);
  formats.set(key, known);
  return known;
}

/** The digits of the minor unit: 2 for cents, 0 for yen. */
export function minorDigits(currency: string): number {
  return numberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** Minor units as money: 123456, "CNY" → ¥1,234.56; whole units only where `whole` is asked for. */
export function sayMoney(minor: number, currency: string | null, language: Language, whole = false): string {
  if (!currency) return sayNumber(minor, language);
  const digits = minorDigits(currency);
  const shown = whole ? 0 : digits;
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
  return numberFormat(language, {
    ...options,
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  }).format(minor / 10 ** digits);
}

/** Money in few letters: 12345678, "CNY" → ¥123K, or ¥12.3万. */
export function sayShortMoney(minor: number, currency: string | null, language: Language): string {
  if (!currency) return sayShort(minor, language);
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol", ...SHORT } as const;
  return numberFormat(language, options).format(minor / 10 ** minorDigits(currency));
}

/** A number in few letters: 12345 → 12.3K, or 1.23万. */
export function sayShort(value: number, language: Language): string {
  return numberFormat(language, SHORT).format(value);
}

export function sayNumber(value: number, language: Language, digits = 0): string {
  return numberFormat(language, { minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
}

/** 0.123 → 12.3%. */
export function sayShare(share: number, language: Language, digits = 1): string {
  return numberFormat(language, { style: "percent", maximumFractionDigits: digits }).format(share);
}

const dates = new Map<string, Intl.DateTimeFormat>();

function dateFormat(language: Language, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + zone + JSON.stringify(options);
  const known = dates.get(key) ?? new Intl.DateTimeFormat(language, { timeZone: zone, ...options });
  dates.set(key, known);
  return known;
}

const DAY = { year: "numeric", month: "short", day: "numeric" } as const;

/** The day of a moment on the brand's clock. A bare date, which has no zone, stays the day that it is. */
export function sayDay(moment: string, language: Language, zone: string): string {
  const bare = /^\d{4}-\d\d-\d\d$/.test(moment);
  return dateFormat(language, bare ? "UTC" : zone, DAY).format(new Date(moment));
}

/** A moment to the minute on the brand's clock. */
export function sayMoment(moment: string, language: Language, zone: string): string {
  return dateFormat(language, zone, { ...DAY, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    new Date(moment),
  );
}

/** The time of the day of a moment on the brand's clock. */
export function sayTime(moment: string, language: Language, zone: string): string {
  return dateFormat(language, zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(moment));
}

const STEPS = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** How long ago a moment is, in the largest unit that fits. */
export function sayAgo(moment: string, now: Date, language: Language): string {
  const seconds = (new Date(moment).getTime() - now.getTime()) / 1000;
  const said = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return said.format(Math.trunc(seconds / length), unit);
  }
  return said.format(0, "minute");
}
