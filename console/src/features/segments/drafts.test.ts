import { describe, expect, it } from "vitest";

import { EVERYBODY, type Wanted } from "@/features/lifecycle/wanted";

import { keptOf } from "./drafts";

function kept(change: Partial<Wanted>, searched = false) {
  const { definition, left } = keptOf({ ...EVERYBODY, ...change }, searched);
  return { of: definition.of, left };
}

const AT_LEAST_ONE = { op: "at_least", values: [1] };

describe("conditions as a segment", () => {
  it("are everybody where there are none", () => {
    expect(kept({})).toEqual({ of: [], left: [] });
  });
  it("are figures", () => {
    expect(kept({ stages: ["loyal", "at_risk"], r_scores: [5], orders_min: 2, churn_min: 0.5 }).of).toEqual([
      { node: "figure", name: "stage", test: { op: "is", values: ["loyal", "at_risk"] } },
      { node: "figure", name: "r_score", test: { op: "is", values: [5] } },
      { node: "figure", name: "orders", test: { op: "at_least", values: [2] } },
      { node: "figure", name: "churn_probability", test: { op: "at_least", values: [0.5] } },
    ]);
  });
  it("are the value so far where nothing is expected", () => {
    const test = { op: "between", values: [100, 200] };
    expect(kept({ value_min_minor: 100, value_max_minor: 200 }).of).toEqual([
      {
        node: "any",
        of: [
          { node: "figure", name: "total_clv_minor", test },
          {
            node: "all",
            of: [
              { node: "figure", name: "total_clv_minor", test: { op: "unknown", values: [] } },
              { node: "figure", name: "historic_clv_minor", test },
            ],
          },
        ],
      },
    ]);
  });
  it("are days, the last of them included", () => {
    const day = (from: string | null, to: string | null) => {
      const [one] = kept({ last_order_from: from, last_order_to: to }).of;
      return one && "test" in one ? one.test : null;
    };
    expect(day("2026-01-01", "2026-01-31")).toEqual({ op: "between", values: ["2026-01-01", "2026-01-31"] });
    expect(day("2026-01-01", null)).toEqual({ op: "since", values: ["2026-01-01"] });
    expect(day(null, "2026-02-28")).toEqual({ op: "before", values: ["2026-03-01"] });
  });
  it("are another segment", () => {
    const segment_id = "018f0000-0000-7000-8000-000000000000";
    expect(kept({ segment: segment_id }).of).toEqual([{ node: "segment", segment_id }]);
  });
  it("are any of several tags", () => {
    expect(kept({ tags: ["a"] }).of).toEqual([{ node: "tag", tag: "a" }]);
    expect(kept({ tags: ["a", "b"] }).of).toEqual([
      {
        node: "any",
        of: [
          { node: "tag", tag: "a" },
          { node: "tag", tag: "b" },
        ],
      },
    ]);
  });
  it("are a first order that names no channel, and not nobody's", () => {
    const none = {
      node: "all",
      of: [
        { node: "figure", name: "first_channel", test: { op: "unknown", values: [] } },
        { node: "figure", name: "first_order_at", test: { op: "known", values: [] } },
      ],
    };
    expect(kept({ no_channel: true }).of).toEqual([none]);
    const named = { node: "figure", name: "first_channel", test: { op: "is", values: ["web"] } };
    expect(kept({ no_channel: true, channels: ["web"] }).of).toEqual([{ node: "any", of: [named, none] }]);
  });
  it("are one order with its days, goods and place", () => {
    const order = { bought: ["P1"], ordered_channels: ["web"], ordered_from: "2026-01-01", first_products: ["P2"] };
    expect(kept(order)).toEqual({
      left: [],
      of: [
        {
          node: "did",
          what: {
            of: "orders",
            goods: { products: ["P2"], categories: [], brands: [] },
            channels: [],
            stores: [],
            which: "first",
          },
          times: AT_LEAST_ONE,
          window: { when: "ever" },
        },
        {
          node: "did",
          what: {
            of: "orders",
            goods: { products: ["P1"], categories: [], brands: [] },
            channels: ["web"],
            stores: [],
            which: "any",
          },
          times: AT_LEAST_ONE,
          window: { when: "between", since: "2026-01-01", until: null },
        },
      ],
    });
  });
});

describe("what no segment says", () => {
  it("is told, and nothing in its place", () => {
    const stood = [{ stages: ["loyal"], at: "2026-01-01T00:00:00.000Z" }];
    const on = { min: 2, max: null, until: "2026-01-01" };
    expect(kept({ stood, ordered_on: on, came_back_within_days: 30 }, true)).toEqual({
      of: [],
      left: ["search", "stood", "ordered_on", "came_back_within_days"],
    });
    expect(kept({ bought: ["a", "b"], together: true })).toEqual({ of: [], left: ["together"] });
    expect(kept({ no_category: true, bought_categories: ["tea"] })).toEqual({ of: [], left: ["no_category"] });
  });
  it("leaves the rest of the order", () => {
    const { of, left } = kept({ bought: ["a", "b"], together: true, ordered_stores: ["S1"] });
    expect(left).toEqual(["together"]);
    expect(of).toMatchObject([{ node: "did", what: { goods: null, stores: ["S1"] } }]);
    expect(kept({ bought: ["a"], bought_categories: ["tea"] }).left).toEqual(["bought_categories"]);
  });
});
