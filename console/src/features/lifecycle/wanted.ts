/** Which customers are wanted, as the address says it, so that a view can be shared. Pure.
 *
 * What is searched for is not in it: it may be a phone number, and addresses are logged on the way.
 */
import type { components } from "@/platform/schema";

export type ListBody = Partial<components["schemas"]["ListBody"]>;
export type Sort = components["schemas"]["Sort"];

const SORTS: readonly Sort[] = ["value", "churn", "orders", "last_order_at", "created_at"];
const LISTS = [
  "stages",
  "rfm_groups",
  "value_groups",
  "tags",
  "channels",
  "stores",
  "bought",
  "bought_categories",
  "ordered_channels",
  "ordered_stores",
  "first_products",
] as const;
const SCORES = ["r_scores", "f_scores", "m_scores"] as const;
const NUMBERS = [
  "value_min_minor",
  "value_max_minor",
  "churn_min",
  "orders_min",
  "orders_max",
  "order_days_min",
  "came_back_within_days",
] as const;
const DAYS = [
  "first_order_from",
  "first_order_to",
  "last_order_from",
  "last_order_to",
  "ordered_from",
  "ordered_to",
] as const;
/** Moments at which it can be asked where customers stood. */
const STOOD_MAX = 2;

/** Where customers stood at a moment: in which stages (none is any), with which scores, having brought how much. */
export interface Stood {
  stages: string[];
  at: string;
  r_scores?: number[];
  f_scores?: number[];
  value_min_minor?: number;
  value_max_minor?: number;
}

export interface Wanted
  extends
    Record<(typeof LISTS)[number], string[]>,
    Record<(typeof SCORES)[number], number[]>,
    Record<(typeof NUMBERS)[number], number | null>,
    Record<(typeof DAYS)[number], string | null> {
  stood: Stood[];
  /** They are in this segment. */
  segment: string | null;
  /** All of the products that were bought are in one order. */
  together: boolean;
  /** The first order names no channel; a product that was bought is of no category. */
  no_channel: boolean;
  no_category: boolean;
  /** On how many days they had ordered by the end of a day; without a `max`, or on more. */
  ordered_on: { min: number; max: number | null; until: string } | null;
  sort: Sort;
  descending: boolean;
}

export const EVERYBODY: Wanted = {
  stages: [],
  rfm_groups: [],
  value_groups: [],
  tags: [],
  channels: [],
  stores: [],
  bought: [],
  bought_categories: [],
  ordered_channels: [],
  ordered_stores: [],
  first_products: [],
  r_scores: [],
  f_scores: [],
  m_scores: [],
  value_min_minor: null,
  value_max_minor: null,
  churn_min: null,
  orders_min: null,
  orders_max: null,
  order_days_min: null,
  came_back_within_days: null,
  first_order_from: null,
  first_order_to: null,
  last_order_from: null,
  last_order_to: null,
  ordered_from: null,
  ordered_to: null,
  stood: [],
  segment: null,
  together: false,
  no_channel: false,
  no_category: false,
  ordered_on: null,
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
  for (const name of SCORES) wanted[name] = address.getAll(name).map(Number).filter(isScore).slice(0, 5);
  for (const name of NUMBERS) wanted[name] = numberOf(address.get(name));
  for (const name of DAYS) wanted[name] = dayOf(address.get(name));
  wanted.stood = address.getAll("stood").flatMap(stoodOf).slice(0, STOOD_MAX);
  wanted.segment = segmentOf(address.get("segment"));
  wanted.together = address.get("together") === "yes" && wanted.bought.length > 1;
  wanted.no_channel = address.get("no_channel") === "yes";
  wanted.no_category = address.get("no_category") === "yes";
  wanted.ordered_on = orderedOnOf(address.get("ordered_on"));
  wanted.sort = SORTS.find((sort) => sort === address.get("sort")) ?? EVERYBODY.sort;
  wanted.descending = address.get("order") !== "ascending";
  return wanted;
}

/** The address that asks for this; what is as usual is left out. */
export function addressOf(wanted: Wanted): URLSearchParams {
  const address = new URLSearchParams();
  for (const name of LISTS) for (const word of wanted[name]) address.append(name, word);
  for (const name of SCORES) for (const score of wanted[name]) address.append(name, String(score));
  for (const name of [...NUMBERS, ...DAYS]) {
    const value = wanted[name];
    if (value !== null) address.set(name, String(value));
  }
  for (const stood of wanted.stood) address.append("stood", textOfStood(stood));
  if (wanted.segment !== null) address.set("segment", wanted.segment);
  for (const name of ["together", "no_channel", "no_category"] as const) if (wanted[name]) address.set(name, "yes");
  if (wanted.ordered_on) {
    const { min, max, until } = wanted.ordered_on;
    address.set("ordered_on", `${min}~${max ?? ""}@${until}`);
  }
  if (wanted.sort !== EVERYBODY.sort) address.set("sort", wanted.sort);
  if (!wanted.descending) address.set("order", "ascending");
  return address;
}

type Midnight = (day: string, later: number) => string;

/** What the server is asked; days begin and end on the brand's clock, `midnight` says when. */
export function bodyOf(wanted: Wanted, search: string, midnight: Midnight): ListBody {
  const begin = (day: string | null) => day && midnight(day, 0);
  // The end is included there, so it is the last moment before the next day.
  const end = (day: string | null) => day && new Date(Date.parse(midnight(day, 1)) - 1).toISOString();
  const {
    bought,
    bought_categories,
    no_category,
    together,
    ordered_on,
    ordered_channels,
    ordered_stores,
    ordered_from,
    ordered_to,
    ...rest
  } = wanted;
  const asked = asksForAnOrder(wanted);
  return {
    ...rest,
    search: search.trim() === "" ? null : search.trim(),
    ordered_on: ordered_on && {
      days_min: ordered_on.min,
      days_max: ordered_on.max,
      until: end(ordered_on.until) ?? ordered_on.until,
    },
    stood: wanted.stood.map((one) => ({ r_scores: [], f_scores: [], ...one })),
    first_order_from: begin(wanted.first_order_from),
    first_order_to: end(wanted.first_order_to),
    last_order_from: begin(wanted.last_order_from),
    last_order_to: end(wanted.last_order_to),
    bought: asked
      ? {
          products: bought,
          together,
          categories: bought_categories,
          no_category,
          channels: ordered_channels,
          stores: ordered_stores,
          since: begin(ordered_from),
          until: end(ordered_to),
        }
      : null,
  };
}

/** Whether customers are wanted by an order that they have. */
export function asksForAnOrder(wanted: Wanted): boolean {
  const words = [wanted.bought, wanted.bought_categories, wanted.ordered_channels, wanted.ordered_stores];
  return (
    words.some((given) => given.length > 0) ||
    wanted.no_category ||
    wanted.ordered_from !== null ||
    wanted.ordered_to !== null
  );
}

/** How many conditions there are, beyond search and order. */
export function conditions(wanted: Wanted): number {
  const lists = [...LISTS, ...SCORES, "stood" as const].filter((name) => wanted[name].length > 0).length;
  const values = [...NUMBERS, ...DAYS, "ordered_on" as const, "segment" as const].filter(
    (name) => wanted[name] !== null,
  ).length;
  const flags = (["no_channel", "no_category"] as const).filter((name) => wanted[name]).length;
  return lists + values + flags;
}

/** The address of the customers who are wanted. */
export function customersAt(change: Partial<Wanted>): string {
  return `/customers?${addressOf({ ...EVERYBODY, ...change }).toString()}`;
}

function numberOf(text: string | null): number | null {
  const value = text === null || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function segmentOf(text: string | null): string | null {
  return text !== null && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text) ? text : null;
}

/** `2~@2026-01-31`: on two days or more by then; `2~2@2026-01-31`: on two. */
function orderedOnOf(text: string | null): Wanted["ordered_on"] {
  const found = /^([1-9]\d{0,5})~([1-9]\d{0,5})?@(.*)$/.exec(text ?? "");
  const until = dayOf(found?.[3] ?? null);
  return until === null ? null : { min: Number(found?.[1]), max: found?.[2] ? Number(found[2]) : null, until };
}

function isScore(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 5;
}

export function dayOf(text: string | null): string | null {
  return text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

/** `loyal,lost@moment`; with scores and money, of any stage, `@moment@r5,f1,100~199`. */
function textOfStood({ stages, at, r_scores = [], f_scores = [], value_min_minor, value_max_minor }: Stood): string {
  const more = [...r_scores.map((score) => `r${score}`), ...f_scores.map((score) => `f${score}`)];
  if (value_min_minor !== undefined || value_max_minor !== undefined)
    more.push(`${value_min_minor ?? ""}~${value_max_minor ?? ""}`);
  return [stages.join(","), at, ...(more.length > 0 ? [more.join(",")] : [])].join("@");
}

function stoodOf(text: string): Stood[] {
  const [words = "", at = "", more = ""] = text.split("@");
  const stages = words.split(",").filter((word) => word !== "");
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(at) ? Date.parse(at) : NaN;
  const said = more.split(",").filter((word) => word !== "");
  if ((stages.length === 0 && said.length === 0) || Number.isNaN(moment)) return [];
  const scores = (letter: string) =>
    said.filter((word) => word.startsWith(letter)).map((word) => Number(word.slice(1)));
  const [low, high] =
    said
      .find((word) => /^-?\d*~-?\d*$/.test(word))
      ?.split("~")
      .map(numberOf) ?? [];
  return [
    stoodWith(
      { stages, at: new Date(moment).toISOString() },
      scores("r").filter(isScore),
      scores("f").filter(isScore),
      low,
      high,
    ),
  ];
}

/** What is not said is left out. */
function stoodWith(
  stood: Stood,
  r_scores: readonly number[] = [],
  f_scores: readonly number[] = [],
  low?: number | null,
  high?: number | null,
): Stood {
  return {
    ...stood,
    ...(r_scores.length > 0 ? { r_scores: [...r_scores] } : {}),
    ...(f_scores.length > 0 ? { f_scores: [...f_scores] } : {}),
    ...(low == null ? {} : { value_min_minor: low }),
    ...(high == null ? {} : { value_max_minor: high }),
  };
}

/** Conditions and order as they are kept, as an address says them; `day` says on which day a moment is. */
export function wantedOfQuery(
  query: ListBody,
  order: { sort: Sort; descending: boolean },
  day: (moment: string) => string,
): Wanted {
  const bought = query.bought;
  const said = {
    ...query,
    bought: bought?.products,
    bought_categories: bought?.categories,
    ordered_channels: bought?.channels,
    ordered_stores: bought?.stores,
    ordered_from: bought?.since,
    ordered_to: bought?.until,
  };
  const wanted = { ...EVERYBODY, sort: order.sort, descending: order.descending };
  for (const name of LISTS) wanted[name] = [...(said[name] ?? [])];
  for (const name of SCORES) wanted[name] = [...(said[name] ?? [])];
  for (const name of NUMBERS) wanted[name] = said[name] ?? null;
  for (const name of DAYS) {
    const moment = said[name];
    wanted[name] = moment ? day(moment) : null;
  }
  wanted.stood = (query.stood ?? []).map((one) =>
    stoodWith(
      { stages: [...one.stages], at: new Date(one.at).toISOString() },
      one.r_scores,
      one.f_scores,
      one.value_min_minor,
      one.value_max_minor,
    ),
  );
  wanted.segment = query.segment ?? null;
  wanted.together = bought?.together ?? false;
  wanted.no_channel = query.no_channel ?? false;
  wanted.no_category = bought?.no_category ?? false;
  const on = query.ordered_on;
  wanted.ordered_on = on ? { min: on.days_min, max: on.days_max ?? null, until: day(on.until) } : null;
  return wanted;
}
