import { describe, expect, it } from "vitest";

import type { Trait } from "./queries";
import { fillOf, silence, sizeOf } from "./traits";

function differing(effect: number): Trait {
  const unknown = { name: null, value: "茶", mean: null, mean_against: null, definition: null };
  return { what: "category", text: "…", share: 0.5, share_against: 0.4, effect, ...unknown };
}

it("calls differences as Cohen does, whichever side has more", () => {
  expect([0, 0.199, 0.2, -0.49, 0.5, -0.79, 0.8, -3.14].map(sizeOf)).toEqual([
    "slight",
    "slight",
    "small",
    "small",
    "medium",
    "medium",
    "large",
    "large",
  ]);
});

it("fills the bar with as much as shares can differ", () => {
  expect([0, -Math.PI / 4, Math.PI, 17].map(fillOf)).toEqual([0, 0.25, 1, 1]);
});

describe("nothing is told", () => {
  it("of few customers, on whichever side", () => {
    expect(silence(29, 500, [])).toBe("few");
    expect(silence(500, 29, [])).toBe("few");
    expect(silence(30, 30, [])).toBe("alike");
  });
  it("where nothing differs, or hardly", () => {
    expect(silence(100, 100, [])).toBe("alike");
    expect(silence(100, 100, [differing(0), differing(0)])).toBe("alike");
    expect(silence(100, 100, [differing(-0.19), differing(0)])).toBe("hardly");
    expect(silence(100, 100, [differing(-0.2), differing(0)])).toBeNull();
  });
});
