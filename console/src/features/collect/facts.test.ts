import { describe, expect, it } from "vitest";

import { byDay, details, subject } from "./facts";
import type { Fact } from "./queries";

function fact(occurred_at: string): Fact {
  const nothing = { store: null, session: null, source: null, channel: null };
  const money = { amount_minor: null, currency: null, order_id: null };
  const names = { fact_id: occurred_at, identity_id: 1, kind: "track", name: "n", simulated: false, properties: {} };
  return { ...nothing, ...money, ...names, occurred_at, received_at: occurred_at };
}

describe("facts by day", () => {
  it("keep their order, and a day begins once", () => {
    const facts = ["2026-01-02T10:00", "2026-01-02T09:00", "2026-01-01T23:00"].map(fact);
    const days = byDay(facts, (moment) => moment.slice(0, 10));
    expect(days.map(([day, those]) => [day, those.length])).toEqual([
      ["2026-01-02", 2],
      ["2026-01-01", 1],
    ]);
    expect(byDay([], String)).toEqual([]);
  });
});

describe("what a fact is about", () => {
  it("is the most telling property", () => {
    expect(subject({ product_id: "P1", name: "Tea" })).toBe("Tea");
    expect(subject({ product_id: "P1", name: "" })).toBe("P1");
    expect(subject({ score: 3 })).toBeNull();
  });
  it("is shown whole when opened", () => {
    expect(details({ a: "x", b: 2, c: true, d: null, e: [1], f: "" })).toEqual([
      { name: "a", text: "x" },
      { name: "b", text: "2" },
      { name: "c", text: "true" },
      { name: "e", text: "[1]" },
    ]);
  });
});
