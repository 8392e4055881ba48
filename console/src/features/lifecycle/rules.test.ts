import { describe, expect, it } from "vitest";

import { change, inClear, nameOf, worthOf } from "./rules";

const seen = "2026-01-01T00:00:00Z";
function identity(kind: string, value: string) {
  return { identity_id: 1, kind, value, first_seen_at: seen, last_seen_at: seen };
}

describe("what a customer is called", () => {
  it("is the name, in the order of the reader's language", () => {
    expect(nameOf({ attributes: { first_name: "明", last_name: "王" }, identities: [] }, "zh-CN")).toBe("王明");
    expect(nameOf({ attributes: { first_name: "Ada", last_name: "Lee" }, identities: [] }, "en")).toBe("Ada Lee");
    expect(nameOf({ attributes: { name: "李**", first_name: "x" }, identities: [] }, "en")).toBe("李**");
  });
  it("is what best identifies them where no name is known", () => {
    const identities = [identity("anonymous_id", "a…z"), identity("phone", "138****8000")];
    expect(nameOf({ attributes: {}, identities }, "en")).toBe("138****8000");
    expect(nameOf({ attributes: {}, identities: [identity("device", "d")] }, "en")).toBe("d");
    expect(nameOf({ attributes: {}, identities: [] }, "en")).toBeNull();
    expect(nameOf({ attributes: {}, identities: [identity("member_number", "***")] }, "en")).toBeNull();
  });
});

describe("what stages are worth together", () => {
  const stage = { stage: "loyal", customers: 2, orders: 5, historic_minor: 300, predicted_minor: 200, before: null };
  it("is the sum, and unsaid where of some nothing is predicted", () => {
    expect(worthOf([stage, stage])).toEqual({ customers: 4, historic: 600, predicted: 400 });
    expect(worthOf([stage, { ...stage, predicted_minor: null }]).predicted).toBeNull();
    expect(worthOf([])).toEqual({ customers: 0, historic: 0, predicted: 0 });
  });
  it("changes by a share, from nothing by none", () => {
    expect(change(150, 100)).toBe(0.5);
    expect(change(0, 100)).toBe(-1);
    expect(change(5, 0)).toBeNull();
  });
});

it("shows what was revealed in place of the masks, and keeps the rest", () => {
  const whole = { attributes: { city: "杭州", name: "王**" }, identities: [identity("phone", "138****8000")] };
  const revealed = { attributes: { name: "王小明" }, identities: [identity("phone", "13800138000")] };
  const seen = inClear(whole, revealed);
  expect(seen.attributes).toEqual({ city: "杭州", name: "王小明" });
  expect(seen.identities[0]?.value).toBe("13800138000");
});
