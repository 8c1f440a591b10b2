import { expect, it } from "vitest";
import { MutualTlsTrend } from "../contract/index.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { batch, rollup } from "../store/telemetry/testing/records.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { arrivesAt, mutualTlsTrend } from "./mutual-tls-trend.ts";
import { createQueries } from "./queries.ts";
import { edge, row } from "./testing/rows.ts";

const told = { reporter: "destination" } as const;
const plain = edge("", "reviews", told);
const mutual = edge("productpage", "reviews", { ...told, mtls: true });
const window = { fromMs: 0, toMs: 40_000, stepSec: 10 };

it("tells each step's calls by how they came, nothing of what was not recorded, and no share where nobody called", () => {
  const rows = [
    row(plain, { atMs: 10_000, count: 30 }),
    row(mutual, { atMs: 10_000, count: 5 }),
    row(mutual, { atMs: 14_000, count: 5 }),
    row(mutual, { atMs: 30_000, count: 40 }),
  ];
  expect(mutualTlsTrend({ window, rows, dataFromMs: 10_000, gaps: [] })).toEqual({
    ...window,
    dataFromMs: 10_000,
    mutual: [null, 1, 0, 4],
    plain: [null, 3, 0, 0],
    share: [null, 0.25, null, 1],
  });
  const gap = { fromMs: 20_000, toMs: 25_000, collector: "a", cause: "stopped" as const };
  expect(mutualTlsTrend({ window, rows, dataFromMs: 0, gaps: [gap] }).plain).toEqual([0, 3, null, 0]);
});

it("counts a call once, where it arrived, and none from outside the mesh", () => {
  const all = arrivesAt({});
  expect([plain, mutual].map(all)).toEqual([true, true]);
  expect(all(edge("productpage", "reviews"))).toBe(false);
  expect(all(edge("", "gateway", { ...told, gateway: true }))).toBe(false);
  expect(all(edge("", "reviews/-", told))).toBe(false);
  expect(arrivesAt({ namespace: "default" })(plain)).toBe(true);
  expect(arrivesAt({ namespace: "other" })(plain)).toBe(false);
  expect(arrivesAt({ namespace: "default", workload: "reviews-v1" })(plain)).toBe(true);
  expect(arrivesAt({ namespace: "default", workload: "reviews-v2" })(plain)).toBe(false);
});

it("reads a week from hours, with what is recorded of a single second of it", async () => {
  const t0 = 1_767_225_600;
  const store = new MemoryTelemetryStore();
  const times = [t0, t0 + 3 * 86_400, t0 + 6 * 86_400];
  await store.write(batch({ rollups: times.map((second, i) => rollup(i < 1 ? plain : mutual, second)) }));
  const queries = createQueries({ reader: store, clock: new ManualClock((t0 + 6.5 * 86_400) * 1000) });
  const trend = MutualTlsTrend.parse(await queries.mutualTlsTrend({ window: 7 * 86_400 }));
  expect(trend.share.filter((value) => value !== null)).toEqual([0, 1, 1]);
  expect(trend).toMatchObject({ stepSec: 3600, toMs: (t0 + 6.5 * 86_400 - 3600) * 1000 });
});

it("begins with the first record, so that a young mesh has a curve on any range", async () => {
  const t0 = 1_767_225_600;
  const store = new MemoryTelemetryStore();
  await store.write(batch({ rollups: [rollup(plain, t0), rollup(mutual, t0 + 90)] }));
  const queries = createQueries({ reader: store, clock: new ManualClock((t0 + 120) * 1000) });
  const { share, stepSec } = await queries.mutualTlsTrend({ window: 7 * 86_400 });
  expect(share.filter((value) => value !== null)).toEqual([0, 1]);
  expect(stepSec).toBeLessThan(10);
});
