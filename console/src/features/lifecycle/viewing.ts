/** What a view says, and whether what is shown is still that. Pure. */
import type { components } from "@/platform/schema";

import { addressOf, bodyOf, EVERYBODY, wantedOf, wantedOfQuery, type ListBody, type Wanted } from "./wanted";

export type View = components["schemas"]["ViewAnswer"];
export type Column = components["schemas"]["Column"];
type ViewBody = components["schemas"]["ViewBody"];

export const COLUMNS: readonly Column[] = [
  "contact",
  "phone",
  "email",
  "member_number",
  "stage",
  "value",
  "churn",
  "orders",
  "spent",
  "first_order",
  "last_order",
  "next_order",
  "rfm",
  "tags",
  "created",
];
const USUAL: readonly Column[] = ["contact", "stage", "value", "churn", "orders", "last_order", "tags"];
const REMEMBERED = "shuke.columns";

/** All that the address says: who is wanted, in which columns, and which view that began as. */
export interface Seen {
  wanted: Wanted;
  columns: readonly Column[];
  view: View | null;
}

/** A moment from a day, and a day from a moment, on the brand's clock. */
export interface Clock {
  midnight: (day: string, later: number) => string;
  day: (moment: string) => string;
}

export function seenAt(address: URLSearchParams, views: readonly View[], remembered: readonly Column[]): Seen {
  const view = views.find((one) => one.view_id === address.get("view")) ?? null;
  const named = known(address.get("columns")?.split(",") ?? []);
  return {
    wanted: wantedOf(address),
    columns: named.length > 0 ? named : view ? known(view.columns) : remembered,
    view,
  };
}

/** The address of what is seen; columns only where the view does not say them already. */
export function addressOfSeen({ wanted, columns, view }: Seen): URLSearchParams {
  const address = addressOf(wanted);
  if (view) address.set("view", view.view_id);
  if (view && columns.join() !== view.columns.join()) address.set("columns", columns.join());
  return address;
}

export function seenOfView(view: View, clock: Clock): Seen {
  return {
    wanted: wantedOfQuery(view.query, view, clock.day),
    columns: known(view.columns),
    view,
  };
}

/** Whether anything differs from what the view says. */
export function isChanged(seen: Seen, clock: Clock): boolean {
  if (!seen.view) return false;
  const { wanted, columns } = seenOfView(seen.view, clock);
  return addressOf(wanted).toString() !== addressOf(seen.wanted).toString() || columns.join() !== seen.columns.join();
}

/** What is kept of what is seen; a search is no part of it. */
export function bodyOfView(
  seen: Pick<Seen, "wanted" | "columns">,
  { name, shared }: { name: string; shared: boolean },
  clock: Clock,
): ViewBody {
  const { sort, descending, ...conditions } = bodyOf(seen.wanted, "", clock.midnight);
  const said = Object.entries(conditions).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value != null && value !== false,
  );
  return {
    name,
    shared,
    columns: [...seen.columns],
    query: Object.fromEntries(said) as ViewBody["query"],
    sort: sort ?? EVERYBODY.sort,
    descending: descending ?? true,
  };
}

export function known(columns: readonly string[]): Column[] {
  return columns.flatMap((name) => COLUMNS.find((column) => column === name) ?? []);
}

/** Of whom something is to be: a query without its order, which is said beside it. */
export function withoutOrder(whom: { query: ListBody } | { customer_ids: string[] }): typeof whom {
  if (!("query" in whom)) return whom;
  const query = Object.entries(whom.query).filter(([name]) => name !== "sort" && name !== "descending");
  return { query: Object.fromEntries(query) };
}

/** The list with one of its entries in another place; out of bounds nothing moves. */
export function moved<Entry>(entries: readonly Entry[], from: number, to: number): Entry[] {
  const next = [...entries];
  if (to < 0 || to >= next.length) return next;
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

export function columnsRemembered(): Column[] {
  const found = known(localStorage.getItem(REMEMBERED)?.split(",") ?? []);
  return found.length > 0 ? found : [...USUAL];
}

export function rememberColumns(columns: readonly Column[]): void {
  localStorage.setItem(REMEMBERED, columns.join(","));
}
