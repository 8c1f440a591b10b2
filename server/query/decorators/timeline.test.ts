import { expect, it } from "vitest";
import { enteringEdges } from "../entering.ts";
import { buildGraph } from "../graph.ts";
import { edge, facts, graphInput, row } from "../testing/rows.ts";

const timeline = (rows: ReturnType<typeof row>[], stepSec = 5) => {
  const window = { fromMs: 0, toMs: 10_000, stepSec };
  const entering = enteringEdges(rows, facts());
  const counted = rows.filter((each) => entering.has(each.edge));
  return buildGraph({ ...graphInput([]), timeline: { window, rows: counted } }).timeline;
};

it("counts what enters the mesh, once, per step", () => {
  const entry = edge("", "gw", { reporter: "destination", gateway: true });
  const rows = [
    row(entry, { atMs: 1000, count: 15 }),
    row(entry, { atMs: 4000, count: 5, code: 503 }),
    row(entry, { atMs: 5000, count: 10 }),
    row(edge("gw", "page", { gateway: true }), { atMs: 1000, count: 20 }),
    row(edge("page", "reviews"), { atMs: 1000, count: 40 }),
  ];
  expect(timeline(rows)).toEqual({
    fromMs: 0,
    stepSec: 5,
    requestRate: [4, 2],
    errorShare: [0.25, 0],
    recordedFromMs: 0,
  });
});

it("goes by those that nobody calls where every client has a sidecar", () => {
  const rows = [
    row(edge("load", "page"), { atMs: 0, count: 10 }),
    row(edge("load", "page", { reporter: "destination" }), { atMs: 0, count: 10 }),
    row(edge("page", "reviews"), { atMs: 0, count: 99 }),
  ];
  expect(timeline(rows).requestRate).toEqual([2, 0]);
});

it("is flat, not missing, without traffic", () => {
  expect(timeline([], 1).requestRate).toEqual(Array(10).fill(0));
});

it("says from when on there is a record, where the mesh is younger than the strip", () => {
  const window = { fromMs: 0, toMs: 10_000, stepSec: 5 };
  const recorded = (dataFromMs: number) =>
    buildGraph({ ...graphInput([]), timeline: { window, rows: [], dataFromMs } }).timeline.recordedFromMs;
  expect([recorded(7000), recorded(0)]).toEqual([7000, 0]);
});

it("is as high as it was where the mesh was down for a part of a step", () => {
  const window = { fromMs: 0, toMs: 20_000, stepSec: 10 };
  const rows = [row(edge("", "gw", { gateway: true }), { atMs: 2000, count: 40 })];
  const gaps = [{ fromMs: 4000, toMs: 10_000, collector: "a", cause: "stopped" as const }];
  const timeline = { window, rows, dataFromMs: 0 };
  expect(buildGraph({ ...graphInput([]), timeline, gaps }).timeline.requestRate).toEqual([10, 0]);
});
