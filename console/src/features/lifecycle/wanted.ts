/** Which customers are wanted, as the address says it, so that a view can be shared. Pure.
 *
 * What is searched for is not in it: it may be a phone number, and addresses are logged on the way.
 */
import type { components } from "@/platform/schema";

export type ListBody = Partial<components["schemas"]["ListBody"]>;
export type Sort = components["schemas"]["Sort"];

const SORTS: readonly Sort[] = ["value", "churn", "orders", "last_order_at", "created_at"];
const LISTS = ["stages", "rfm_groups", "tags"] as const;
const NUMBERS = ["value_min_minor", "value_max_minor", "churn_min", "orders_min", "orders_max"] as const;
const DAYS = ["last_order_from", "last_order_to"] as const;

export interface Wanted {
  stages: string[];
  rfm_groups: string[];
  tags: string[];
  value_min_minor: number | null;
  value_max_minor: number | null;
  churn_min: number | null;
  orders_min: number | null;
  orders_max: number | null;
  /** Days, both included. */
  last_order_from: string | null;
  last_order_to: string | null;
  sort: Sort;
  descending: boolean;
}

export const EVERYBODY: Wanted = {
  stages: [],
  rfm_groups: [],
  tags: [],
  value_min_minor: null,
  value_max_minor: null,
  churn_min: null,
  orders_min: null,
  orders_max: null,
  last_order_from: null,
  last_order_to: null,
  sort: "value",
  descending: true,
};

/** What an address asks for; what it says wrongly it does not say. */
export function wantedOf(address: URLSearchParams): Wanted {
  const wanted = { ...EVERYBODY };
  for (const name of LISTS)
    wanted[name] = address
      .getAll(name)
      .filter((word) => word !== "")
      .slice(0, 50);
  for (const name of NUMBERS) wanted[name] = numberOf(address.get(name));
  for (const name of DAYS) wanted[name] = dayOf(address.get(name));
  wanted.sort = SORTS.find((sort) => sort === address.get("sort")) ?? EVERYBODY.sort;
  wanted.descending = address.get("order") !== "ascending";
  return wanted;
}

/** The address that asks for this; what is as usual is left out. */
export function addressOf(wanted: Wanted): URLSearchParams {
  const address = new URLSearchParams();
  for (const name of LISTS) for (const word of wanted[name]) address.append(name, word);
  for (const name of [...NUMBERS, ...DAYS]) {
    const value = wanted[name];
    if (value !== null) address.set(name, String(value));
  }
  if (wanted.sort !== EVERYBODY.sort) address.set("sort", wanted.sort);
  if (!wanted.descending) address.set("order", "ascending");
  return address;
}

/** What the server is asked; days begin and end on the brand's clock, `midnight` says when. */
export function bodyOf(wanted: Wanted, search: string, midnight: (day: string, later: number) => string): ListBody {
  const { last_order_from: from, last_order_to: to, ...rest } = wanted;
  return {
    ...rest,
    search: search.trim() === "" ? null : search.trim(),
    last_order_from: from && midnight(from, 0),
    // The end is included there, so it is the last moment before the next day.
    last_order_to: to && new Date(Date.parse(midnight(to, 1)) - 1).toISOString(),
  };
}

/** How many conditions there are, beyond search and order. */
export function conditions(wanted: Wanted): number {
  const lists = LISTS.filter((name) => wanted[name].length > 0).length;
  const values = [...NUMBERS, ...DAYS].filter((name) => wanted[name] !== null).length;
  return lists + values;
}

function numberOf(text: string | null): number | null {
  const value = text === null || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function dayOf(text: string | null): string | null {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

/** Conditions and order as they are kept, as an address says them; `day` says on which day a moment is. */
export function wantedOfQuery(
  query: ListBody,
  order: { sort: Sort; descending: boolean },
  day: (moment: string) => string,
): Wanted {
  const wanted = { ...EVERYBODY, sort: order.sort, descending: order.descending };
  for (const name of LISTS) wanted[name] = [...(query[name] ?? [])];
  for (const name of NUMBERS) wanted[name] = query[name] ?? null;
  for (const name of DAYS) {
    const moment = query[name];
    wanted[name] = moment ? day(moment) : null;
  }
  return wanted;
}
