import { expect, it } from "vitest";
import type { LatencyHeatmap } from "../../server/contract/index.ts";
import { cellText, levelOf, neighbour, parseCell, rangeOf, sinceRecorded } from "./heatmap-cells.ts";

const cell = (step: number, row: number, count = 1) => ({ step, row, count, errors: 0 });
const map: LatencyHeatmap = {
  fromMs: 1000,
  stepSec: 10,
  dataFromMs: 0,
  boundsMs: [10, 15, 680_000],
  leastMs: 6.8,
  cells: [],
  steps: 3,
};

it("knows what a cell stands for, and writes it into the address and back", () => {
  expect(rangeOf(map, cell(1, 0))).toEqual({ fromMs: 11_000, toMs: 21_000, minMs: 6.8, maxMs: 10 });
  const slowest = rangeOf(map, cell(0, 2));
  expect(slowest).toEqual({ fromMs: 1000, toMs: 11_000, minMs: 15, maxMs: null });
  for (const range of [slowest, rangeOf(map, cell(1, 0))]) expect(parseCell(cellText(range))).toEqual(range);
  for (const text of [null, "", "1_2_3", "a_b_c_d"]) expect(parseCell(text)).toBeNull();
});

it("begins where there are records", () => {
  const young = sinceRecorded({ ...map, dataFromMs: 15_000, cells: [cell(1, 0), cell(2, 1)] });
  expect(young).toMatchObject({ fromMs: 11_000, steps: 2, cells: [cell(0, 0), cell(1, 1)] });
  expect(sinceRecorded({ ...map, dataFromMs: 0 })).toEqual({ ...map, dataFromMs: 0 });
  expect(sinceRecorded({ ...map, dataFromMs: 999_000 }).steps).toBe(1);
});

it("shows one among thousands", () => {
  expect(levelOf(1, 5000)).toBeCloseTo(0.12);
  expect(levelOf(5000, 5000)).toBe(1);
  expect(levelOf(1, 1)).toBe(1);
});

it("goes to the nearest cell in a direction", () => {
  const cells = [cell(0, 0), cell(1, 0), cell(2, 3), cell(5, 0), cell(1, 4)];
  const [at] = cells;
  if (!at) throw new Error("no cell");
  expect(neighbour(cells, at, "ArrowRight")).toEqual(cell(1, 0));
  expect(neighbour(cells, cell(1, 0), "ArrowRight")).toEqual(cell(5, 0));
  expect(neighbour(cells, cell(1, 0), "ArrowUp")).toEqual(cell(1, 4));
  expect(neighbour(cells, at, "ArrowLeft")).toBeUndefined();
  expect(neighbour(cells, at, "Enter")).toBeUndefined();
});
