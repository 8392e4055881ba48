import { expect, it } from "vitest";

import { csvOf } from "./csv";

it("keeps cells apart, and numbers numbers", () => {
  expect(csvOf([["a,b", 'say "x"', -1.5, null]])).toBe('\ufeff"a,b","say ""x""",-1.5,\r\n');
});

it("has no formulas", () => {
  expect(csvOf([["=1+1", "+1", "-1", "@x", "\t=1"]])).toBe("\ufeff'=1+1,'+1,'-1,'@x,'\t=1\r\n");
});
