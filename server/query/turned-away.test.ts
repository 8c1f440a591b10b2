import { expect, it } from "vitest";
import type { MetricRow, MetricSeriesRow } from "./reader.ts";
import { readTurnedAway } from "./turned-away.ts";

it("sums what listeners counted, by their addresses, and says nothing of those that turned nobody away", async () => {
  const addresses = ["127.0.0.1_9080", "127.0.0.1_9080", "[::1]_9090", "10.0.0.1_80"];
  const series = addresses.map(
    (address, id) => ({ id, labels: { envoy_listener_address: address } }) as never as MetricSeriesRow,
  );
  const counted: [series: number, sum: number][] = [
    [0, 2],
    [0, 1],
    [1, 4],
    [2, 5],
    [3, 0],
  ];
  const reader = {
    metricSeries: async () => series,
    metrics: async () => counted.map(([id, sum]) => ({ series: id, sum }) as MetricRow),
  };
  const steps = { window: { fromMs: 0, toMs: 60_000, stepSec: 60 }, readStep: 60 as const };
  expect([...(await readTurnedAway(reader, steps))]).toEqual([
    ["127.0.0.1:9080", 7],
    ["[::1]:9090", 5],
  ]);
});
