import { expect, it } from "vitest";

import { givenIn } from "./lists";

it("is what stands first in each line, once", () => {
  expect(givenIn("13800000001\r\n 13800000002 \n\n13800000001\rM-1")).toEqual(["13800000001", "13800000002", "M-1"]);
});

it("is the first column of a table", () => {
  expect(givenIn('\ufeff"138 0000",Li\n"a@b.cn";x\nM-1\tWang\nM-2，王')).toEqual(["138 0000", "a@b.cn", "M-1", "M-2"]);
});

it("is nobody of nothing", () => {
  expect(givenIn(" \n,\n")).toEqual([]);
});
