import { expect, it } from "vitest";
import { gapMs, placedGaps, touchesGap } from "./chart-gaps.ts";

const shown = { fromMs: 1000, toMs: 11_000 };
const gaps = [
  { fromMs: 5000, toMs: 8000 },
  { fromMs: 0, toMs: 3000 },
  { fromMs: 7000, toMs: 9000 },
  { fromMs: 11_000, toMs: 20_000 },
];

it("adds up what gaps take of a stretch, what two of them share once", () => {
  expect(gapMs(gaps, shown)).toBe(6000);
  expect(gapMs([], shown)).toBe(0);
});

it("places those that are within it", () => {
  expect(placedGaps(gaps, shown)).toEqual([
    { left: 0.4, width: 0.3 },
    { left: 0, width: 0.2 },
    { left: 0.6, width: 0.2 },
  ]);
});

it("knows a step that a gap touches", () => {
  expect(touchesGap(gaps, { fromMs: 3000, toMs: 5000 })).toBe(false);
  expect(touchesGap(gaps, { fromMs: 2900, toMs: 4900 })).toBe(true);
});
