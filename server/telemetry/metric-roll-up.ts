import { LatencySketch } from "../lib/latency-sketch.ts";
import { growthOf, hasFallen } from "./histogram-growth.ts";
import { type MetricEntry, type MetricPoint, type MetricSeries, type MetricState, seriesId } from "./metric-record.ts";

export interface MetricLimits {
  /** Different series; points of further ones are refused. */
  maxSeries: number;
  /** Since when somebody looks, Unix milliseconds: what a source counted that began later happened under our eyes, though its first point came to a collector that was away. */
  sinceMs: number;
  /** Others write to the same store: what it says of a series goes before what is remembered of it here. */
  shared?: boolean;
}

const stepSec = 10;
const idleMs = 3_600_000;
const oldestMs = 3_600_000;
/** Points that are older than the last one by less are out of order; by more, the source's clock was set back. */
const outOfOrderMs = 300_000;
/** A source has told of all its series by then: a message may hold a part of them, and readers of one program have their own intervals. */
const wholeMs = 90_000;

interface Times {
  nowMs: number;
  /** When a point counts. */
  atMs: number;
}

/** What is remembered of a series, to tell growth from a new beginning. */
interface Known {
  series: MetricSeries;
  id: string;
  seenAtMs: number;
  /** Of its newest point; undefined before the first. */
  state: MetricState | undefined;
}

/**
 * Sums points by series and ten seconds, until drained; of what only grows, by how much it grew. The first point of a series that counts since a start waits until
 * the store has said what there was of it before: after a restart nothing is lost, and nothing is counted twice.
 */
export class MetricRollUp {
  refused = 0;
  readonly #known = new Map<string, Known>();
  /** Since when a series of a source is known, Unix milliseconds: one that is new of it later began since. */
  readonly #sources = new Map<string, number>();
  #entries = new Map<string, MetricEntry>();
  #waiting = new Map<string, MetricPoint[]>();
  #waitingPoints = 0;
  #changed = new Map<string, MetricState>();
  /** May change; those that are there already stay. */
  maxSeries: number;

  readonly #sinceMs: number;
  readonly #shared: boolean;

  constructor({ maxSeries, sinceMs, shared = false }: MetricLimits) {
    this.maxSeries = maxSeries;
    this.#sinceMs = sinceMs;
    this.#shared = shared;
  }

  get size(): number {
    return this.#entries.size;
  }

  get series(): number {
    return this.#known.size;
  }

  /** Series that wait for `settle`. */
  unsettled(): string[] {
    return [...this.#waiting.keys()];
  }

  /** How many of the points were taken. */
  add(points: readonly MetricPoint[], nowMs: number): number {
    let taken = 0;
    for (const point of points) if (this.#add(point, nowMs)) taken++;
    this.refused += points.length - taken;
    return taken;
  }

  /** What the store knows of those that wait; those that it does not name are new to it. */
  settle(states: ReadonlyMap<string, MetricState>, nowMs: number): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#waitingPoints = 0;
    for (const id of waiting.keys()) {
      const known = this.#known.get(id);
      const state = states.get(id);
      if (known === undefined || state === undefined) continue;
      if (known.state === undefined || state.timeMs > known.state.timeMs) known.state = state;
      this.#rememberSource(known.series, 0);
    }
    for (const [id, points] of waiting) {
      const known = this.#known.get(id);
      for (const point of points) if (known !== undefined) this.#take(known, point, nowMs);
      if (known !== undefined) this.#rememberSource(known.series, nowMs);
    }
  }

  /** Everything summed so far, and up to where the series are counted by it; summing starts anew, and series that fell silent are forgotten. */
  drain(nowMs: number): { entries: MetricEntry[]; states: MetricState[] } {
    const drained = { entries: [...this.#entries.values()], states: [...this.#changed.values()] };
    this.#entries = new Map();
    this.#changed = new Map();
    if (this.#known.size > this.maxSeries / 2) {
      for (const [id, { seenAtMs }] of this.#known) {
        if (nowMs - seenAtMs > idleMs && !this.#waiting.has(id)) this.#known.delete(id);
      }
    }
    return drained;
  }

  #add(point: MetricPoint, nowMs: number): boolean {
    const id = seriesId(point.series);
    let known = this.#known.get(id);
    if (known === undefined) {
      if (this.#known.size >= this.maxSeries) return false;
      known = { series: point.series, id, seenAtMs: nowMs, state: undefined };
      this.#known.set(id, known);
    }
    known.seenAtMs = nowMs;
    const settled = !growsFromStart(point) || (known.state !== undefined && !this.#shared);
    if (settled && !this.#waiting.has(id)) this.#take(known, point, nowMs);
    else this.#wait(id, point);
    return true;
  }

  /** While the store does not answer: past a bound the last point of a series stands for those before, which it holds. */
  #wait(id: string, point: MetricPoint): void {
    const points = this.#waiting.get(id);
    if (points === undefined) this.#waiting.set(id, [point]);
    else if (this.#waitingPoints < 2 * this.maxSeries) points.push(point);
    else {
      points[points.length - 1] = point;
      return;
    }
    this.#waitingPoints++;
  }

  #take(known: Known, point: MetricPoint, nowMs: number): void {
    const before = known.state;
    const state: MetricState = {
      seriesId: known.id,
      timeMs: point.timeMs || nowMs,
      startMs: point.startMs,
      value: point.value,
      histogram: point.histogram,
    };
    if (growsFromStart(point)) {
      if (before !== undefined && isOutOfOrder(state, before)) return; // what it would add is in the later one
      this.#changed.set(known.id, state);
    } else if (point.series.kind !== "gauge" && before !== undefined && isSentAgain(state, before)) return;
    known.state = state;
    const times = { nowMs, atMs: Math.min(nowMs, Math.max(nowMs - oldestMs, state.timeMs)) };
    if (point.series.kind === "histogram") this.#addHistogram(known, before, point, times);
    else if (Number.isFinite(point.value)) this.#addNumber(known, before, point, times);
  }

  #addNumber(known: Known, before: MetricState | undefined, point: MetricPoint, times: Times): void {
    const { value } = point;
    let amount = value;
    if (growsFromStart(point)) {
      if (before === undefined && !this.#happenedSince(point, times.nowMs)) return;
      const anew = before === undefined || value < before.value || isRestarted(point, before);
      amount = anew ? value : value - before.value;
    }
    const entry = this.#entry(known, times.atMs);
    entry.count++;
    entry.sum += amount;
    entry.min = Math.min(entry.min, amount);
    entry.max = Math.max(entry.max, amount);
    entry.last = value;
  }

  #addHistogram(known: Known, before: MetricState | undefined, point: MetricPoint, times: Times): void {
    const { series, histogram } = point;
    if (histogram === undefined) return;
    let grown = histogram;
    if (growsFromStart(point)) {
      if (before === undefined && !this.#happenedSince(point, times.nowMs)) return;
      const had = before?.histogram;
      const anew = before === undefined || had === undefined || isRestarted(point, before) || hasFallen(histogram, had);
      if (!anew) grown = growthOf(histogram, had);
    }
    if (grown.count <= 0) return;
    const entry = this.#entry(known, times.atMs);
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

  /**
   * Whether all of a first value happened since somebody looks: its source began after that, or other series of it are known, among which this one would have been.
   * The first value of a source that began before tells what there was. One that was refused before may be as old as its source.
   */
  #happenedSince({ series, startMs, timeMs }: MetricPoint, nowMs: number): boolean {
    // A start that is the point's own time says that the true one is not known, and the value a base to count from.
    if (startMs > 0 && startMs >= (timeMs || Number.POSITIVE_INFINITY)) return false;
    if (startMs >= this.#sinceMs) return true;
    const knownSinceMs = this.#sources.get(sourceOf(series)) ?? Number.POSITIVE_INFINITY;
    return this.refused === 0 && nowMs - knownSinceMs > wholeMs;
  }

  #rememberSource(series: MetricSeries, sinceMs: number): void {
    const source = sourceOf(series);
    if ((this.#sources.get(source) ?? Number.POSITIVE_INFINITY) <= sinceMs) return;
    if (this.#sources.size >= this.maxSeries) this.#sources.clear();
    this.#sources.set(source, sinceMs);
  }

  #entry({ series, id }: Known, atMs: number): MetricEntry {
    const second = Math.floor(atMs / 1000 / stepSec) * stepSec;
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

const growsFromStart = ({ series, cumulative }: MetricPoint): boolean => cumulative && series.kind !== "gauge";

const sourceOf = ({ service, instance }: MetricSeries): string => `${service}\n${instance}`;

/** A later start than the last point's own, both by the source's clock, is a new beginning. */
const isRestarted = ({ startMs }: MetricPoint, before: MetricState): boolean =>
  startMs > before.startMs && startMs > before.timeMs;

const isOutOfOrder = (state: MetricState, before: MetricState): boolean =>
  state.timeMs < before.timeMs && before.timeMs - state.timeMs < outOfOrderMs && state.startMs <= before.startMs;

/** What was added in the same stretch of time twice: an exporter that got no answer sends again. */
const isSentAgain = (state: MetricState, before: MetricState): boolean =>
  state.startMs > 0 &&
  state.startMs === before.startMs &&
  state.timeMs === before.timeMs &&
  state.value === before.value &&
  state.histogram?.sum === before.histogram?.sum;

/** The first bucket begins at zero (or at its end, where that is below), the last has no end: it counts as its beginning. */
function endsOf(bounds: readonly number[], index: number): { low: number; high: number } {
  const high = bounds[index] ?? bounds.at(-1) ?? 0;
  const low = index === 0 ? Math.min(0, high) : (bounds[index - 1] ?? high);
  return { low, high };
}
