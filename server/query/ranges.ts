import type { Clock } from "../lib/clock.ts";
import { rememberEach } from "../lib/remember.ts";
import { type Step, steps } from "../wire/retention.ts";
import type { CollectorRow, GapRow, RollupRange, RollupRow, RollupSum, TelemetryReader, TimeRange } from "./reader.ts";
import { recordedSecondsOf } from "./recorded-seconds.ts";
import { holesOf } from "./unrecorded.ts";
import { alignedWindow, floorTo, type KeptSec, liveEndMs, rowsUntil, storedStepFor, type Window } from "./window.ts";

/** What was read of a stretch of time. */
export interface Range<Row = RollupRow> {
  window: Window;
  rows: Row[];
  /** How much of the window there can be data of: rates of a mesh that was started a minute ago are not those of an hour, and what was down was not called. */
  seconds: number;
  /** Since when there can be data, Unix milliseconds, within the window. */
  dataFromMs: number;
  /** Stretches of the window of which records are missing, or may be, oldest first. */
  gaps: GapRow[];
}

/** A window of a chart, and the length of the buckets to read for it. */
export interface Steps {
  window: Window;
  readStep: Step;
}

type EdgeFilter = RollupRange["edges"];

const maxBuckets = 180;
const maxSteps = 1000;
const maxWindowSec = 30 * 86_400;
/** Gaps that are looked into, the newest; of the others it is only known that something may be missing. */
const maxHoled = 30;

/** From "the last ten minutes" to rows: which end is known whole, which buckets are still kept, and how many are worth reading. */
export class Ranges {
  readonly #reader: TelemetryReader;
  readonly #clock: Clock;
  readonly #keptSec: KeptSec;
  readonly #holes: (gap: GapRow) => Promise<GapRow[]>;

  constructor(reader: TelemetryReader, clock: Clock, keptSec: KeptSec) {
    this.#reader = reader;
    this.#clock = clock;
    this.#keptSec = keptSec;
    this.#holes = rememberEach((gap) => this.#readHoles(gap), {
      ms: 10_000,
      maxKeys: 2 * maxHoled,
      keyOf: ({ collector, fromMs, toMs }) => `${collector} ${fromMs} ${toMs}`,
      clock,
    });
  }

  /** The wanted end, down to a full second, and not past what is known whole. */
  async endOf(at: number | undefined): Promise<{ endMs: number; collectors: CollectorRow[] }> {
    const collectors = await this.#reader.collectors();
    const live = liveEndMs(this.#clock.now(), collectors);
    return { endMs: at === undefined ? live : Math.min(live, floorTo(at, 1)), collectors };
  }

  /** Rows of the last `windowSec` before any second, from buckets whose size goes with the window. */
  async rowsBefore(endMs: number, windowSec: number, edges?: EdgeFilter): Promise<Range> {
    const window = this.#windowBefore(endMs, windowSec);
    return this.#covered(window, await rowsUntil(this.#reader, { ...window, edges }));
  }

  /** The same window as one row for each edge, code and flags. */
  async sumsBefore(endMs: number, windowSec: number): Promise<Range<RollupSum>> {
    const window = this.#windowBefore(endMs, windowSec);
    return this.#covered(window, await this.#reader.sums(window));
  }

  /** A window in steps for a chart, which ends with a full step; about sixty of them, unless `step` says how long each is. */
  stepsBefore(endMs: number, windowSec: number, step?: number): Steps {
    const seconds = bounded(windowSec, 1, maxWindowSec);
    const ageSec = this.#ageSec(endMs) + seconds;
    const kept = steps.filter((each) => ageSec <= this.#keptSec[each]);
    const finest = kept[0] ?? 3600;
    const wanted = step === undefined ? niceStep(seconds) : bounded(step, 1, maxWindowSec);
    const stepSec = Math.ceil(Math.max(wanted, seconds / maxSteps) / finest) * finest;
    const readStep = kept.toReversed().find((each) => stepSec % each === 0) ?? finest;
    return { window: alignedWindow(endMs, seconds, stepSec), readStep };
  }

  /** As `stepsBefore`, for metrics, which are stored by ten seconds at the finest. */
  metricStepsBefore(endMs: number, windowSec: number, step?: number): Steps {
    return this.stepsBefore(endMs, windowSec, Math.ceil(Math.max(10, step ?? windowSec / 60) / 10) * 10);
  }

  async rowsOf({ window, readStep }: Steps, edges?: EdgeFilter): Promise<Range> {
    const { fromMs, toMs } = window;
    return this.#covered(window, await this.#reader.rollups({ fromMs, toMs, stepSec: readStep, edges }));
  }

  /** Which requests there were at all, over all steps. */
  countsOf({ window: { fromMs, toMs } }: Steps): Promise<RollupSum[]> {
    return this.#reader.sums({ fromMs, toMs, withLatency: false });
  }

  /** Stretches of time of which records are missing, or may be, oldest first. */
  async gapsIn(range: TimeRange): Promise<GapRow[]> {
    const gaps = await this.#reader.gaps(range);
    const last = gaps.length - maxHoled;
    const holes = await Promise.all(gaps.map((gap, i) => (i < last ? [gap] : this.#holes(gap))));
    return holes.flat().filter(({ fromMs, toMs }) => toMs > range.fromMs && fromMs < range.toMs);
  }

  async #readHoles(gap: GapRow): Promise<GapRow[]> {
    const seconds = Math.ceil((gap.toMs - gap.fromMs) / 1000);
    const stepSec = storedStepFor(seconds, this.#ageSec(gap.fromMs) + 1, this.#keptSec, maxSteps);
    const window = alignedWindow(gap.toMs + stepSec * 1000 - 1, seconds + stepSec, stepSec);
    const rows = await this.#reader.rollups({ fromMs: window.fromMs, toMs: window.toMs, stepSec });
    const starts = [...new Set(rows.map(({ atMs }) => floorTo(atMs, stepSec)))].sort((a, b) => a - b);
    return holesOf(gap, starts, stepSec * 1000);
  }

  #windowBefore(endMs: number, windowSec: number): Window & { stepSec: Step } {
    const seconds = bounded(windowSec, 1, maxWindowSec);
    const endAgeSec = this.#ageSec(endMs);
    const stepSec = storedStepFor(seconds, endAgeSec + seconds, this.#keptSec, maxBuckets);
    // Seconds that are forgotten can't fill the time since the last full bucket: then the window ends with that.
    const toMs = endAgeSec < this.#keptSec[1] / 2 ? endMs : floorTo(endMs, stepSec);
    return { fromMs: floorTo(toMs - seconds * 1000, stepSec), toMs, stepSec };
  }

  async #covered<Row>(window: Window, rows: Row[]): Promise<Range<Row>> {
    const { fromMs, toMs } = window;
    const [oldest, gaps] = await Promise.all([this.#reader.oldestAt(), this.gapsIn(window)]);
    const dataFromMs = Math.min(Math.max(fromMs, oldest ?? fromMs), toMs);
    return { window, rows, dataFromMs, gaps, seconds: recordedSecondsOf(window, { dataFromMs, gaps }) };
  }

  #ageSec(ms: number): number {
    return (this.#clock.now() - ms) / 1000;
  }
}

function niceStep(windowSec: number): number {
  const nice = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 12 * 3600];
  return nice.find((step) => windowSec / step <= 90) ?? 86_400;
}

/** Within bounds; what is no number becomes the least. */
export const bounded = (value: number, least: number, most: number): number =>
  Number.isFinite(value) ? Math.min(most, Math.max(least, Math.round(value))) : least;
