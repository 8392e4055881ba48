/** What a report is asked for with, as a form has it and as the server takes it. */
import type { Language } from "@/base/language";

import type { ReportTerms } from "./queries";

export type Basis = "sales" | "share" | "costs";

export interface Wanted {
  languages: Language[];
  horizon: number;
  basis: Basis;
  /** Per cent. */
  margin: number | null;
  brand: string;
}

export function wantedOf(terms: ReportTerms | null, language: Language): Wanted {
  return {
    languages: terms?.languages ?? [language],
    horizon: terms?.horizon_days ?? 365,
    basis: terms?.by_costs ? "costs" : terms?.margin ? "share" : "sales",
    margin: terms?.margin ? Math.round(terms.margin * 1000) / 10 : null,
    brand: terms?.brand ?? "",
  };
}

export function termsOf(wanted: Wanted): ReportTerms {
  return {
    languages: wanted.languages,
    horizon_days: wanted.horizon,
    margin: wanted.basis === "share" && wanted.margin ? wanted.margin / 100 : null,
    by_costs: wanted.basis === "costs",
    brand: wanted.brand.trim(),
  };
}
