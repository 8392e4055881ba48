import { describe, expect, it } from "vitest";

import {
  answerTo,
  BEGINNINGS,
  begun,
  givenFor,
  isTestWhole,
  isWhole,
  kindOfMeasure,
  measuresOf,
  OPS,
  surveysOf,
  withOp,
  type Beginning,
  type Words,
} from "./statements";

const WORDS: Words = {
  attributes: [{ name: "city", kind: "text" }],
  identities: [{ kind: "phone" }],
  consents: [{ purpose: "marketing", channel: "sms", state: "granted" }],
  facts: [{ kind: "track", name: "Product Viewed", properties: [] }],
};
const NOTHING: Words = { attributes: [], identities: [], consents: [], facts: [] };

describe("statements to begin with", () => {
  const all = Object.values(BEGINNINGS).flat();
  it("are whole, or say only what somebody has to choose", () => {
    const open = all.filter((one) => !isWhole(begun(one, WORDS, "a")));
    expect(open).toEqual([
      "stage",
      "rfm",
      "value",
      "spent",
      "spends_on",
      "answered",
      "tag",
      "attribute",
      "near",
      "entered",
      "left",
      "segment",
      "list",
    ] satisfies Beginning[]);
  });
  it("can be begun where the brand knows nothing yet", () => {
    for (const one of all) expect(begun(one, NOTHING, "a").node).toBeTruthy();
    expect(begun("did", NOTHING, "a")).toMatchObject({ what: { of: "facts", where: [] } });
    expect(isWhole(begun("consent", NOTHING, "a"))).toBe(false);
  });
  it("name the most frequent fact", () => {
    expect(begun("not_did", WORDS, "a")).toMatchObject({
      what: { kind: "track", name: "Product Viewed" },
      times: { op: "is", values: [0] },
    });
    const asked = (name: string): Words => ({
      ...WORDS,
      facts: [{ kind: "track", name: "Survey Answered", properties: [{ name: "survey" }, { name }] }],
    });
    expect(begun("answered", asked("score"), "a")).toMatchObject({ of: "score", by: "last" });
    expect(begun("answered", asked("answer"), "a")).toMatchObject({ of: "answer", test: { op: "is" } });
    expect(begun("share", WORDS, "x")).toMatchObject({ seed: "x" });
  });
});

describe("tests", () => {
  it("want as much as their comparison", () => {
    expect(givenFor("known")).toBe("nothing");
    expect(givenFor("anniversary")).toBe("days");
    expect(isTestWhole({ op: "between", values: [1] })).toBe(false);
    expect(isTestWhole({ op: "between", values: [1, 2] })).toBe(true);
    expect(isTestWhole({ op: "is", values: [] })).toBe(false);
    expect(isTestWhole({ op: "is", values: ["a", "b"] })).toBe(true);
    expect(isTestWhole({ op: "before", values: [], than: "birth_date" })).toBe(true);
    expect(isTestWhole({ op: "unknown", values: [] })).toBe(true);
  });
  it("keep what was given where it still fits", () => {
    expect(withOp({ op: "is", values: ["a", "b"] }, "is_not").values).toEqual(["a", "b"]);
    expect(withOp({ op: "between", values: [1, 2] }, "at_least").values).toEqual([1]);
    expect(withOp({ op: "at_least", values: [1] }, "between").values).toEqual([1]);
    expect(withOp({ op: "last_days", values: [30] }, "next_days").values).toEqual([30]);
    expect(withOp({ op: "last_days", values: [30] }, "before").values).toEqual([]);
    expect(withOp({ op: "before", values: ["2026-01-01"] }, "days_ago").values).toEqual([]);
    expect(withOp({ op: "is", values: ["a"] }, "known").values).toEqual([]);
    expect(withOp({ op: "is", values: [], than: "city" }, "is_not")).toEqual({ op: "is_not", values: [] });
  });
  it("are asked as the server lets them be asked", () => {
    for (const ops of Object.values(OPS)) expect(ops).toContain("known");
    expect(OPS.text).not.toContain("between");
    expect(OPS.moment).not.toContain("anniversary");
  });
});

describe("what is not filled in", () => {
  const order = begun("bought", WORDS, "a");
  it("is seen inside of what happened and when", () => {
    if (order.node !== "did" || order.what.of !== "orders") throw new Error("an order");
    expect(isWhole(order)).toBe(true);
    expect(isWhole({ ...order, what: { ...order.what, amount: { op: "more", values: [] } } })).toBe(false);
    expect(isWhole({ ...order, window: { when: "between" } })).toBe(false);
    expect(isWhole({ ...order, window: { when: "last", span: { n: 0, unit: "days" } } })).toBe(false);
    const without = { of: "facts" as const, where: [{ name: "", test: { op: "is" as const, values: [1] } }] };
    expect(isWhole({ ...order, window: { when: "after", which: "last", what: without } })).toBe(false);
    expect(isWhole({ node: "sequence", window: { when: "ever" }, steps: [{ what: without }] })).toBe(false);
  });
});

describe("answers to surveys", () => {
  const nps = answerTo(["nps"], "score");
  it("are known among what is measured", () => {
    expect(surveysOf(nps)).toEqual(["nps"]);
    expect(surveysOf({ ...nps, by: "first" })).toBeNull();
    expect(surveysOf({ ...nps, of: "scale" })).toBeNull();
    if (nps.what.of !== "facts") throw new Error("facts");
    const [which] = nps.what.where;
    if (!which) throw new Error("which survey");
    const twice = { ...nps.what, where: [which, which] };
    expect(surveysOf({ ...nps, what: twice })).toBeNull();
    expect(surveysOf({ ...nps, what: { ...nps.what, where: [{ ...which, name: "scale" }] } })).toBeNull();
    expect(surveysOf({ node: "tag", tag: "nps" })).toBeNull();
  });
  it("are whole once the survey and the answer are named", () => {
    expect(isWhole(nps)).toBe(false);
    expect(isWhole({ ...nps, test: { op: "at_least", values: [9] } })).toBe(true);
    expect(isWhole({ ...answerTo([], "score"), test: { op: "at_least", values: [9] } })).toBe(false);
  });
});

describe("a share of spending", () => {
  const share = begun("spends_on", WORDS, "a");
  it("is whole once goods are named", () => {
    if (share.node !== "measured" || share.what.of !== "orders") throw new Error("a share of orders");
    const goods = { products: [], categories: ["tea"], brands: [] };
    expect(isWhole(share)).toBe(false);
    expect(isWhole({ ...share, what: { ...share.what, goods } })).toBe(true);
    expect(measuresOf("amount_minor", { ...share.what, goods })).toContain("share");
    expect(measuresOf("quantity", { ...share.what, goods })).not.toContain("share");
    expect(measuresOf("amount_minor", share.what)).not.toContain("share");
  });
});

describe("measures", () => {
  it("suit what is measured", () => {
    expect(measuresOf("day", { of: "facts", where: [] })).not.toContain("sum");
    expect(measuresOf("category", { of: "orders", channels: [], stores: [], which: "any" })).toEqual([
      "distinct",
      "first",
      "last",
    ]);
    expect(kindOfMeasure("day", "last", "text")).toBe("moment");
    expect(kindOfMeasure("price", "last", "text")).toBe("text");
    expect(kindOfMeasure("price", "sum", "text")).toBe("number");
    expect(kindOfMeasure("price", "distinct", "text")).toBe("number");
  });
});
