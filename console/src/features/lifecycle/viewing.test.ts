import { describe, expect, it } from "vitest";

import { dayOfMoment, midnight } from "@/base/midnight";

import { addressOfSeen, bodyOfView, isChanged, moved, seenAt, seenOfView, type Clock, type View } from "./viewing";
import { EVERYBODY } from "./wanted";

const ZONE = "Asia/Shanghai";
const CLOCK: Clock = {
  midnight: (day, later) => midnight(day, later, ZONE),
  day: (moment) => dayOfMoment(moment, ZONE),
};
const WANTED = {
  ...EVERYBODY,
  stages: ["lost"],
  tags: ["重要 & VIP"],
  value_min_minor: 100_00,
  last_order_from: "2026-01-31",
  last_order_to: "2026-02-28",
  sort: "churn" as const,
  descending: false,
};
const VIEW: View = {
  ...bodyOfView({ wanted: WANTED, columns: ["tags", "stage"] }, { name: "A", shared: false }, CLOCK),
  view_id: "v1",
  mine: true,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};

describe("a view", () => {
  it("comes back as it was kept", () => {
    const seen = seenOfView(VIEW, CLOCK);
    expect(seen.wanted).toEqual(WANTED);
    expect(seen.columns).toEqual(["tags", "stage"]);
    expect(isChanged(seen, CLOCK)).toBe(false);
  });
  it("holds nothing that nobody asked for, and no search", () => {
    expect(Object.keys(VIEW.query).sort()).toEqual(
      ["last_order_from", "last_order_to", "stages", "tags", "value_min_minor"].sort(),
    );
  });
  it("is at an address, with what differs from it", () => {
    const seen = { ...seenOfView(VIEW, CLOCK), columns: ["stage" as const] };
    const address = new URLSearchParams(addressOfSeen(seen).toString());
    expect(seenAt(address, [VIEW], ["orders"])).toEqual(seen);
    expect(isChanged(seen, CLOCK)).toBe(true);
    expect(isChanged({ ...seenOfView(VIEW, CLOCK), wanted: EVERYBODY }, CLOCK)).toBe(true);
  });
  it("that is gone leaves the list as it is", () => {
    const seen = seenAt(new URLSearchParams("view=v1&stages=lost&columns=none"), [], ["orders"]);
    expect(seen.view).toBeNull();
    expect(seen.columns).toEqual(["orders"]);
    expect(isChanged(seen, CLOCK)).toBe(false);
  });
});

it("moves an entry, but not out of the list", () => {
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  expect(moved(["a", "b"], 1, 2)).toEqual(["a", "b"]);
});
