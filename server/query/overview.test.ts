import { expect, it } from "vitest";
import { Overview } from "../contract/index.ts";
import { buildOverview } from "./overview.ts";
import { edge, row } from "./testing/rows.ts";

const enters = edge("gw", "page");

it("tells the last minute, and the hour in steps: nothing before the first record, nor in a gap, and beside one the rate of what is left", () => {
  const rows = [
    row(enters, { atMs: 130_000, count: 60 }),
    row(enters, { atMs: 190_000, count: 40 }),
    row(enters, { atMs: 190_000, count: 20, code: 503, latencyMs: 900 }),
  ];
  const overview = Overview.parse(
    buildOverview({
      at: 360_000,
      recent: { rows: rows.slice(1), seconds: 30 },
      hour: {
        window: { fromMs: 0, toMs: 360_000, stepSec: 60 },
        rows,
        dataFromMs: 90_000,
        gaps: [
          { fromMs: 200_000, toMs: 230_000, collector: "a", cause: "stopped" },
          { fromMs: 250_000, toMs: 260_000, collector: "a", cause: "stopped" },
        ],
      },
    }),
  );
  expect(overview.signals).toMatchObject({ requestRate: 2, errorShare: 1 / 3 });
  expect(overview.timeline.requestRate).toEqual([null, 0, 1, 2, null, 0]);
  expect(overview.timeline.gaps).toEqual([
    { fromMs: 200_000, toMs: 230_000 },
    { fromMs: 250_000, toMs: 260_000 },
  ]);
  expect(overview.timeline.errorShare).toEqual([null, null, 0, 1 / 3, null, null]);
  expect(overview.timeline.latencyMsP95[3]).toBeGreaterThan(800);
});

it("is calm without a request", () => {
  const overview = buildOverview({
    at: 0,
    recent: { rows: [], seconds: 60 },
    hour: { window: { fromMs: 0, toMs: 120_000, stepSec: 60 }, rows: [], dataFromMs: 0, gaps: [] },
  });
  expect(overview.signals).toMatchObject({ requestRate: 0, errorShare: 0, latencyMsP95: null });
  expect(overview.timeline.requestRate).toEqual([0, 0]);
});
