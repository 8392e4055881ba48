import { describe, expect, it } from "vitest";

import { nameOf } from "./rules";

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
