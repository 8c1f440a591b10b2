import { expect, it } from "vitest";
import { LatencySketch } from "../../../../lib/latency-sketch.ts";
import type { MetricRow } from "../../../../query/reader.ts";
import { type MetricSeries, seriesId } from "../../../../telemetry/metric-record.ts";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch, metric, series } from "../records.ts";
import type { Opened } from "./contract.ts";
import { t0 } from "./rollup-rows.ts";

/** Series of metrics. */
export function metricContract(opened: () => Opened): void {
  const all = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000 };
  const gauge: MetricSeries = { ...series, name: "pool.size", kind: "gauge" };
  const sumUp = (rows: MetricRow[]) => ({
    count: rows.reduce((sum, row) => sum + row.count, 0),
    sum: rows.reduce((sum, row) => sum + row.sum, 0),
    min: Math.min(...rows.map((row) => row.min)),
    max: Math.max(...rows.map((row) => row.max)),
    last: rows.at(-1)?.last,
  });

  it("gives back series and their sums, before and after compaction", async () => {
    const { store, reader } = opened();
    for (let i = 0; i < 720; i++) {
      const metrics = [metric(series, t0 + i * 10, 2), metric(gauge, t0 + i * 10, i % 7)];
      await store.write(batch({ metrics }));
    }
    const found = await reader.metricSeries({ service: "shop", limit: 10 });
    expect(found.map(({ name, kind, labels }) => [name, kind, labels])).toEqual([
      ["http.requests", "counter", { route: "/" }],
      ["pool.size", "gauge", { route: "/" }],
    ]);
    expect(await reader.metricSeries({ name: "pool.size", limit: 10 })).toHaveLength(1);
    expect(await reader.metricSeries({ name: "nothing", limit: 10 })).toEqual([]);
    const ids = found.map((each) => each.id);
    const pass = { nowMs: (t0 + 7300) * 1000, settledUntilMs: (t0 + 7200) * 1000, retention: defaultRetention };
    for (let round = 0; round < 2; round++) {
      for (const stepSec of [10, 60, 3600] as const) {
        const rows = await reader.metrics({ ...all, series: ids, stepSec });
        const of = (index: number) => rows.filter((row) => row.series === ids[index]);
        expect(sumUp(of(0))).toEqual({ count: 720, sum: 1440, min: 2, max: 2, last: 2 });
        expect(sumUp(of(1))).toMatchObject({ count: 720, min: 0, max: 6, last: 719 % 7 });
      }
      while ((await store.compact(pass)).more);
    }
    const hours = await reader.metrics({ ...all, series: ids.slice(0, 1), stepSec: 3600 });
    expect(hours.map((row) => [row.atMs / 1000 - t0, row.count])).toEqual([
      [0, 360],
      [3600, 360],
    ]);
  });

  it("knows where the series stood that count since a start, and when a collector wrote last", async () => {
    const { store } = opened();
    expect(await store.lastWriteMs("collector")).toBeUndefined();
    const histogram = { count: 4, sum: 9.5, bounds: [1, Number.POSITIVE_INFINITY], counts: [3, 1, 0] };
    const state = { seriesId: seriesId(series), timeMs: 2000, startMs: 1000, value: 7.5, histogram: undefined };
    const spread = { ...state, seriesId: "spread", value: 0, histogram };
    const collector = { flushedAtMs: t0 * 1000 };
    await store.write(batch({ collector, metricStates: [state, spread] }));
    await store.write(batch({ collector, metricStates: [{ ...state, timeMs: 3000, value: 8 }] }));
    const many = Array.from({ length: 1200 }, (_, i) => `nobody ${i}`);
    const found = await store.metricStates([...many, state.seriesId, "spread"]);
    expect([...found.values()].toSorted((a, b) => a.value - b.value)).toEqual([
      spread,
      { ...state, timeMs: 3000, value: 8 },
    ]);
    expect(await store.metricStates([])).toEqual(new Map());
    expect(await store.lastWriteMs("collector")).toBe(t0 * 1000);
    expect(await store.lastWriteMs("nobody")).toBeUndefined();
    const pass = { nowMs: (t0 + 8 * 86_400) * 1000, settledUntilMs: t0 * 1000, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    expect(await store.metricStates([state.seriesId])).toEqual(new Map());
  });

  it("holds counts past what is exact, and can still be read and compacted", async () => {
    const { store, reader } = opened();
    const spread = new LatencySketch();
    spread.add(10, 2 ** 64);
    for (let i = 0; i < 12; i++) {
      const huge = { ...metric(series, t0 + i * 10, 1), count: 2 ** 64, sum: Number.MAX_VALUE, spread };
      await store.write(batch({ metrics: [huge] }));
    }
    const [{ id } = { id: 0 }] = await reader.metricSeries({ name: series.name, limit: 1 });
    const pass = { nowMs: (t0 + 7300) * 1000, settledUntilMs: (t0 + 7200) * 1000, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    for (const stepSec of [10, 60, 3600] as const) {
      const rows = await reader.metrics({ ...all, series: [id], stepSec });
      expect(sumUp(rows).count).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
    }
  });

  it("keeps how observations are spread", async () => {
    const { store, reader } = opened();
    const spread = new LatencySketch();
    for (const value of [10, 20, 30]) spread.add(value);
    const histogram: MetricSeries = { ...series, name: "latency", kind: "histogram" };
    await store.write(batch({ metrics: [{ ...metric(histogram, t0, 60), count: 3, spread }] }));
    const [{ id } = { id: 0 }] = await reader.metricSeries({ name: "latency", limit: 1 });
    const [row] = await reader.metrics({ ...all, series: [id], stepSec: 10 });
    expect(row).toMatchObject({ count: 3, sum: 60 });
    expect(LatencySketch.decode(row?.spread ?? new Uint8Array()).quantile(0.5)).toBeCloseTo(20, 0);
  });
}
