import { expect, it } from "vitest";
import { placeMarks } from "./strip-marks.ts";

const mark = (x: number, text = "reviews 50/30/20") => ({ change: x, x, text });

it("keeps the newest words where two would cover each other", () => {
  const placed = placeMarks([mark(400), mark(430), mark(700)], 1000);
  expect(placed.map(({ x, labelled }) => [x, labelled])).toEqual([
    [700, true],
    [430, true],
    [400, false],
  ]);
});

it("keeps words inside of the strip", () => {
  const placed = placeMarks([mark(5), mark(995)], 1000);
  expect(placed.map(({ align }) => align)).toEqual(["right", "left"]);
});

it("leaves out words that would fill a narrow strip", () =>
  expect(placeMarks([mark(50)], 120)[0]?.labelled).toBe(false));
