import { LatencySketch } from "../lib/latency-sketch.ts";
import {
  type HistogramValue,
  type MetricEntry,
  type MetricPoint,
  type MetricSeries,
  seriesId,
} from "./metric-record.ts";

export interface MetricLimits {
  /** Different series; points of further ones are refused. */
  maxSeries: number;
  /** Since when points are taken in, Unix milliseconds: what a source counted from a later start on happened under our eyes. */
  sinceMs: number;
}

const stepSec = 10;
const idleMs = 3_600_000;
const oldestMs = 3_600_000;

/** What is remembered of a series, to tell growth from a new beginning. */
interface Known {
  series: MetricSeries;
  id: string;
  timeMs: number;
  startMs: number;
  value: number;
  histogram: HistogramValue | undefined;
}

/** Sums points by series and ten seconds, until drained; of what only grows, by how much it grew. */
export class MetricRollUp {
  refused = 0;
  readonly #known = new Map<string, Known>();
  #entries = new Map<string, MetricEntry>();
  /** May change; those that are there already stay. */
  maxSeries: number;

  readonly #sinceMs: number;

  constructor({ maxSeries, sinceMs }: MetricLimits) {
    this.maxSeries = maxSeries;
    this.#sinceMs = sinceMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  get series(): number {
    return this.#known.size;
  }

  /** How many of the points were taken. */
  add(points: readonly MetricPoint[], nowMs: number): number {
    let taken = 0;
    for (const point of points) if (this.#add(point, nowMs)) taken++;
    this.refused += points.length - taken;
    return taken;
  }

  /** Everything summed so far; summing starts anew, and series that fell silent are forgotten. */
  drain(nowMs: number): MetricEntry[] {
    const drained = [...this.#entries.values()];
    this.#entries = new Map();
    if (this.#known.size > this.maxSeries / 2) {
      for (const [id, known] of this.#known) if (nowMs - known.timeMs > idleMs) this.#known.delete(id);
    }
    return drained;
  }

  #add(point: MetricPoint, nowMs: number): boolean {
    const id = seriesId(point.series);
    const before = this.#known.get(id);
    if (before === undefined && this.#known.size >= this.maxSeries) return false;
    const timeMs = Math.min(nowMs, Math.max(nowMs - oldestMs, point.timeMs || nowMs));
    if (before !== undefined && timeMs < before.timeMs) return true; // out of order: what it would add is in the later one
    const known: Known = {
      series: before?.series ?? point.series,
      id,
      timeMs,
      startMs: point.startMs,
      value: point.value,
      histogram: point.histogram,
    };
    this.#known.set(id, known);
    if (point.series.kind === "histogram") this.#addHistogram(known, before, point);
    else if (Number.isFinite(point.value)) this.#addNumber(known, before, point);
    return true;
  }

  #addNumber(known: Known, before: Known | undefined, { series, value, cumulative }: MetricPoint): void {
    let amount = value;
    if (series.kind === "counter" && cumulative) {
      if (before === undefined && !this.#beganSince(known)) return;
      const anew =
        before !== undefined && (value < before.value || (known.startMs > 0 && known.startMs > before.timeMs));
      amount = before === undefined || anew ? value : value - before.value;
    }
    const entry = this.#entry(known);
    entry.count++;
    entry.sum += amount;
    entry.min = Math.min(entry.min, amount);
    entry.max = Math.max(entry.max, amount);
    entry.last = value;
  }

  #addHistogram(known: Known, before: Known | undefined, { series, histogram, cumulative }: MetricPoint): void {
    if (histogram === undefined) return;
    if (cumulative && before === undefined && !this.#beganSince(known)) return;
    const grown = cumulative ? increaseOf(histogram, before?.histogram) : histogram;
    if (grown.count <= 0) return;
    const entry = this.#entry(known);
    entry.spread ??= new LatencySketch();
    entry.count += grown.count;
    entry.sum += grown.sum;
    const scale = series.unit === "s" ? 1000 : 1;
    for (const [i, count] of grown.counts.entries()) {
      if (count <= 0) continue;
      const { low, high } = endsOf(grown.bounds, i);
      entry.min = Math.min(entry.min, low);
      entry.max = Math.max(entry.max, high);
      entry.spread.add(((low + high) / 2) * scale, Math.round(count));
    }
    entry.last = grown.sum / grown.count;
  }

  /** The first value of a source that began before anyone looked tells what there was: nothing that happened now. */
  #beganSince({ startMs, timeMs }: Known): boolean {
    return startMs >= this.#sinceMs && startMs <= timeMs;
  }

  #entry({ series, id, timeMs }: Known): MetricEntry {
    const second = Math.floor(timeMs / 1000 / stepSec) * stepSec;
    const key = `${second} ${id}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const none = { count: 0, sum: 0, min: Infinity, max: -Infinity, last: 0, spread: undefined };
      entry = { series, seriesId: id, second, ...none };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

/** A histogram whose buckets changed, or that has less than it had, began anew. */
function increaseOf(now: HistogramValue, before: HistogramValue | undefined): HistogramValue {
  const same =
    before !== undefined &&
    now.count >= before.count &&
    now.counts.length === before.counts.length &&
    now.bounds.every((bound, i) => bound === before.bounds[i]) &&
    now.counts.every((count, i) => count >= (before.counts[i] ?? 0));
  if (!same) return now;
  return {
    count: now.count - before.count,
    sum: now.sum - before.sum,
    bounds: now.bounds,
    counts: now.counts.map((count, i) => count - (before.counts[i] ?? 0)),
  };
}

/** The first bucket begins at zero (or at its end, where that is below), the last has no end: it counts as its beginning. */
function endsOf(bounds: readonly number[], index: number): { low: number; high: number } {
  const high = bounds[index] ?? bounds.at(-1) ?? 0;
  const low = index === 0 ? Math.min(0, high) : (bounds[index - 1] ?? high);
  return { low, high };
}
