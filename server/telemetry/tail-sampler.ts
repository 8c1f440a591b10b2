import type { Clock } from "../lib/clock.ts";
import type { SamplingSettings } from "./sampling-settings.ts";
import { Slowest } from "./slowest.ts";
import type { SpanRecord } from "./span.ts";

export interface SamplingStats {
  /**
   * Since start. Of traces that were decided: kept for an error, for being slow, by chance; and not kept. One of which only a late span had an
   * error is among both.
   */
  keptErrors: number;
  keptSlow: number;
  keptRandom: number;
  droppedTraces: number;
  /** Of traces that were not kept. */
  droppedSpans: number;
  /** Of traces with more spans than one may have. */
  truncatedSpans: number;
  /** Rounds that ended before their time, because more came than is held. */
  earlyRounds: number;
  /** Spans that came after their trace was decided, and went the way it had gone. */
  lateSpans: number;
  /** Now. */
  heldTraces: number;
  heldSpans: number;
}

export interface TailSamplerOptions {
  settings: SamplingSettings;
  clock: Clock;
  /** Told of the spans of kept traces. */
  keep(spans: readonly SpanRecord[]): void;
}

interface HeldTrace {
  spans: SpanRecord[];
  error: boolean;
}

interface Round {
  traces: Map<string, HeldTrace>;
  slowest: Slowest;
}

/** Traces whose end is remembered, for spans that come later. */
const maxDecided = 100_000;

/**
 * Holds each trace until it is likely whole, and then keeps it or not: it has an error, it is among the slowest of one of its operations, or its
 * id is among a random share. Traces are gathered in rounds of `waitMs` and decided together when the next round has passed, so that which is
 * slowest is exact within a round. When more comes than may be held, rounds are shorter.
 */
export class TailSampler {
  readonly #options: TailSamplerOptions;
  #filling: Round;
  #waiting: Round;
  /** What became of traces: of the last ones, and of those before. */
  #decided = new Map<string, boolean>();
  #decidedBefore = new Map<string, boolean>();
  #timer: { cancel(): void } | undefined;
  readonly #stats: Omit<SamplingStats, "heldTraces"> = {
    keptErrors: 0,
    keptSlow: 0,
    keptRandom: 0,
    droppedTraces: 0,
    droppedSpans: 0,
    truncatedSpans: 0,
    earlyRounds: 0,
    lateSpans: 0,
    heldSpans: 0,
  };

  constructor(options: TailSamplerOptions) {
    this.#options = options;
    this.#filling = this.#newRound();
    this.#waiting = this.#newRound();
  }

  add(spans: readonly SpanRecord[]): void {
    const late: SpanRecord[] = [];
    for (const span of spans) {
      const round = this.#filling.traces.has(span.traceId) ? this.#filling : this.#waiting;
      const trace = round.traces.get(span.traceId);
      if (trace !== undefined) this.#hold(round, trace, span);
      else if (!this.#takesLate(span, late)) this.#begin(span);
    }
    if (late.length > 0) this.#options.keep(late);
    if (this.#timer === undefined && this.#filling.traces.size > 0) this.#arm();
  }

  stats(): SamplingStats {
    return { ...this.#stats, heldTraces: this.#heldTraces() };
  }

  /** Decides all that is held. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#endRound();
    this.#endRound();
  }

  #begin(span: SpanRecord): void {
    const { maxTraces, maxSpans } = this.#options.settings;
    const isFull = () => this.#heldTraces() >= maxTraces || this.#stats.heldSpans >= maxSpans;
    if (isFull()) this.#endEarly();
    if (isFull()) this.#endEarly(); // what was waiting was not enough
    const trace = { spans: [], error: false };
    this.#filling.traces.set(span.traceId, trace);
    this.#hold(this.#filling, trace, span);
  }

  #heldTraces(): number {
    return this.#filling.traces.size + this.#waiting.traces.size;
  }

  #newRound(): Round {
    return { traces: new Map(), slowest: new Slowest(this.#options.settings.slowest) };
  }

  #hold({ slowest }: Round, trace: HeldTrace, span: SpanRecord): void {
    const { maxSpansPerTrace, maxSpans } = this.#options.settings;
    trace.error ||= span.error;
    if (trace.spans.length >= maxSpansPerTrace || this.#stats.heldSpans >= maxSpans) {
      this.#stats.truncatedSpans++;
      return;
    }
    trace.spans.push(span);
    slowest.add(span);
    this.#stats.heldSpans++;
  }

  /** A span of a trace that was decided goes the same way; an error is kept however late it is, and what comes after it. */
  #takesLate(span: SpanRecord, late: SpanRecord[]): boolean {
    const kept = this.#decided.get(span.traceId) ?? this.#decidedBefore.get(span.traceId);
    if (kept === undefined) return false;
    this.#stats.lateSpans++;
    if (!kept && !span.error) {
      this.#stats.droppedSpans++;
      return true;
    }
    if (!kept) {
      this.#stats.keptErrors++;
      this.#remember(span.traceId, true);
    }
    late.push(span);
    return true;
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#endRound();
      if (this.#waiting.traces.size > 0) this.#arm();
    }, this.#options.settings.waitMs);
  }

  #endEarly(): void {
    this.#stats.earlyRounds++;
    this.#endRound();
  }

  #endRound(): void {
    const round = this.#waiting;
    this.#waiting = this.#filling;
    this.#filling = this.#newRound();
    if (round.traces.size > 0) this.#decide(round);
  }

  #decide({ traces, slowest }: Round): void {
    const { share } = this.#options.settings;
    const slow = slowest.traceIds();
    const kept: SpanRecord[] = [];
    for (const [traceId, { spans, error }] of traces) {
      this.#stats.heldSpans -= spans.length;
      const why = reasonOf({ error, slow: slow.has(traceId), random: isChosen(traceId, share) });
      this.#remember(traceId, why !== undefined);
      if (why === undefined) {
        this.#stats.droppedTraces++;
        this.#stats.droppedSpans += spans.length;
        continue;
      }
      this.#stats[why]++;
      for (const span of spans) kept.push(span);
    }
    if (kept.length > 0) this.#options.keep(kept);
  }

  #remember(traceId: string, kept: boolean): void {
    if (this.#decided.size >= maxDecided / 2) {
      this.#decidedBefore = this.#decided;
      this.#decided = new Map();
    }
    this.#decided.set(traceId, kept);
  }
}

function reasonOf(found: { error: boolean; slow: boolean; random: boolean }) {
  if (found.error) return "keptErrors";
  if (found.slow) return "keptSlow";
  return found.random ? "keptRandom" : undefined;
}

/**
 * By the trace's id alone, so that every collector chooses the same ones: its last 52 bits are random.
 * https://www.w3.org/TR/trace-context-2/#random-trace-id-flag, https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
const isChosen = (traceId: string, share: number): boolean =>
  Number.parseInt(traceId.slice(-13), 16) >= (1 - share) * 2 ** 52;
