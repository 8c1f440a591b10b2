import { describe, expect, it } from "vitest";
import {
  type HistogramValue,
  type MetricEntry,
  type MetricPoint,
  type MetricSeries,
  type MetricState,
  seriesId,
} from "./metric-record.ts";
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
const nobody = { maxSeries: 10, sinceMs: t0 - 60_000 };

/** What is summed, where the store knows nothing of the series but what is given. */
function drained(rollUp: MetricRollUp, states: readonly MetricState[] = []): MetricEntry[] {
  rollUp.settle(new Map(states.map((state) => [state.seriesId, state])), now);
  return rollUp.drain(now).entries;
}

describe("after a restart of the collector", () => {
  const of = series("counter");
  const startMs = t0 - 3_600_000;
  const at = (atSec: number, value: number, changes: Partial<MetricPoint> = {}) =>
    point(of, atSec, value, { startMs, ...changes });
  const sums = (entries: readonly MetricEntry[]) => entries.map(({ sum }) => sum);
  /** What the run before left in the store. */
  function runBefore(...points: MetricPoint[]): MetricState[] {
    const rollUp = new MetricRollUp(nobody);
    rollUp.add(points, now);
    rollUp.settle(new Map(), now);
    return rollUp.drain(now).states;
  }

  it("the first point is neither lost nor counted twice", () => {
    const states = runBefore(at(0, 100), at(10, 140));
    expect(states).toEqual([
      { seriesId: seriesId(of), timeMs: t0 + 10_000, startMs, value: 140, histogram: undefined },
    ]);
    const after = new MetricRollUp(nobody);
    expect(after.add([at(20, 150), at(30, 151)], now)).toBe(2);
    expect(after.unsettled()).toEqual([seriesId(of)]);
    expect(after.drain(now)).toEqual({ entries: [], states: [] });
    expect(sums(drained(after, states))).toEqual([10, 1]);
    after.add([at(40, 155)], now);
    expect(after.unsettled()).toEqual([]);
    expect(sums(drained(after))).toEqual([4]);
  });

  it("the same point sent again adds nothing, and one of a source that began anew meanwhile all that it has", () => {
    const states = runBefore(at(10, 140));
    const again = new MetricRollUp(nobody);
    again.add([at(10, 140)], now);
    expect(sums(drained(again, states)).reduce((a, b) => a + b, 0)).toBe(0);
    const anew = new MetricRollUp(nobody);
    anew.add([at(20, 200, { startMs: t0 + 15_000 })], now);
    expect(sums(drained(anew, states))).toEqual([200]);
  });

  it("a histogram goes on, too", () => {
    const histogram = (counts: number[], sum: number): HistogramValue => ({
      ...{ count: counts.reduce((a, b) => a + b), sum, bounds: [10], counts },
    });
    const latency = series("histogram", { name: "h" });
    const rollUp = new MetricRollUp(nobody);
    rollUp.add([point(latency, 0, 0, { startMs, histogram: histogram([5, 1], 60) })], now);
    rollUp.settle(new Map(), now);
    const { states } = rollUp.drain(now);
    const after = new MetricRollUp(nobody);
    after.add([point(latency, 20, 0, { startMs, histogram: histogram([7, 2], 90) })], now);
    expect(drained(after, states)).toMatchObject([{ count: 3, sum: 30 }]);
  });

  it("a series that a known source did not have before counts from zero, and one of a source that nobody knows does not", () => {
    const states = runBefore(at(10, 140));
    const after = new MetricRollUp(nobody);
    const errors = series("counter", { labels: { code: "500" } });
    const stranger = series("counter", { service: "old" });
    after.add([at(20, 141), point(errors, 20, 3, { startMs }), point(stranger, 20, 1_000_000, { startMs })], now);
    expect(sums(drained(after, states)).toSorted()).toEqual([1, 3]);
  });

  it("where others write to the same store, what they wrote last counts", () => {
    const here = new MetricRollUp({ ...nobody, shared: true });
    here.add([at(0, 100)], now);
    const mine = new Map([[seriesId(of), runBefore(at(-10, 90))[0] as MetricState]]);
    here.settle(mine, now);
    expect(sums(here.drain(now).entries)).toEqual([10]);
    here.add([at(30, 150)], now); // 130 was told elsewhere meanwhile
    expect(sums(drained(here, runBefore(at(20, 130))))).toEqual([20]);
  });

  it("while the store does not answer, a bounded number of points waits, and none is missed", () => {
    const after = new MetricRollUp({ maxSeries: 2, sinceMs: t0 });
    for (let i = 1; i <= 100; i++) after.add([at(20, 140 + i, { timeMs: t0 + 20_000 + i })], now);
    expect(sums(drained(after, runBefore(at(10, 140)))).reduce((a, b) => a + b, 0)).toBe(100);
  });
});

describe("counters", () => {
  it("that hold all since their start are stored by how much they grew", () => {
    const rollUp = new MetricRollUp(nobody);
    const of = series("counter");
    rollUp.add([point(of, 0, 100), point(of, 5, 107), point(of, 8, 110), point(of, 15, 111)], now);
    expect(drained(rollUp).map(({ second, sum, last }) => [second * 1000 - t0, sum, last])).toEqual([
      [0, 10, 110],
      [10_000, 1, 111],
    ]);
    rollUp.add([point(of, 25, 115)], now);
    expect(drained(rollUp)).toMatchObject([{ sum: 4 }]);
  });

  it("that began since points are taken in count from their start", () => {
    const rollUp = new MetricRollUp(nobody);
    const startMs = t0 - 1000;
    const before = { startMs: t0 - 90_000 };
    rollUp.add([point(series("counter"), 0, 100, { startMs }), point(series("counter"), 5, 107, { startMs })], now);
    rollUp.add([point(series("counter", { name: "old" }), 0, 100, before)], now);
    rollUp.add([point(series("counter", { name: "odd" }), 0, 100, { startMs: t0 + 5000 })], now); // its clock can't be right
    const histogram = { count: 3, sum: 9, bounds: [10], counts: [3, 0] };
    rollUp.add([point(series("histogram", { name: "h" }), 0, 0, { startMs, histogram })], now);
    expect(drained(rollUp).map(({ series: { name }, sum }) => [name, sum])).toEqual([
      ["m", 107],
      ["h", 9],
    ]);
  });

  it("that begin anew count from zero", () => {
    const rollUp = new MetricRollUp(nobody);
    const of = series("counter");
    rollUp.add([point(of, 0, 100), point(of, 10, 3), point(of, 20, 50, { startMs: t0 + 15_000 })], now);
    expect(drained(rollUp).map((entry) => entry.sum)).toEqual([3, 50]);
  });

  it("that hold what came since the last point are added up", () => {
    const rollUp = new MetricRollUp(nobody);
    const delta = { cumulative: false };
    rollUp.add([point(series("counter"), 1, 4, delta), point(series("counter"), 2, 5, delta)], now);
    expect(drained(rollUp)).toMatchObject([{ count: 2, sum: 9 }]);
  });
});

describe("what would be counted twice or not at all", () => {
  it("points that hold what came since the last one count in any order, and one that is sent again once", () => {
    const rollUp = new MetricRollUp(nobody);
    const delta = (atSec: number, value: number) =>
      point(series("counter"), atSec, value, { cumulative: false, startMs: t0 + (atSec - 10) * 1000 });
    rollUp.add([delta(20, 5), delta(10, 4), delta(30, 6), delta(30, 6)], now);
    expect(drained(rollUp).reduce((sum, entry) => sum + entry.sum, 0)).toBe(15);
  });

  it("a source whose clock runs ahead does not begin anew with each point", () => {
    const rollUp = new MetricRollUp({ maxSeries: 10, sinceMs: t0 });
    const aheadMs = 3_600_000;
    const at = (sec: number, value: number) =>
      point(series("counter"), sec, value, { startMs: t0 + aheadMs, timeMs: t0 + aheadMs + sec * 1000 });
    rollUp.add([at(10, 10), at(20, 20), at(30, 25)], t0 + 30_000);
    rollUp.settle(new Map(), t0 + 30_000);
    expect(rollUp.drain(t0).entries.reduce((sum, entry) => sum + entry.sum, 0)).toBe(25);
  });

  it("an exponential histogram that moves its bounds or makes its buckets wider goes on", () => {
    const rollUp = new MetricRollUp(nobody);
    const of = series("histogram", { name: "h" });
    const at = (sec: number, scale: number, offset: number, counts: number[]) => {
      const base = 2 ** (2 ** -scale);
      const bounds = [0, base ** offset, ...counts.map((_, i) => base ** (offset + i + 1))];
      const count = counts.reduce((a, b) => a + b);
      return point(of, sec, 0, { histogram: { count, sum: count * 10, bounds, counts: [0, 0, ...counts, 0] } });
    };
    rollUp.add([at(0, 1, 4, [1, 2, 3, 4]), at(10, 1, 2, [1, 0, 1, 2, 3, 4]), at(20, 0, 0, [0, 2, 4, 9, 1])], now);
    expect(drained(rollUp).map(({ count, sum }) => [count, sum])).toEqual([
      [1, 10],
      [5, 50],
    ]);
  });

  it("two libraries of a program that call what they count alike are two series", () => {
    const rollUp = new MetricRollUp(nobody);
    const [a, b] = [series("counter", { scope: "a 1.0" }), series("counter", { scope: "b 1.0" })];
    rollUp.add([point(a, 0, 100), point(b, 0, 7), point(a, 10, 101), point(b, 10, 9)], now);
    expect(drained(rollUp).map(({ sum }) => sum)).toEqual([1, 2]);
  });
});

it("keeps of a gauge its least, largest and last value", () => {
  const rollUp = new MetricRollUp(nobody);
  rollUp.add(
    [7, 3, 5].map((value, i) => point(series("gauge"), i, value)),
    now,
  );
  expect(drained(rollUp)).toMatchObject([{ count: 3, sum: 15, min: 3, max: 7, last: 5 }]);
});

it("keeps how a histogram's new observations are spread, seconds in milliseconds", () => {
  const rollUp = new MetricRollUp(nobody);
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
  const [entry] = drained(rollUp);
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
