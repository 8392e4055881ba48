import { describe, expect, it } from "vitest";

import { languageToBegin } from "./language";
import {
  minorDigits,
  sayAgo,
  sayDay,
  sayMoment,
  sayMoney,
  sayNumber,
  sayShare,
  sayShort,
  sayShortMoney,
} from "./saying";

describe("money", () => {
  it("is in whole minor units", () => {
    expect(sayMoney(123_456, "CNY", "zh-CN")).toBe("¥1,234.56");
    expect(sayMoney(123_456, "GBP", "en")).toBe("£1,234.56");
    expect(sayMoney(1_234, "JPY", "en")).toBe("¥1,234");
    expect(sayMoney(-5, "EUR", "en")).toBe("-€0.05");
    expect(sayMoney(123_456, "CNY", "en", true)).toBe("¥1,235");
    expect(minorDigits("KWD")).toBe(3);
  });
  it("is a bare number where no currency is known", () => {
    expect(sayMoney(1_234, null, "en")).toBe("1,234");
  });
});

describe("few letters", () => {
  it("are those of the language", () => {
    expect(sayShortMoney(1_234_567_89, "CNY", "zh-CN")).toBe("¥123万");
    expect(sayShortMoney(1_234_567_890_000, "CNY", "zh-CN")).toBe("¥123亿");
    expect(sayShortMoney(1_234_567_89, "GBP", "en")).toBe("£1.23M");
    expect(sayShort(12_345, "zh-CN")).toBe("1.23万");
    expect(sayShort(950, "en")).toBe("950");
  });
});

describe("numbers", () => {
  it("are grouped, and shares are of a hundred", () => {
    expect(sayNumber(1234567.89, "zh-CN")).toBe("1,234,568");
    expect(sayShare(0.1234, "en")).toBe("12.3%");
  });
});

describe("moments", () => {
  it("are on the brand's clock, whatever the reader's", () => {
    expect(sayMoment("2026-01-31T17:05:00Z", "zh-CN", "Asia/Shanghai")).toBe("2026年2月1日 01:05");
    expect(sayDay("2026-01-31T17:05:00Z", "en", "America/New_York")).toBe("Jan 31, 2026");
  });
  it("that are bare dates stay the day that they are", () => {
    expect(sayDay("2026-02-01", "en", "America/New_York")).toBe("Feb 1, 2026");
  });
  it("are so long ago", () => {
    const now = new Date("2026-02-10T00:00:00Z");
    expect(sayAgo("2026-02-07T00:00:00Z", now, "en")).toBe("3 days ago");
    expect(sayAgo("2026-02-07T00:00:00Z", now, "zh-CN")).toBe("3天前");
    expect(sayAgo("2026-02-09T23:59:50Z", now, "en")).toBe("this minute");
  });
});

describe("the language to begin with", () => {
  it("is the remembered one, else the browser's, else Chinese", () => {
    expect(languageToBegin("en", ["zh-CN"])).toBe("en");
    expect(languageToBegin("fr", ["en-GB"])).toBe("en");
    expect(languageToBegin(null, ["fr", "zh-TW", "en"])).toBe("zh-CN");
    expect(languageToBegin(null, ["fr"])).toBe("zh-CN");
  });
});
