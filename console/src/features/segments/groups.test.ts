import { expect, it } from "vitest";

import type { Job } from "@/shell/useJob";

import { apartOf, groupsOf, KIND, scoreOf, type Groups } from "./groups";

const FOUND: Groups = {
  as_of: "2026-01-01T00:00:00Z",
  customers: 300,
  chosen: 3,
  tried: [
    { clusters: 2, score: 0.4 },
    { clusters: 3, score: 0.6 },
  ],
  clusters: [],
};

function job(changes: Partial<Job>): Job {
  const result = FOUND as unknown as Record<string, unknown>;
  return { kind: KIND, state: "done", result, ...changes } as Job;
}

it("has groups once they are found", () => {
  expect(groupsOf(job({}))).toEqual(FOUND);
  expect(groupsOf(job({ state: "running", result: null }))).toBeNull();
  expect(groupsOf(job({ kind: "segments.build" }))).toBeNull();
  expect(groupsOf(undefined)).toBeNull();
});

it("says how good the number is that was taken", () => {
  expect(scoreOf(FOUND)).toBe(0.6);
  expect(scoreOf({ ...FOUND, chosen: 4 })).toBeNull();
});

it("calls groups apart as far as they are", () => {
  expect([0.71, 0.7, 0.51, 0.5, 0.26, 0.25, -1].map(apartOf)).toEqual([
    "clearly",
    "fairly",
    "fairly",
    "weakly",
    "weakly",
    "hardly",
    "hardly",
  ]);
});
