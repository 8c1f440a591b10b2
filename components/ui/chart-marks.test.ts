import { expect, it } from "vitest";
import { type ChartMark, placeMarks } from "./chart-marks.ts";

const at = (...times: number[]): ChartMark[] => times.map((atMs) => ({ atMs, label: String(atMs), color: "red" }));
const shape = (marks: ChartMark[], width = 500) =>
  placeMarks(marks, 0, 500, width).map(({ x, marks: these, words }) => [x, these.length, words?.side ?? null]);

it("puts marks where their moment is, in order, and leaves out those of another time", () => {
  expect(shape(at(300, 100, 900, -5))).toEqual([
    [100, 1, "right"],
    [300, 1, "right"],
  ]);
});

it("gathers what would lie over each other under one flag", () => {
  expect(shape(at(100, 104, 110, 200))).toEqual([
    [100, 3, "right"],
    [200, 1, "right"],
  ]);
});

it("writes to the left where the right has no room, and not at all where neither has", () => {
  expect(shape(at(480))).toEqual([[480, 1, "left"]]);
  expect(shape(at(440, 480))).toEqual([
    [440, 1, "left"],
    [480, 1, null],
  ]);
  expect(shape(at(250), 60)).toEqual([[30, 1, null]]);
});

it("never lets words reach into the next flag's place", () => {
  const [first, second] = placeMarks(at(100, 220, 480), 0, 500, 500);
  expect((first?.x ?? 0) + (first?.words?.room ?? 0)).toBeLessThan((second?.x ?? 0) - 7);
});
