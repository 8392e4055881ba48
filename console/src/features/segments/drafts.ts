/** The conditions of a list of customers as the draft of a segment, and those of them that no segment says. Pure. */
import { asksForAnOrder, type Wanted } from "@/features/lifecycle/wanted";
import type { components } from "@/platform/schema";

import type { Group, Node } from "./tree";

type FigureName = components["schemas"]["FigureName"];
type Test = components["schemas"]["Test"];

/** What a segment cannot say as the list means it. */
export type LeftOut =
  "search" | "stood" | "ordered_on" | "came_back_within_days" | "together" | "no_category" | "bought_categories";

export interface Kept {
  definition: Group;
  left: LeftOut[];
}

/** A draft that means whom the list means, but for what is left out of it. */
export function keptOf(wanted: Wanted, searched = false): Kept {
  const left: LeftOut[] = searched ? ["search"] : [];
  if (wanted.stood.length > 0) left.push("stood");
  if (wanted.ordered_on) left.push("ordered_on");
  // The list counts days of the calendar from the first one with an order; a sequence counts hours, from the order itself.
  if (wanted.came_back_within_days !== null) left.push("came_back_within_days");
  return {
    definition: {
      node: "all",
      of: [...ofSegment(wanted), ...ofFigures(wanted), ...ofTags(wanted), ...ofOrders(wanted, left)],
    },
    left,
  };
}

function ofSegment({ segment }: Wanted): Node[] {
  return segment === null ? [] : [{ node: "segment", segment_id: segment }];
}

function figure(name: FigureName, test: Test): Node {
  return { node: "figure", name, test };
}

function ofFigures(wanted: Wanted): Node[] {
  const words: [FigureName, readonly (string | number)[]][] = [
    ["stage", wanted.stages],
    ["rfm_group", wanted.rfm_groups],
    ["value_group", wanted.value_groups],
    ["r_score", wanted.r_scores],
    ["f_score", wanted.f_scores],
    ["m_score", wanted.m_scores],
    ["first_store", wanted.stores],
  ];
  const found = words
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => figure(name, { op: "is", values: [...values] }));
  const channels = ofFirstChannel(wanted);
  const value = within(wanted.value_min_minor, wanted.value_max_minor);
  const orders = within(wanted.orders_min, wanted.orders_max);
  const days = within(wanted.order_days_min, null);
  const churn = within(wanted.churn_min, null);
  return [
    ...found,
    ...(channels ? [channels] : []),
    ...(value ? [ofValue(value)] : []),
    ...(orders ? [figure("orders", orders)] : []),
    ...(days ? [figure("order_days", days)] : []),
    ...(churn ? [figure("churn_probability", churn)] : []),
    ...ofDays("first_order_at", wanted.first_order_from, wanted.first_order_to),
    ...ofDays("last_order_at", wanted.last_order_from, wanted.last_order_to),
  ];
}

/** Where nothing is predicted, the list takes the value so far. */
function ofValue(test: Test): Node {
  const instead: Node = {
    node: "all",
    of: [figure("total_clv_minor", { op: "unknown", values: [] }), figure("historic_clv_minor", test)],
  };
  return { node: "any", of: [figure("total_clv_minor", test), instead] };
}

function ofFirstChannel({ channels, no_channel }: Wanted): Node | null {
  const named = figure("first_channel", { op: "is", values: [...channels] });
  if (!no_channel) return channels.length > 0 ? named : null;
  const none: Node = {
    node: "all",
    of: [
      figure("first_channel", { op: "unknown", values: [] }),
      // Of who has no order, there is no first channel either.
      figure("first_order_at", { op: "known", values: [] }),
    ],
  };
  return channels.length > 0 ? { node: "any", of: [named, none] } : none;
}

function within(low: number | null, high: number | null): Test | null {
  if (low !== null && high !== null) return { op: "between", values: [low, high] };
  if (low !== null) return { op: "at_least", values: [low] };
  return high === null ? null : { op: "at_most", values: [high] };
}

function ofDays(name: FigureName, from: string | null, to: string | null): Node[] {
  if (from !== null && to !== null) return [figure(name, { op: "between", values: [from, to] })];
  if (from !== null) return [figure(name, { op: "since", values: [from] })];
  return to === null ? [] : [figure(name, { op: "before", values: [dayAfter(to)] })];
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** One of the tags is enough. */
function ofTags({ tags }: Wanted): Node[] {
  const each: Node[] = tags.map((tag) => ({ node: "tag", tag }));
  return each.length > 1 ? [{ node: "any", of: each }] : each;
}

function ofOrders(wanted: Wanted, left: LeftOut[]): Node[] {
  const { bought, bought_categories, first_products, no_category, ordered_from: since, ordered_to: until } = wanted;
  const found: Node[] = [];
  if (first_products.length > 0) found.push(did({ products: first_products, which: "first" }));
  if (!asksForAnOrder(wanted)) return found;
  if (wanted.together) left.push("together");
  if (no_category) left.push("no_category");
  // Each of the two may be on another line of the order, which a segment asks of one.
  const both = bought.length > 0 && bought_categories.length > 0;
  if (both) left.push("bought_categories");
  const without = {
    ...wanted,
    bought: wanted.together ? [] : bought,
    bought_categories: both || no_category ? [] : bought_categories,
    no_category: false,
  };
  if (!asksForAnOrder(without)) return found;
  const order = did({
    products: without.bought,
    categories: without.bought_categories,
    channels: wanted.ordered_channels,
    stores: wanted.ordered_stores,
  });
  const between = (since ?? until) ? { when: "between" as const, since, until } : null;
  return [...found, between ? { ...order, window: between } : order];
}

interface Ordered {
  products?: readonly string[];
  categories?: readonly string[];
  channels?: readonly string[];
  stores?: readonly string[];
  which?: "any" | "first";
}

function did({ products = [], categories = [], channels = [], stores = [], which = "any" }: Ordered) {
  const goods =
    products.length + categories.length > 0
      ? { products: [...products], categories: [...categories], brands: [] }
      : null;
  return {
    node: "did" as const,
    what: { of: "orders" as const, goods, channels: [...channels], stores: [...stores], which },
    times: { op: "at_least" as const, values: [1] },
    window: { when: "ever" as const },
  };
}
