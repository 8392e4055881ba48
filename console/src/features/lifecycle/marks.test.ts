import { expect, it } from "vitest";

import type { Cell, Cohort } from "./analysis";
import {
  behindBand,
  behindChannel,
  behindCohort,
  behindFlow,
  behindFrequency,
  behindProduct,
  behindScores,
  behindStage,
} from "./marks";
import { WHOLE } from "./views";
import { EVERYBODY, wantedOf } from "./wanted";

function wanted(address: string | null) {
  return wantedOf(new URLSearchParams(address?.split("?")[1]));
}

const cohort = { begins: "2026-01-01", ends: "2026-01-31", customers: 3, cells: [] } as Cohort;

it("finds who of a cohort ordered in a later month", () => {
  const february = { period: 1 } as Cell;
  expect(wanted(behindCohort(cohort, february, "month", { ...WHOLE, until: "2026-01-20", store: "S1" }))).toEqual({
    ...EVERYBODY,
    first_order_from: "2026-01-01",
    first_order_to: "2026-01-20",
    stores: ["S1"],
    ordered_from: "2026-02-01",
    ordered_to: "2026-02-28",
  });
  expect(wanted(behindCohort(cohort, { period: 0 } as Cell, "month", WHOLE)).ordered_from).toBeNull();
  const last = wanted(behindCohort({ ...cohort, begins: "2025-10-01" }, { period: 1 } as Cell, "quarter", WHOLE));
  expect([last.ordered_from, last.ordered_to]).toEqual(["2026-01-01", "2026-03-31"]);
});

it("finds who went from one stage to another", () => {
  const moments = { since: "2026-01-01T00:00:00.000Z", until: "2026-02-01T00:00:00.000Z" };
  const flow = { before: null, after: "loyal", customers: 1, value_minor: 1 };
  expect(wanted(behindFlow(flow, moments, WHOLE)).stood).toEqual([
    { stages: ["outside"], at: moments.since },
    { stages: ["loyal"], at: moments.until },
  ]);
});

it("finds who was known so on a past day, and now", () => {
  const now = { first: null, as_of: "2026-03-01T00:00:00Z", past: false, currency: "CNY" };
  const then = { ...now, past: true };
  const at = "2026-03-01T00:00:00.000Z";
  const narrowed = { ...WHOLE, channel: "web" };
  expect(wanted(behindStage("loyal", then, narrowed))).toEqual({
    ...EVERYBODY,
    channels: ["web"],
    stood: [{ stages: ["loyal"], at }],
  });
  expect(wanted(behindStage("loyal", now, WHOLE))).toEqual({ ...EVERYBODY, stages: ["loyal"] });
  expect(wanted(behindScores({ r_score: 5, f_score: 1 } as never, then, WHOLE)).stood).toEqual([
    { stages: [], at, r_scores: [5], f_scores: [1] },
  ]);
  expect(wanted(behindBand({ from_minor: 0, to_minor: 100 } as never, then, WHOLE)).stood).toEqual([
    { stages: [], at, value_min_minor: 0, value_max_minor: 99 },
  ]);
});

it("finds who began, or bought, by what has no name", () => {
  const day = { ...WHOLE, since: "2026-01-05" };
  expect(wanted(behindProduct({ key: null } as never, "category", day))).toEqual({
    ...EVERYBODY,
    no_category: true,
    ordered_from: "2026-01-05",
  });
  expect(behindProduct({ key: null } as never, "product", WHOLE)).toBeNull();
  expect(wanted(behindChannel({ channel: null } as never, day))).toEqual({
    ...EVERYBODY,
    no_channel: true,
    first_order_from: "2026-01-05",
  });
});

it("finds who had ordered so often before the model's test", () => {
  const test = { calibration_end: "2026-01-31" };
  const found = (frequency: number, and_more: boolean) =>
    wanted(behindFrequency({ frequency, and_more } as never, test)).ordered_on;
  expect(found(0, false)).toEqual({ min: 1, max: 1, until: "2026-01-31" });
  expect(found(7, true)).toEqual({ min: 8, max: null, until: "2026-01-31" });
});
