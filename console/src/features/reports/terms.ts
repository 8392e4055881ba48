/** What a report is asked for with, as a form has it and as the server takes it. */
import type { Language } from "@/base/language";

import type { ReportTerms } from "./queries";

interface Brand {
  name?: string | null;
  margin?: number | null;
}

export type Basis = "sales" | "share" | "costs";

export interface Wanted {
  languages: Language[];
  horizon: number;
  basis: Basis;
  /** Per cent. */
  margin: number | null;
  brand: string;
}

/** What is offered first: what was asked for before, else the brand's own margin and name. */
export function wantedOf(terms: ReportTerms | null, language: Language, brand?: Brand): Wanted {
  const margin = terms ? terms.margin : brand?.margin;
  return {
    languages: terms?.languages ?? [language],
    horizon: terms?.horizon_days ?? 365,
    basis: terms?.by_costs ? "costs" : margin ? "share" : "sales",
    margin: margin ? Math.round(margin * 1000) / 10 : null,
    brand: terms?.brand ?? brand?.name ?? "",
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
