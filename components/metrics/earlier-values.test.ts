import { expect, it } from "vitest";
import { atPlacesOf, changeOf } from "./earlier-values.ts";

it("puts an earlier time below a later one, step by step", () => {
  const earlier = { fromMs: 0, stepSec: 10, values: [1, 2, 3] };
  expect(atPlacesOf(earlier, { fromMs: 60_000, stepSec: 10, count: 4 }, 60)).toEqual([1, 2, 3, null]);
});

it("fits steps of another length: of a week ago coarser ones are kept", () => {
  const earlier = { fromMs: 0, stepSec: 20, values: [1, 2] };
  expect(atPlacesOf(earlier, { fromMs: 100_000, stepSec: 10, count: 5 }, 100)).toEqual([1, 1, 2, 2, null]);
  expect(atPlacesOf(earlier, { fromMs: 90_000, stepSec: 10, count: 2 }, 100)).toEqual([null, 1]);
});

it("says how much more it is, where there was something", () => {
  expect(changeOf(15, 10)).toBe(0.5);
  expect(changeOf(15, 0)).toBeNull();
  expect(changeOf(null, 3)).toBeNull();
});
