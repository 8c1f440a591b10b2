import { describe, expect, it } from "vitest";
import type { MetricPoint, MetricSeries } from "./metric-record.ts";
import { MetricRollUp } from "./metric-roll-up.ts";

const t0 = 1_767_225_600_000;
const series = (kind: MetricSeries["kind"], changes: Partial<MetricSeries> = {}): MetricSeries => ({
  name: "m",
  kind,
  unit: "1",
  description: "",
  service: "shop",
  instance: "",
  labels: {},
  ...changes,
});
const point = (of: MetricSeries, atSec: number, value: number, changes: Partial<MetricPoint> = {}): MetricPoint => ({
  series: of,
  timeMs: t0 + atSec * 1000,
  startMs: 0,
  cumulative: true,
  value,
  ...changes,
});
const now = t0 + 600_000;

describe("counters", () => {
  it("that hold all since their start are stored by how much they grew", () => {
    const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 - 60_000 });
    const of = series("counter");
    rollUp.add([point(of, 0, 100), point(of, 5, 107), point(of, 8, 110), point(of, 15, 111)], now);
    expect(rollUp.drain(now).map(({ second, sum, last }) => [second * 1000 - t0, sum, last])).toEqual([
      [0, 10, 110],
      [10_000, 1, 111],
    ]);
    rollUp.add([point(of, 25, 115)], now);
    expect(rollUp.drain(now)).toMatchObject([{ sum: 4 }]);
  });

  it("that began since points are taken in count from their start", () => {
    const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 - 60_000 });
    const startMs = t0 - 1000;
    const before = { startMs: t0 - 90_000 };
    rollUp.add([point(series("counter"), 0, 100, { startMs }), point(series("counter"), 5, 107, { startMs })], now);
    rollUp.add([point(series("counter", { name: "old" }), 0, 100, before)], now);
    rollUp.add([point(series("counter", { name: "odd" }), 0, 100, { startMs: t0 + 5000 })], now); // its clock can't be right
    const histogram = { count: 3, sum: 9, bounds: [10], counts: [3, 0] };
    rollUp.add([point(series("histogram", { name: "h" }), 0, 0, { startMs, histogram })], now);
    expect(rollUp.drain(now).map(({ series: { name }, sum }) => [name, sum])).toEqual([
      ["m", 107],
      ["h", 9],
    ]);
  });

  it("that begin anew count from zero", () => {
    const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 - 60_000 });
    const of = series("counter");
    rollUp.add([point(of, 0, 100), point(of, 10, 3), point(of, 20, 50, { startMs: t0 + 15_000 })], now);
    expect(rollUp.drain(now).map((entry) => entry.sum)).toEqual([3, 50]);
  });

  it("that hold what came since the last point are added up", () => {
    const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 - 60_000 });
    const delta = { cumulative: false };
    rollUp.add([point(series("counter"), 1, 4, delta), point(series("counter"), 2, 5, delta)], now);
    expect(rollUp.drain(now)).toMatchObject([{ count: 2, sum: 9 }]);
  });
});

it("keeps of a gauge its least, largest and last value", () => {
  const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 - 60_000 });
  rollUp.add(
    [7, 3, 5].map((value, i) => point(series("gauge"), i, value)),
    now,
  );
  expect(rollUp.drain(now)).toMatchObject([{ count: 3, sum: 15, min: 3, max: 7, last: 5 }]);
});

it("keeps how a histogram's new observations are spread, seconds in milliseconds", () => {
  const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 - 60_000 });
  const of = series("histogram", { unit: "s" });
  const histogram = (counts: number[], sum: number) => ({
    count: counts.reduce((a, b) => a + b),
    sum,
    bounds: [0.1, 0.2],
    counts,
  });
  rollUp.add(
    [
      point(of, 0, 0, { histogram: histogram([5, 5, 5], 9) }),
      point(of, 1, 0, { histogram: histogram([5, 15, 5], 10.5) }),
    ],
    now,
  );
  const [entry] = rollUp.drain(now);
  expect(entry).toMatchObject({ count: 10, sum: 1.5, min: 0.1, max: 0.2 });
  expect(entry?.spread?.quantile(0.5)).toBeCloseTo(150, -1);
});

it("refuses points of more series than it may hold", () => {
  const rollUp = new MetricRollUp({ maxSeries: 3, sinceMs: t0 - 60_000 });
  const points = Array.from({ length: 5 }, (_, i) => point(series("gauge", { labels: { i: `${i}` } }), 0, 1));
  expect(rollUp.add(points, now)).toBe(3);
  expect(rollUp.refused).toBe(2);
  expect(rollUp.add(points.slice(0, 3), now)).toBe(3);
});
