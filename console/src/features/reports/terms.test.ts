import { describe, expect, it } from "vitest";

import { termsOf, wantedOf } from "./terms";

describe("terms", () => {
  it("come back as they were sent", () => {
    const wanted = { ...wantedOf(null, "zh-CN"), basis: "share" as const, margin: 37.5, brand: " 西湖 " };
    const terms = termsOf(wanted);
    expect(terms).toEqual({ languages: ["zh-CN"], horizon_days: 365, margin: 0.375, by_costs: false, brand: "西湖" });
    expect(wantedOf(terms, "en")).toEqual({ ...wanted, brand: "西湖" });
  });

  it("have no share where costs or sales are meant", () => {
    expect(termsOf({ ...wantedOf(null, "en"), basis: "costs", margin: 40 })).toMatchObject({
      margin: null,
      by_costs: true,
    });
    expect(termsOf({ ...wantedOf(null, "en"), basis: "sales", margin: 40 }).margin).toBeNull();
  });
});
