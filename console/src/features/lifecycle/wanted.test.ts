import { describe, expect, it } from "vitest";

import { addressOf, bodyOf, conditions, EVERYBODY, wantedOf, type Wanted } from "./wanted";

const SOME: Wanted = {
  ...EVERYBODY,
  stages: ["at_risk", "lost"],
  tags: ["重要 & VIP"],
  value_min_minor: 100_00,
  churn_min: 0.5,
  last_order_from: "2026-01-31",
  sort: "last_order_at",
  descending: false,
};

describe("the address of a list", () => {
  it("holds the whole view", () => {
    expect(wantedOf(new URLSearchParams(addressOf(SOME).toString()))).toEqual(SOME);
    expect(wantedOf(addressOf(EVERYBODY))).toEqual(EVERYBODY);
    expect(addressOf(EVERYBODY).toString()).toBe("");
  });
  it("may be mistyped", () => {
    const typed = "stages=&value_min_minor=abc&churn_min=&last_order_from=2026-99-99&sort=age&order=up";
    expect(wantedOf(new URLSearchParams(typed))).toEqual(EVERYBODY);
  });
});

describe("the address behind a mark", () => {
  const mark: Wanted = {
    ...EVERYBODY,
    r_scores: [5],
    f_scores: [1, 2],
    stood: [
      { stages: ["outside"], at: "2026-01-01T00:00:00.000Z" },
      { stages: ["loyal", "repeat"], at: "2026-04-01T00:00:00.000Z" },
    ],
    first_order_from: "2026-01-01",
    bought: ["P,1", "茶@2"],
    together: true,
    ordered_to: "2026-02-28",
    first_products: ["P1"],
    came_back_within_days: 30,
  };
  it("holds it all", () => {
    expect(wantedOf(new URLSearchParams(addressOf(mark).toString()))).toEqual(mark);
  });
  it("holds what was known at a past moment", () => {
    const at = "2026-01-01T00:00:00.000Z";
    const past: Wanted = {
      ...EVERYBODY,
      stood: [
        { stages: [], at, r_scores: [5], f_scores: [1, 2] },
        { stages: ["loyal"], at, value_min_minor: -100, value_max_minor: 199 },
      ],
    };
    expect(wantedOf(new URLSearchParams(addressOf(past).toString()))).toEqual(past);
    expect(wantedOf(new URLSearchParams(`stood=@${at}@~&stood=@${at}@r9`)).stood).toEqual([
      { stages: [], at },
      { stages: [], at },
    ]);
  });
  it("may be mistyped", () => {
    const typed = "r_scores=6&r_scores=x&stood=loyal&stood=@2026-01-01T00:00&stood=a@b&together=yes&bought=P1";
    expect(wantedOf(new URLSearchParams(typed))).toEqual({ ...EVERYBODY, bought: ["P1"] });
  });
  it("asks for one order with all that belongs to it", () => {
    const midnight = (day: string, later: number) => `${day}T0${later}:00:00.000Z`;
    const body = bodyOf(mark, "", midnight);
    expect(body.bought).toEqual({
      products: ["P,1", "茶@2"],
      together: true,
      categories: [],
      no_category: false,
      channels: [],
      stores: [],
      since: null,
      until: "2026-02-28T00:59:59.999Z",
    });
    expect(Object.keys(body)).not.toContain("ordered_to");
    expect(bodyOf(EVERYBODY, "", midnight).bought).toBeNull();
  });
});

describe("what the server is asked", () => {
  const midnight = (day: string, later: number) => `${day}T0${later}:00:00.000Z`;
  it("includes the last day", () => {
    const body = bodyOf({ ...SOME, last_order_to: "2026-02-01" }, " 王 ", midnight);
    expect(body.last_order_from).toBe("2026-01-31T00:00:00.000Z");
    expect(body.last_order_to).toBe("2026-02-01T00:59:59.999Z");
    expect(body.search).toBe("王");
  });
  it("has no empty search", () => {
    expect(bodyOf(EVERYBODY, "  ", midnight).search).toBeNull();
  });
});

it("counts conditions", () => {
  expect(conditions(EVERYBODY)).toBe(0);
  expect(conditions(SOME)).toBe(5);
});
