import { expect, it } from "vitest";
import { coarsestStretches } from "./stretches.ts";

const everything = () => Number.POSITIVE_INFINITY;

it("goes up to coarse buckets and down again, to both ends exactly", () => {
  expect(coarsestStretches(3595, 7265, everything)).toEqual([
    { step: 1, from: 3595, until: 3600 },
    { step: 3600, from: 3600, until: 7200 },
    { step: 60, from: 7200, until: 7260 },
    { step: 1, from: 7260, until: 7265 },
  ]);
});

it("uses no bucket that is not compacted yet", () => {
  const compacted = (step: number) => (step === 10 ? 80 : step === 1 ? Number.POSITIVE_INFINITY : 60);
  expect(coarsestStretches(0, 100, compacted)).toEqual([
    { step: 60, from: 0, until: 60 },
    { step: 10, from: 60, until: 80 },
    { step: 1, from: 80, until: 100 },
  ]);
});

it("is nothing for an empty range", () => {
  expect(coarsestStretches(10, 10, everything)).toEqual([]);
});
