import { expect, it } from "vitest";

import { byHour, outcomes, sourcesOf } from "./quality";

const hours = [
  { source: "web", hour: "2026-01-01T02:00:00Z", outcome: "fact", events: 5 },
  { source: "app", hour: "2026-01-01T01:00:00Z", outcome: "duplicate", events: 2 },
  { source: "app", hour: "2026-01-01T02:00:00Z", outcome: "no_identity", events: 1 },
  { source: "app", hour: "2026-01-01T02:00:00Z", outcome: "fact", events: 3 },
];

it("counts what became of events, in all and by hour", () => {
  expect(outcomes({ hours })).toEqual({ facts: 8, duplicates: 2, rejected: 1 });
  expect(byHour({ hours })).toEqual([
    { hour: "2026-01-01T01:00:00Z", facts: 0, duplicates: 2, rejected: 0 },
    { hour: "2026-01-01T02:00:00Z", facts: 8, duplicates: 0, rejected: 1 },
  ]);
  expect(sourcesOf({ hours })).toEqual(["app", "web"]);
  expect(sourcesOf(undefined)).toEqual([]);
});
