import { expect, it } from "vitest";
import { LatencySketch } from "../lib/latency-sketch.ts";
import { noFacts } from "./facts.ts";
import { buildLatencyHeatmap } from "./latency-heatmap.ts";
import type { EdgeRow, RollupRow } from "./reader.ts";

const peer = (app: string) => ({ workload: `${app}-v1`, namespace: "d", app, version: "v1" });
const edge = (reporter: EdgeRow["reporter"], protocol: EdgeRow["protocol"] = "http"): EdgeRow => ({
  id: 1,
  reporter,
  gateway: false,
  source: peer("a"),
  service: "b.d",
  destination: peer("b"),
  protocol,
  mtls: false,
});

function row(atMs: number, values: number[], changes: Partial<RollupRow> = {}): RollupRow {
  const sketch = new LatencySketch();
  for (const value of values) sketch.add(value);
  return {
    atMs,
    edge: edge("source"),
    code: 200,
    grpcStatus: -1,
    flags: [],
    count: values.length,
    requestBytes: 0,
    responseBytes: 0,
    requestMessages: 0,
    responseMessages: 0,
    latency: sketch.encode(),
    ...changes,
  };
}

const window = { fromMs: 0, toMs: 30_000, stepSec: 10 };

it("counts each request once, by when and how long, and which failed", () => {
  const rows = [
    row(0, [2, 2, 40]),
    row(5000, [40], { code: 503 }),
    row(20_000, [0.2]),
    // The same, as the other side told it; and a connection.
    row(0, [2, 2, 40], { edge: edge("destination") }),
    row(0, [5000], { edge: edge("source", "tcp") }),
  ];
  const heatmap = buildLatencyHeatmap({ window, dataFromMs: 0, gaps: [], rows, facts: noFacts });
  expect(heatmap).toMatchObject({ stepSec: 10, steps: 3, leastMs: 0 });
  expect(heatmap.boundsMs[0]).toBe(1);
  expect(heatmap.boundsMs.at(-1)).toBe(47);
  const shown = heatmap.cells.map(({ step, row, count, errors }) => [step, heatmap.boundsMs[row], count, errors]);
  expect(shown).toEqual([
    [0, 2.2, 2, 0],
    [0, 47, 2, 1],
    [2, 1, 1, 0],
  ]);
});

it("is empty without requests, and has the slowest in its last row", () => {
  expect(buildLatencyHeatmap({ window, dataFromMs: 0, gaps: [], rows: [], facts: noFacts })).toMatchObject({
    boundsMs: [],
    cells: [],
  });
  const slow = buildLatencyHeatmap({ window, dataFromMs: 0, gaps: [], rows: [row(0, [5_000_000])], facts: noFacts });
  expect(slow.cells).toEqual([{ step: 0, row: 0, count: 1, errors: 0 }]);
  expect(slow.leastMs).toBe(470_000);
});
