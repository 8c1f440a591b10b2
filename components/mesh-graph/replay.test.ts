import { expect, it } from "vitest";
import { knownRates, momentOf, nextMoment } from "./replay.ts";

const timeline = { fromMs: 0, stepSec: 1, requestRate: [], errorShare: [], recordedFromMs: 0 };
it("is one step before live with the first key, and live past that", () => {
  const span = { from: 0, to: 900_000, stepMs: 10_000 };
  expect(momentOf(span.to - span.stepMs, span)).toBe(890_000);
  expect([momentOf(891_000, span), momentOf(span.to + 5000, span)]).toEqual([null, null]);
  expect(momentOf(-5000, span)).toBe(10_000);
});

it("knows no rate before the first record, and none in a gap that has none", () => {
  const told = {
    ...timeline,
    stepSec: 10,
    requestRate: [0, 3, 0, 0, 4, 0],
    gaps: [{ fromMs: 22_000, toMs: 41_000 }],
  };
  expect(knownRates(told, 1)).toEqual([null, 3, null, null, 4, 0]);
});

it("plays on from a moment, or from the start, as fast as it is told, until the end", () => {
  const span = { from: 0, to: 60_000, stepMs: 10_000 };
  expect(nextMoment(null, 1, span)).toBe(10_000);
  expect(nextMoment(20_000, 5, span)).toBe(25_000);
  expect(nextMoment(40_000, 20, span)).toBeNull();
});
