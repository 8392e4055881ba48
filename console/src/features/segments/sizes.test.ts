import { expect, it } from "vitest";

import { lineOf } from "./sizes";

it("fills the box, higher values above", () => {
  expect(lineOf([0, 5, 10], 100, 24)).toBe("0,22 50,12 100,2");
  expect(lineOf([10, 0], 96, 24)).toBe("0,2 96,22");
});

it("lies in the middle where nothing changes", () => {
  expect(lineOf([7, 7], 10, 24)).toBe("0,12 10,12");
  expect(lineOf([7], 10, 24)).toBe("0,12");
});
