import { describe, expect, it } from "vitest";
import {
  formatBytesRate,
  formatCountdown,
  formatMoment,
  formatMs,
  formatPerSecond,
  formatRate,
  formatShare,
  formatSpan,
  formatStretch,
  percentText,
  quantityText,
} from "./format.ts";

const text = (quantity: { value: string; unit: string }) => quantityText(quantity);

describe("formatRate", () => {
  it.each([
    [0, "0.0 rps"],
    [0.004, "0.00 rps"],
    [0.012, "0.01 rps"],
    [8.46, "8.5 rps"],
    [42.13, "42.1 rps"],
    [99.96, "100 rps"],
    [312.4, "312 rps"],
    [9_999.6, "10.0 k rps"],
    [12_400, "12.4 k rps"],
  ])("shows %d as %s", (rate, shown) => expect(text(formatRate(rate, "en"))).toBe(shown));
  it("has no unit where there is no number", () => expect(formatRate(null, "en")).toEqual({ value: "–", unit: "" }));
});

describe("formatPerSecond", () => {
  it.each([
    [0.3, "0.3 /s"],
    [12_400, "12.4 k /s"],
  ])("shows %d as %s", (rate, shown) => expect(text(formatPerSecond(rate, "en"))).toBe(shown));
  it("has no unit where there is no number", () =>
    expect(formatPerSecond(null, "en")).toEqual({ value: "–", unit: "" }));
});

describe("formatShare", () => {
  it.each([
    [0, "0 %"],
    [1, "100 %"],
    [0.00001, "<0.01 %"],
    [0.999999, ">99.99 %"],
    [0.0004, "0.04 %"],
    [0.001, "0.1 %"],
    [0.9998, "99.98 %"],
    [0.9971, "99.7 %"],
    [0.24, "24 %"],
  ])("shows %d as %s", (share, shown) => expect(text(formatShare(share, "en"))).toBe(shown));
});

describe("formatMs", () => {
  it.each([
    [0, "0 ms"],
    [0.42, "0.42 ms"],
    [0.999, "1.0 ms"],
    [6.23, "6.2 ms"],
    [9, "9 ms"],
    [9.96, "10 ms"],
    [999.6, "1.00 s"],
    [1240, "1.24 s"],
    [12_400, "12.4 s"],
    [150_000, "2.5 min"],
  ])("shows %d as %s", (ms, shown) => expect(text(formatMs(ms, "en"))).toBe(shown));
  it("follows the reader's language", () => expect(text(formatMs(1240, "de"))).toBe("1,24 s"));
});

describe("formatSpan and formatCountdown", () => {
  it("names a window by its largest whole unit", () => {
    expect([10, 60, 900, 3600].map((seconds) => formatSpan(seconds, "en"))).toEqual(["10 s", "1 min", "15 min", "1 h"]);
    expect(formatSpan(300, "zh-CN")).toBe("5分钟");
  });
  it("counts down to zero and not below", () => {
    expect([61_000, 3_753_000, 1, -5].map(formatCountdown)).toEqual(["1:01", "1:02:33", "0:01", "0:00"]);
  });
});

it.each([
  [null, "–"],
  [0, "0 B/s"],
  [830.4, "830 B/s"],
  [999.6, "1.0 kB/s"],
  [12_400, "12.4 kB/s"],
  [3_120_000, "3.1 MB/s"],
  [250_000_000, "250 MB/s"],
])("says %s bytes a second as %s", (perSecond, text) => {
  expect(quantityText(formatBytesRate(perSecond, "en"))).toBe(text);
});

it("sets the sign of percent apart, as every unit", () => {
  const format = (locale: string) => new Intl.NumberFormat(locale, { style: "percent", signDisplay: "exceptZero" });
  expect(["en", "zh-CN", "de"].map((locale) => percentText(format(locale), -0.4))).toEqual(["-40 %", "-40 %", "-40 %"]);
});

it("says the day of a moment that is not of today, and of a stretch once where both ends have the same", () => {
  const noon = new Date(2026, 10, 28, 12, 4, 31).getTime();
  expect(formatMoment(noon, "en", true, noon + 3_600_000)).toBe("12:04:31");
  expect(formatMoment(noon, "en", true, noon + 86_400_000)).toBe("Nov 28 12:04:31");
  expect(formatStretch(noon, 3600, "en")).toBe("Nov 28 11:04 – 12:04");
  expect(formatStretch(noon, 86_400, "en")).toBe("Nov 27 12:04 – Nov 28 12:04");
});
