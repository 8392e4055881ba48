import { expect, it } from "vitest";

import { dayOfMoment, midnight } from "./midnight";

it("is midnight on the brand's clock", () => {
  expect(midnight("2026-02-01", 0, "Asia/Shanghai")).toBe("2026-01-31T16:00:00.000Z");
  expect(midnight("2026-02-01", 1, "Asia/Shanghai")).toBe("2026-02-01T16:00:00.000Z");
  expect(midnight("2026-02-01", 0, "UTC")).toBe("2026-02-01T00:00:00.000Z");
});

it("knows the days on which the clock changes", () => {
  expect(midnight("2026-03-08", 0, "America/New_York")).toBe("2026-03-08T05:00:00.000Z");
  expect(midnight("2026-03-08", 1, "America/New_York")).toBe("2026-03-09T04:00:00.000Z");
  expect(midnight("2026-11-01", 1, "America/New_York")).toBe("2026-11-02T05:00:00.000Z");
});

it("is the day of every moment from one midnight to the next", () => {
  for (const zone of ["Asia/Shanghai", "America/New_York", "UTC"]) {
    expect(dayOfMoment(midnight("2026-03-08", 0, zone), zone)).toBe("2026-03-08");
    expect(dayOfMoment(new Date(Date.parse(midnight("2026-03-08", 1, zone)) - 1).toISOString(), zone)).toBe(
      "2026-03-08",
    );
  }
});
