import { expect, it } from "vitest";
import { diffRows } from "./diff-rows.ts";

const lines = (count: number, change: Record<number, string> = {}) =>
  Array.from({ length: count }, (_, i) => change[i] ?? `line ${i}`).join("\n");

it("counts all of what is new or gone", () => {
  expect([diffRows("", lines(12)), diffRows(lines(7), "")]).toEqual([12, 7]);
});

it("counts what differs, what is kept around it, and a line for each stretch that is folded away", () => {
  // One line on both sides, three before and behind it, two folds.
  expect(diffRows(lines(30), lines(30, { 15: "other" }))).toBe(2 + 3 + 3 + 2);
  expect(diffRows(lines(30), lines(30, { 1: "other" }))).toBe(2 + 1 + 3 + 1);
  expect(diffRows(lines(5), lines(5, { 2: "other" }))).toBe(2 + 2 + 2);
});

it("takes a line where nothing differs", () => {
  expect([diffRows("", ""), diffRows(lines(5), lines(5))]).toEqual([0, 1]);
});
