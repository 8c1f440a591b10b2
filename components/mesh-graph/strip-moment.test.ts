import { expect, it } from "vitest";
import type { Change } from "../../server/contract/index.ts";
import { stripMoment } from "./strip-moment.ts";

const change = (revision: number, at: number): Change => ({
  revision,
  at,
  author: "ana",
  summary: "",
  words: [],
  kind: "config",
  objects: [],
});
const timeline = {
  fromMs: 10_000,
  stepSec: 1,
  requestRate: [0, 5, 20, 0],
  errorShare: [0, 0, 0.5, 0],
  recordedFromMs: 11_000,
  gaps: [{ fromMs: 13_000, toMs: 14_000 }],
};
const span = { from: 10_000, to: 14_000, stepMs: 1000 };
const at = (ms: number, changes: Change[] = []) => stripMoment({ timeline }, span, changes, { ms, nearMs: 300 });

it("tells the step under the pointer", () => {
  expect(at(12_900)).toEqual({ at: 12_000, requestRate: 20, errorShare: 0.5, changes: [] });
  expect(at(99_000).at).toBe(13_000);
  expect(at(0).at).toBe(10_000);
});

it("says nothing of what was not recorded", () => {
  expect([at(10_500).requestRate, at(13_500).requestRate]).toEqual([null, null]);
  expect(
    stripMoment({ timeline: { ...timeline, requestRate: [], errorShare: [] } }, span, [], { ms: 1, nearMs: 1 }),
  ).toEqual({ at: 10_000, requestRate: null, errorShare: 0, changes: [] });
});

it("names the changes near the pointer, the newest of many", () => {
  const many = [change(5, 12_300), change(1, 12_000), change(2, 12_100), change(3, 12_200), change(9, 13_900)];
  expect(at(12_100, many).changes.map(({ revision }) => revision)).toEqual([2, 3, 5]);
});
