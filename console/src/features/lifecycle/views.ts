/** What the analytical pages show, as the address says it: which part, of which days, channel, store and currency. Pure. */
import { dayOf } from "./wanted";

export const LIFECYCLE_PARTS = ["stages", "value", "cohorts", "retention", "channels", "model"] as const;
export const PRODUCT_PARTS = ["contribution", "baskets", "first", "catalog"] as const;
export type LifecyclePart = (typeof LIFECYCLE_PARTS)[number];
export type ProductPart = (typeof PRODUCT_PARTS)[number];

export interface Narrowed {
  since: string | null;
  until: string | null;
  channel: string | null;
  store: string | null;
  currency: string | null;
}

export interface View<Part extends string> extends Narrowed {
  part: Part;
  /** Of cohorts. */
  period: "month" | "quarter";
  measure: "share" | "customers" | "money" | "value";
  /** Of what products bring. */
  by: "product" | "category";
}

export const WHOLE: Narrowed = { since: null, until: null, channel: null, store: null, currency: null };
const MEASURES = ["share", "customers", "money", "value"] as const;

/** What an address asks for; what it says wrongly it does not say. */
export function viewOf<Part extends string>(address: URLSearchParams, parts: readonly [Part, ...Part[]]): View<Part> {
  const [since, until] = [dayOf(address.get("since")), dayOf(address.get("until"))];
  const turned = since !== null && until !== null && since > until;
  return {
    part: parts.find((part) => part === address.get("part")) ?? parts[0],
    since: turned ? until : since,
    until: turned ? since : until,
    channel: word(address.get("channel")),
    store: word(address.get("store")),
    currency: /^[A-Z]{3}$/.test(address.get("currency") ?? "") ? address.get("currency") : null,
    period: address.get("period") === "quarter" ? "quarter" : "month",
    measure: MEASURES.find((measure) => measure === address.get("measure")) ?? "share",
    by: address.get("by") === "category" ? "category" : "product",
  };
}

/** The address that asks for this; what is as usual is left out. */
export function addressOfView<Part extends string>(
  view: View<Part>,
  parts: readonly [Part, ...Part[]],
): URLSearchParams {
  const address = new URLSearchParams();
  if (view.part !== parts[0]) address.set("part", view.part);
  for (const name of ["since", "until", "channel", "store", "currency"] as const) {
    const value = view[name];
    if (value !== null) address.set(name, value);
  }
  if (view.period !== "month") address.set("period", view.period);
  if (view.measure !== "share") address.set("measure", view.measure);
  if (view.by !== "product") address.set("by", view.by);
  return address;
}

/** Only what the server narrows by. */
export function narrowedOf({ since, until, channel, store, currency }: Narrowed): Narrowed {
  return { since, until, channel, store, currency };
}

function word(text: string | null): string | null {
  return text === null || text === "" || text.length > 200 ? null : text;
}
