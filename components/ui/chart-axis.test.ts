import { expect, it } from "vitest";
import { axisTime, axisTimes, shareTop, tickSteps, tickText } from "./chart-axis.ts";

it.each([
  ["share", 0.002, 0.002, "0.2 %"],
  ["share", 0.01, 0.005, "1 %"],
  ["share", 0.5, 0.1, "50 %"],
  ["share", 0.0005, 0.0005, "0.05 %"],
  ["rps", 20, 5, "20 rps"],
  ["rps", 0.5, 0.5, "0.5 rps"],
  ["ms", 250, 50, "250 ms"],
  ["ms", 1500, 500, "1.5 s"],
  ["ms", 2000, 1000, "2 s"],
  ["ms", 0, 1000, "0"],
] as const)("a tick of %s at %d every %d is %s", (kind, value, step, text) => {
  expect(tickText(kind, value, step, "en")).toBe(text);
});

it.each([0.0002, 1, 300, 3e8, 4e12])("has a step that divides an axis up to %d into a few parts", (top) => {
  const parts = tickSteps.map((step) => top / step);
  expect(parts.some((count) => count >= 2 && count <= 5)).toBe(true);
});

it("tops a share at one percent when next to nothing fails, and never past all of it", () => {
  expect([null, 0, 0.004, 0.02, 0.5, 1].map((max) => Number(shareTop(max).toFixed(4)))).toEqual([
    0.01, 0.01, 0.01, 0.03, 0.6, 1,
  ]);
});

it("says the day at midnight of a chart of days", () => {
  const at = (hour: number) => new Date(2026, 10, 28, hour).getTime();
  expect([axisTime(at(0), 6 * 3600, "en"), axisTime(at(6), 6 * 3600, "en")]).toEqual(["Nov 28", "06:00"]);
  expect(axisTime(at(6), 86_400, "en")).toBe("Nov 28");
  expect([axisTime(at(0), 600, "en"), axisTime(at(0), 10, "en")]).toEqual(["00:00", "00:00:00"]);
});

it("says a time once where ticks are closer than its seconds", () => {
  const start = new Date(2026, 10, 28, 12).getTime();
  expect(
    axisTimes(
      [0, 400, 800, 1200].map((ms) => start + ms),
      0.4,
      "en",
    ),
  ).toEqual(["12:00:00", "", "", "12:00:01"]);
});
