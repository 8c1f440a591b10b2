import type { Clock } from "../lib/clock.ts";
import type { SamplingSettings } from "./sampling-settings.ts";
import { Slowest } from "./slowest.ts";
import type { SpanRecord } from "./span.ts";
import { weightOfSpan } from "./weight.ts";

export interface SamplingStats {
  /**
   * Since start. Of traces that were decided: kept for an error, for being slow, by chance; and not kept. One of which only a late span had an
   * error is among both.
   */
  keptErrors: number;
  keptSlow: number;
  keptRandom: number;
  /** Of those that are kept for none of that here: another collector, which has other spans of them, keeps them. */
  keptElsewhere: number;
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
  /** Told of traces that are kept for an error, or as slow, for the collectors that have other spans of them; left out: there are none. */
  tell?: (traceIds: readonly string[]) => void;
}

interface HeldTrace {
  spans: SpanRecord[];
  bytes: number;
  error: boolean;
  /** Another collector keeps it. */
  elsewhere: boolean;
}

interface Round {
  traces: Map<string, HeldTrace>;
  slowest: Slowest;
}

/** Traces whose end is remembered, for spans that come later. */
const maxDecided = 100_000;

/** Of all that is held; about as much as `max-spans` of its default have at home. */
const maxHeldBytes = 256 << 20;

/** That a trace is held for at the most: it comes in, it waits, and it leaves. */
const rounds = 3;

/**
 * Holds each trace until it is likely whole, and then keeps it or not: it has an error, it is among the slowest of one of its operations, or its
 * id is among a random share. Traces are gathered in rounds of `waitMs` and decided together when the next round has passed, so that which is
 * slowest is exact within a round. When more comes than may be held, rounds are shorter.
 *
 * Where other collectors have spans of the same traces, they are told of an error at once, and of a slow trace when it is decided; what is kept for
 * nothing here is held for one more round, in which they may say that they keep it.
 */
export class TailSampler {
  readonly #options: TailSamplerOptions;
  #filling: Round;
  #waiting: Round;
  /** Kept for nothing here. */
  #leaving = new Map<string, HeldTrace>();
  #toTell: string[] = [];
  #heldBytes = 0;
  /** What became of traces: of the last ones, and of those before. */
  #decided = new Map<string, boolean>();
  #decidedBefore = new Map<string, boolean>();
  #timer: { cancel(): void } | undefined;
  readonly #stats: Omit<SamplingStats, "heldTraces"> = {
    keptErrors: 0,
    keptSlow: 0,
    keptRandom: 0,
    keptElsewhere: 0,
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
      const leaving = this.#leaving.get(span.traceId);
      if (trace !== undefined) this.#hold(round, trace, span);
      else if (leaving !== undefined) this.#holdLeaving(leaving, span);
      else if (!this.#takesLate(span, late)) this.#begin(span);
    }
    if (late.length > 0) this.#options.keep(late);
    this.#tell();
    if (this.#timer === undefined && this.#filling.traces.size > 0) this.#arm();
  }

  /** Other collectors keep these: what is held of them, and what comes of them from here on, is kept here as well. */
  keptElsewhere(traceIds: readonly string[]): void {
    for (const traceId of traceIds) {
      const leaving = this.#leaving.get(traceId);
      const held = this.#filling.traces.get(traceId) ?? this.#waiting.traces.get(traceId);
      if (leaving !== undefined) this.#save(traceId, leaving, "keptElsewhere");
      else if (held !== undefined) held.elsewhere = true;
      else this.#remember(traceId, true);
    }
  }

  stats(): SamplingStats {
    return { ...this.#stats, heldTraces: this.#heldTraces() };
  }

  /** Decides all that is held. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let round = 0; round < rounds; round++) this.#endRound();
  }

  #begin(span: SpanRecord): void {
    const isFull = () => this.#heldTraces() >= this.#options.settings.maxTraces || this.#holdsAll();
    // Mostly the oldest are enough.
    for (let round = 0; round < rounds && isFull(); round++) this.#endEarly();
    const trace = { spans: [], bytes: 0, error: false, elsewhere: false };
    this.#filling.traces.set(span.traceId, trace);
    this.#hold(this.#filling, trace, span);
  }

  #heldTraces(): number {
    return this.#filling.traces.size + this.#waiting.traces.size + this.#leaving.size;
  }

  /** As many spans as may be, or as large ones. */
  #holdsAll(): boolean {
    return this.#stats.heldSpans >= this.#options.settings.maxSpans || this.#heldBytes >= maxHeldBytes;
  }

  #newRound(): Round {
    return { traces: new Map(), slowest: new Slowest(this.#options.settings.slowest) };
  }

  #hold({ slowest }: Round, trace: HeldTrace, span: SpanRecord): void {
    if (span.error && !trace.error) {
      trace.error = true;
      this.#toTell.push(span.traceId);
    }
    if (this.#takes(trace, span)) slowest.add(span);
  }

  /** Of a trace that would go with this round: it stays if this is an error. */
  #holdLeaving(trace: HeldTrace, span: SpanRecord): void {
    this.#stats.lateSpans++;
    this.#takes(trace, span);
    if (!span.error) return;
    this.#toTell.push(span.traceId);
    this.#save(span.traceId, trace, "keptErrors");
  }

  #takes(trace: HeldTrace, span: SpanRecord): boolean {
    if (trace.spans.length >= this.#options.settings.maxSpansPerTrace || this.#holdsAll()) {
      this.#stats.truncatedSpans++;
      return false;
    }
    const bytes = weightOfSpan(span, trace.spans.at(-1));
    trace.spans.push(span);
    trace.bytes += bytes;
    this.#heldBytes += bytes;
    this.#stats.heldSpans++;
    return true;
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
      this.#toTell.push(span.traceId);
      this.#remember(span.traceId, true);
    }
    late.push(span);
    return true;
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#endRound();
      if (this.#heldTraces() > 0) this.#arm();
    }, this.#options.settings.waitMs);
  }

  #endEarly(): void {
    this.#stats.earlyRounds++;
    this.#endRound();
  }

  #endRound(): void {
    const round = this.#waiting;
    const left = this.#leaving;
    this.#waiting = this.#filling;
    this.#filling = this.#newRound();
    this.#leaving = new Map();
    for (const [traceId, trace] of left) this.#drop(traceId, trace);
    if (round.traces.size > 0) this.#decide(round);
    this.#tell();
  }

  #decide({ traces, slowest }: Round): void {
    const { settings, tell } = this.#options;
    const slow = slowest.traceIds();
    const kept: SpanRecord[] = [];
    for (const [traceId, trace] of traces) {
      const why = reasonOf(trace, { slow: slow.has(traceId), random: isChosen(traceId, settings.share) });
      if (why === "keptSlow") this.#toTell.push(traceId);
      if (why !== undefined) this.#keep(traceId, trace, why, kept);
      else if (tell !== undefined) this.#leaving.set(traceId, trace);
      else this.#drop(traceId, trace);
    }
    if (kept.length > 0) this.#options.keep(kept);
  }

  #keep(traceId: string, trace: HeldTrace, why: Reason, kept: SpanRecord[]): void {
    this.#stats[why]++;
    this.#letGo(traceId, trace, true);
    for (const span of trace.spans) kept.push(span);
  }

  #save(traceId: string, trace: HeldTrace, why: Reason): void {
    const kept: SpanRecord[] = [];
    this.#leaving.delete(traceId);
    this.#keep(traceId, trace, why, kept);
    if (kept.length > 0) this.#options.keep(kept);
  }

  #drop(traceId: string, trace: HeldTrace): void {
    this.#stats.droppedTraces++;
    this.#stats.droppedSpans += trace.spans.length;
    this.#letGo(traceId, trace, false);
  }

  #letGo(traceId: string, { spans, bytes }: HeldTrace, kept: boolean): void {
    this.#stats.heldSpans -= spans.length;
    this.#heldBytes -= bytes;
    this.#remember(traceId, kept);
  }

  #tell(): void {
    if (this.#toTell.length === 0) return;
    this.#options.tell?.(this.#toTell);
    this.#toTell = [];
  }

  #remember(traceId: string, kept: boolean): void {
    if (this.#decided.size >= maxDecided / 2) {
      this.#decidedBefore = this.#decided;
      this.#decided = new Map();
    }
    this.#decided.set(traceId, kept);
  }
}

type Reason = "keptErrors" | "keptSlow" | "keptRandom" | "keptElsewhere";

function reasonOf({ error, elsewhere }: HeldTrace, found: { slow: boolean; random: boolean }): Reason | undefined {
  if (error) return "keptErrors";
  if (found.slow) return "keptSlow";
  if (found.random) return "keptRandom";
  return elsewhere ? "keptElsewhere" : undefined;
}

/**
 * By the trace's id alone, so that every collector chooses the same ones: its last 52 bits are random.
 * https://www.w3.org/TR/trace-context-2/#random-trace-id-flag, https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
const isChosen = (traceId: string, share: number): boolean =>
  Number.parseInt(traceId.slice(-13), 16) >= (1 - share) * 2 ** 52;
