import { expect, it } from "vitest";
import { niceTop } from "./chart-axis.ts";
import { areaUnder, linePath } from "./sparkline.tsx";

it("draws a gap where nothing was seen", () => {
  expect(linePath([1, 1, null, 1], 30, 20, 1)).toBe("M0.0,2.0L10.0,2.0M30.0,2.0h0");
});

it("stays on the ground without any value", () => expect(linePath([0, 0], 10, 20)).toBe("M0.0,18.0L10.0,18.0"));

it("puts the top of a chart on a round number above the largest value", () => {
  expect([0, null, 0.9, 17, 93, 1234].map(niceTop)).toEqual([1, 1, 1, 20, 120, 1500]);
});

it("where nothing is known there is neither a line nor what lies under it", () => {
  const line = linePath([null, null], 50, 24);
  expect([line, areaUnder(line, 24)]).toEqual(["", ""]);
  expect(areaUnder("M0,1L50,2", 24)).toBe("M0,1L50,2L50,24L0,24Z");
});

it("fills nothing under a time of which nothing is known", () => {
  expect(areaUnder(linePath([1, 1, null, 1, 1, null], 50, 24, 1), 24)).toBe(
    "M0.0,2.0L10.0,2.0L10.0,24L0.0,24ZM30.0,2.0L40.0,2.0L40.0,24L30.0,24Z",
  );
});
