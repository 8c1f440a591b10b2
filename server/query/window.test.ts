import { describe, expect, it } from "vitest";
import type { RollupRange, TelemetryReader } from "./reader.ts";
import {
  alignedWindow,
  defaultKeptSec,
  liveEndMs,
  oldestOf,
  rowsUntil,
  silentSinceMs,
  storedStepFor,
} from "./window.ts";

const now = 1_767_225_600_500;
const collector = {
  id: "c",
  flushedAtMs: now - 700,
  completeUntilMs: now - 1500,
  settledUntilMs: 0,
  freshAtMs: null,
  active: true,
};

describe("liveEndMs", () => {
  it("is the end of the last whole second that every collector at work has written", () => {
    expect(liveEndMs(now, [collector, { ...collector, completeUntilMs: now - 2500 }])).toBe(now - 2500);
  });

  it("goes on with time when there is nothing to write, or nobody who would", () => {
    const expected = now - 2500; // two seconds back, and down to a full one
    expect(liveEndMs(now, [])).toBe(expected);
    expect(liveEndMs(now, [{ ...collector, active: false, completeUntilMs: 0 }])).toBe(expected);
    expect(liveEndMs(now, [{ ...collector, flushedAtMs: now - 60_000, completeUntilMs: now - 61_000 }])).toBe(expected);
  });

  it("does not run ahead of the reader's own clock", () => {
    expect(liveEndMs(now, [{ ...collector, completeUntilMs: now + 60_000 }])).toBe(now - 500);
  });
});

describe("silentSinceMs", () => {
  const silent = { ...collector, flushedAtMs: now - 30_000, completeUntilMs: now - 31_000 };
  it("is where the last collector stopped in the middle of its telling", () => {
    expect(silentSinceMs(now, [{ ...silent, flushedAtMs: now - 90_000 }, silent])).toBe(now - 31_500);
  });
  it("is not said of one at work, of one that had nothing left, or of one long gone", () => {
    expect(silentSinceMs(now, [])).toBeNull();
    expect(silentSinceMs(now, [silent, collector])).toBeNull();
    expect(silentSinceMs(now, [{ ...silent, active: false }])).toBeNull();
    expect(silentSinceMs(now, [{ ...silent, flushedAtMs: now - 7_200_000 }])).toBeNull();
  });
});

it.each([
  [60, 60, 1],
  [180, 180, 1],
  [300, 300, 10],
  [3600, 3600, 60],
  [86_400, 86_400, 3600],
  [60, 3600, 10],
  [60, 86_400, 60],
  [60, 40 * 86_400, 3600],
])("reads a window of %i s that began %i s ago in steps of %i s", (windowSec, ageSec, step) => {
  expect(storedStepFor(windowSec, ageSec, defaultKeptSec, 180)).toBe(step);
});

it("aligns to full steps, and never shows less than was asked for", () => {
  expect(alignedWindow(127_900, 25, 10)).toEqual({ fromMs: 90_000, toMs: 120_000, stepSec: 10 });
});

it("reads coarse buckets as far as they go and finer ones to the very end", async () => {
  const asked: RollupRange[] = [];
  const reader = {
    rollups: async (range: RollupRange) => {
      asked.push(range);
      return [];
    },
  } as Partial<TelemetryReader> as TelemetryReader;
  await rowsUntil(reader, { fromMs: 0, toMs: 194_000, stepSec: 60 });
  await rowsUntil(reader, { fromMs: 0, toMs: 60_000, stepSec: 60 });
  expect(asked).toEqual([
    { fromMs: 0, toMs: 180_000, stepSec: 60 },
    { fromMs: 180_000, toMs: 190_000, stepSec: 10 },
    { fromMs: 190_000, toMs: 194_000, stepSec: 1 },
    { fromMs: 0, toMs: 60_000, stepSec: 60 },
  ]);
});

describe("oldestOf", () => {
  const hour = 1_767_225_600_000;
  const at = (stepSec: number, atMs: number) => ({ stepSec, atMs });

  it("is what the finest bucket of the beginning says: an hour's bucket begins before the mesh did", () => {
    expect(
      oldestOf([at(3600, hour), at(60, hour + 1_380_000), at(10, hour + 1_410_000), at(1, hour + 1_415_000)]),
    ).toBe(hour + 1_415_000);
  });

  it("is the coarse bucket's start when the finer ones of that time are forgotten", () => {
    expect(oldestOf([at(3600, hour), at(60, hour + 7_200_000), at(1, hour + 9_000_000)])).toBe(hour);
    expect(oldestOf([at(60, hour), at(10, hour + 10_000), at(1, hour + 900_000)])).toBe(hour + 10_000);
  });

  it("takes what is not compacted yet, and knows when there is nothing", () => {
    expect(oldestOf([at(60, hour + 60_000), at(1, hour)])).toBe(hour);
    expect(oldestOf([])).toBe(null);
  });
});
