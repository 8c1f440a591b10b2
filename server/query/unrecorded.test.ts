import { expect, it } from "vitest";
import { coveredMs, holesOf } from "./unrecorded.ts";

const gap = { fromMs: 10_000, toMs: 70_000, collector: "a", cause: "stopped" as const };
const stretches = (starts: number[], bucketMs = 1000) =>
  holesOf(gap, starts, bucketMs).map(({ fromMs, toMs }) => [fromMs, toMs]);

it("is the whole gap where nothing was written, and none where proxies brought what they had kept", () => {
  expect(stretches([])).toEqual([[10_000, 70_000]]);
  expect(stretches(Array.from({ length: 60 }, (_, i) => 10_000 + i * 1000))).toEqual([]);
  expect(stretches([15_000, 24_000, 33_000, 42_000, 51_000, 60_000])).toEqual([]);
});

it("is what is left beside records at an end, or in the middle", () => {
  expect(stretches([9_000, 10_000, 11_000])).toEqual([[12_000, 70_000]]);
  expect(stretches([30_000], 10_000)).toEqual([
    [10_000, 30_000],
    [40_000, 70_000],
  ]);
});

it("is a short gap, too", () => {
  const short = { ...gap, toMs: 12_500 };
  expect(holesOf(short, [], 1000)).toEqual([short]);
  expect(holesOf(short, [11_000], 1000)).toEqual([]);
});

it("counts what two stretches share once, and only within the range", () => {
  const two = [
    { fromMs: 4000, toMs: 8000 },
    { fromMs: 0, toMs: 6000 },
  ];
  expect(coveredMs(two, { fromMs: 1000, toMs: 100_000 })).toBe(7000);
  expect(coveredMs([], { fromMs: 0, toMs: 1000 })).toBe(0);
});
