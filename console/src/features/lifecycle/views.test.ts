import { describe, expect, it } from "vitest";

import { addressOfView, LIFECYCLE_PARTS, PRODUCT_PARTS, viewOf, type View } from "./views";

const SOME: View<"stages" | "value" | "cohorts" | "retention" | "channels" | "model"> = {
  part: "cohorts",
  since: "2026-01-01",
  until: "2026-03-31",
  channel: "网店 & more",
  store: "S1",
  currency: "EUR",
  period: "quarter",
  measure: "value",
  by: "category",
};

describe("the address of a view", () => {
  it("holds all of it", () => {
    const address = addressOfView(SOME, LIFECYCLE_PARTS).toString();
    expect(viewOf(new URLSearchParams(address), LIFECYCLE_PARTS)).toEqual(SOME);
  });
  it("is empty for the usual one, of either page", () => {
    const usual = viewOf(new URLSearchParams(), PRODUCT_PARTS);
    expect(usual.part).toBe("contribution");
    expect(addressOfView(usual, PRODUCT_PARTS).toString()).toBe("");
  });
  it("may be mistyped", () => {
    const typed = "part=none&since=2026-99-99&until=soon&channel=&currency=euro&period=day&measure=x&by=y";
    expect(viewOf(new URLSearchParams(typed), LIFECYCLE_PARTS)).toEqual(viewOf(new URLSearchParams(), LIFECYCLE_PARTS));
  });
  it("has its days the right way round", () => {
    const view = viewOf(new URLSearchParams("since=2026-02-01&until=2026-01-01"), LIFECYCLE_PARTS);
    expect([view.since, view.until]).toEqual(["2026-01-01", "2026-02-01"]);
  });
});
