import { describe, expect, it } from "vitest";

import { bodyOf, lacking, type Decided } from "./imports";

const decided: Decided = {
  kind: "orders",
  mapping: {},
  currency: null,
  timezone: "Asia/Shanghai",
  source: "files",
  identityKind: null,
};
const guess = { kind: "orders" as const, mapping: {}, missing: ["customer", "amount"] };

describe("lacking", () => {
  it("names what is missing until it is said", () => {
    expect(lacking(decided, guess)).toEqual(["customer", "amount", "currency"]);
    expect(lacking({ ...decided, mapping: { customer: "A", amount: "B" }, currency: "CNY" }, guess)).toEqual([]);
  });

  it("takes quantity and price for an amount", () => {
    const mapping = { customer: "A", quantity: "B", price: "C" };
    expect(lacking({ ...decided, mapping, currency: "CNY" }, guess)).toEqual([]);
  });

  it("wants a currency only where there is money", () => {
    const products = { ...decided, kind: "products" as const };
    const none = { kind: "products" as const, mapping: {}, missing: [] };
    expect(lacking(products, none)).toEqual([]);
    expect(lacking({ ...products, mapping: { price: "P" } }, none)).toEqual(["currency"]);
    expect(lacking({ ...decided, mapping: { currency: "C" } }, { ...guess, missing: [] })).toEqual([]);
  });

  it("wants somebody in a file of customers", () => {
    const customers = { ...decided, kind: "customers" as const };
    const nobody = { kind: "customers" as const, mapping: {}, missing: ["identity"] };
    expect(lacking(customers, nobody)).toEqual(["identity"]);
    expect(lacking({ ...customers, mapping: { phone: "手机" } }, nobody)).toEqual([]);
  });
});

describe("bodyOf", () => {
  it("says nothing of columns that are read by their names, nor of identities where there are none", () => {
    const costs = { ...decided, kind: "costs" as const, mapping: { spend: "S" }, identityKind: "phone" };
    expect(bodyOf(costs, ["f"], true)).toMatchObject({ mapping: {}, identity_kind: null, dry_run: true });
  });
});
