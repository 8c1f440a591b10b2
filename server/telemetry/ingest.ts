import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Retention } from "../wire/retention.ts";
import type { CollectorStats } from "./counters.ts";
import type { LogRecord } from "./log-record.ts";
import type { MetricPoint } from "./metric-record.ts";
import { MetricRollUp } from "./metric-roll-up.ts";
import type { TrafficRecord } from "./record.ts";
import { RollUp } from "./roll-up.ts";
import { Samples } from "./samples.ts";
import { Senders } from "./senders.ts";
import type { SpanRecord } from "./span.ts";
import type { RollupEntry, TelemetryBatch, TelemetryStore } from "./store.ts";

export interface IngestLimits {
  maxEdges: number;
  maxEntries: number;
  lateMs: number;
  maxLateMs: number;
  samplesPerEdgeAndSecond: number;
  maxWaitingSamples: number;
  /** Errors apart from successes: neither may take the other's room. */
  maxWaitingErrors: number;
  maxWaitingSpans: number;
  maxWaitingLogs: number;
  /** How long after a second its last records are waited for: the proxies' flush interval and the way. */
  graceMs: number;
  retention: Retention;
}

export interface IngestOptions {
  id: string;
  store: TelemetryStore;
  logger: Logger;
  clock: Clock;
  limits: IngestLimits;
  /** Asked before each compaction, in place of what the limits say: it may change while the collector runs. */
  retention?: () => Promise<Retention>;
  /** What the store says of them, as this run begins. */
  senders?: ReadonlyMap<string, number>;
  /** When the run before wrote last; Unix milliseconds. */
  lastRunMs?: number | undefined;
  /** Told of what each batch counts, once. */
  onRollups?: (entries: readonly RollupEntry[]) => void;
}

const inPast = (timeMs: number, nowMs: number): boolean => timeMs >= 0 && timeMs <= nowMs;

const flushEveryMs = 1000;
const compactEveryMs = 30_000;
const compactWhenIdleEveryMs = 60_000;
const checkEveryMs = 2000;
const soonMs = 50;
/** Claims that are remembered; a stream that is open for as long as it takes others to come in such a number is rare, and counts by what it took before. */
const maxClaims = 20_000;
/** A store that takes longer for a batch is not told to be well. */
const slowMs = 3000;
/** The bundled proxies hold on to a connection for two minutes, others for less; below this what they held comes late, and whole. */
const stallMs = 60_000;

/**
 * Between the receivers and the store: counts, samples, and writes one batch a second while records arrive. Nothing runs when none do,
 * but a compaction once a minute. A batch that can't be written is kept and tried again, and what comes in meanwhile is counted on.
 */
export class Ingest {
  #rollUp: RollUp;
  #samples: Samples;
  #spans: SpanRecord[] = [];
  #logs: LogRecord[] = [];
  readonly #metrics: MetricRollUp;
  readonly #senders: Senders;
  readonly #startedAtMs: number;
  #lastWriteMs = 0;
  #lastError = "";
  /** When the batch began that is just being written. */
  #writingSinceMs: number | undefined;
  /** Who waits to hear that what they sent is written: what came since the last batch, and what is in it. */
  #waiting: (() => void)[] = [];
  #waitingForPending: (() => void)[] = [];
  #pending: TelemetryBatch | undefined;
  #firstAddMs: number | undefined;
  #freshAtMs: number | null = null;
  #lastBatchId = 0;
  /** Writes that failed in a row. */
  #failing = 0;
  #active = false;
  #running: Promise<void> | undefined;
  #flushTimer: { cancel(): void } | undefined;
  #compactTimer: { cancel(): void } | undefined;
  #stopped = false;
  #soon = false;
  /** Those that are asked for together, as many come at once when a collector has gone. */
  readonly #unknown = new Map<string, number>();
  #introduced: Promise<void> | undefined;
  readonly #claims = new Map<string, string>();
  /** When it was last seen to be at work while records came; what follows much later did not come for want of traffic alone. */
  #tickMs: number | undefined;
  #stalledFromMs: number | undefined;
  readonly #options: IngestOptions;
  readonly #totals = {
    flushes: 0,
    failedFlushes: 0,
    flushMs: 0,
    lastFlushMs: 0,
    compactionMs: 0,
    shedSpans: 0,
    logs: 0,
    shedLogs: 0,
    metricPoints: 0,
  };

  constructor(options: IngestOptions) {
    this.#options = options;
    const { limits } = options;
    this.#startedAtMs = options.clock.now();
    this.#metrics = new MetricRollUp({
      maxSeries: limits.retention.maxSeries,
      sinceMs: Math.min(this.#startedAtMs, options.lastRunMs ?? this.#startedAtMs),
      shared: options.store.claim !== undefined,
    });
    this.#senders = new Senders(options.senders, options.store.claim !== undefined);
    this.#rollUp = new RollUp(limits);
    this.#samples = new Samples({
      perEdgeAndSecond: limits.samplesPerEdgeAndSecond,
      maxWaiting: limits.maxWaitingSamples,
      maxWaitingErrors: limits.maxWaitingErrors,
    });
    this.#armCompaction();
  }

  /** `sender`: whose numbered batch they came in. */
  records(records: readonly TrafficRecord[], sender?: string): void {
    if (records.length === 0) return;
    const apart = this.#options.store.claim !== undefined && sender !== undefined;
    const now = this.#options.clock.now();
    // The clock was stepped back: what was newest is not yet, and would call the graph fresh until it is.
    if (this.#freshAtMs !== null && this.#freshAtMs > now) this.#freshAtMs = null;
    for (const received of records) {
      // A clock that runs ahead must not keep its requests at the head of every list, and past the age at which they are forgotten.
      const record = inPast(received.timeMs, now) ? received : { ...received, timeMs: now };
      if (apart) record.sender = sender;
      this.#rollUp.add(record, now);
      this.#samples.add(record);
      if (this.#freshAtMs === null || record.timeMs > this.#freshAtMs) this.#freshAtMs = record.timeMs;
    }
    this.#arrived(now);
  }

  /**
   * A sender's stream begins, with this number. Where others write to the same store it is claimed: resolves when it is known how far it is written, by whomever. What was taken in
   * of it and is not written is given up, here as elsewhere, as it comes again on this stream. Rejects when the store can't be asked.
   */
  async introduce(sender: string, first: number): Promise<void> {
    if (this.#options.store.claim === undefined) return;
    await new Promise<void>((resolve) => this.#options.clock.setTimeout(resolve, soonMs));
    this.#introduced ??= nextTurn().then(() => this.#claim());
    this.#unknown.set(sender, first);
    await this.#introduced;
  }

  async #claim(): Promise<void> {
    const senders = new Map(this.#unknown);
    this.#unknown.clear();
    this.#introduced = undefined;
    const token = randomUUID();
    const written = await this.#options.store.claim?.([...senders.keys()], token);
    for (const [sender, first] of senders) {
      // What a proxy does not send any more is written, though the store may have forgotten it.
      this.#senders.reset(sender, Math.max(first - 1, written?.get(sender) ?? 0));
      this.#rollUp.discard(sender);
      this.#samples.discard(sender);
      this.#claims.delete(sender);
      this.#claims.set(sender, token);
      const [oldest] = this.#claims.keys();
      if (this.#claims.size > maxClaims && oldest !== undefined) this.#claims.delete(oldest);
    }
  }

  /** A numbered batch of access logs; what it holds is handed over at once. False: it was taken in before, and is not to be. */
  takes(sender: string, number: number): boolean {
    const isNew = this.#senders.take(sender, number);
    if (isNew) this.#arrived(this.#options.clock.now());
    return isNew;
  }

  /** How many were taken; the rest is shed. */
  spans(spans: readonly SpanRecord[]): number {
    const now = this.#options.clock.now();
    const taken = spans.slice(0, Math.max(0, this.#options.limits.maxWaitingSpans - this.#spans.length));
    for (const span of taken) {
      this.#spans.push(inPast(span.startUs / 1000, now) ? span : { ...span, startUs: Math.floor(now * 1000) });
    }
    this.#totals.shedSpans += spans.length - taken.length;
    if (taken.length > 0) this.#arrived(now);
    return taken.length;
  }

  /** Applications' logs; how many were taken. */
  logs(logs: readonly LogRecord[]): number {
    this.#totals.logs += logs.length;
    const now = this.#options.clock.now();
    const taken = logs.slice(0, Math.max(0, this.#options.limits.maxWaitingLogs - this.#logs.length));
    for (const log of taken) {
      this.#logs.push(inPast(log.atUs / 1000, now) ? log : { ...log, atUs: Math.floor(now * 1000) });
    }
    this.#totals.shedLogs += logs.length - taken.length;
    if (taken.length > 0) this.#arrived(now);
    return taken.length;
  }

  /** Points of metrics, whatever dialect they came in; how many were taken. */
  metrics(points: readonly MetricPoint[]): number {
    const now = this.#options.clock.now();
    this.#totals.metricPoints += points.length;
    const taken = this.#metrics.add(points, now);
    if (taken > 0) this.#arrived(now);
    return taken;
  }

  /** Resolves once all that was taken in is in the store, which may take as long as the store is down. `soon`: the next regular batch is too late. */
  written(soon: boolean): Promise<void> {
    if (this.#pending === undefined && this.#firstAddMs === undefined) return Promise.resolve();
    if (soon) this.#flushSoon();
    return new Promise((resolve) =>
      (this.#firstAddMs === undefined ? this.#waitingForPending : this.#waiting).push(resolve),
    );
  }

  /** Who waits to be told that all is written is about to leave: not to be kept for a second, nor to make a batch each. */
  #flushSoon(): void {
    if (this.#soon || this.#stopped || this.#failing > 0) return;
    this.#soon = true;
    this.#options.clock.setTimeout(() => {
      this.#soon = false;
      void this.#exclusive(async () => {
        const batch = await this.#settledBatch();
        if (batch !== undefined) await this.#attempt(batch);
      });
    }, soonMs);
  }

  /** Whether the store takes what is written to it: told by the last batch, or by an empty one when that was a while ago. */
  async check(): Promise<{ ok: boolean; message: string; lastWriteMs: number }> {
    const now = this.#options.clock.now();
    const waitedMs = this.#writingSinceMs === undefined ? 0 : now - this.#writingSinceMs;
    if (waitedMs > slowMs) {
      const message = `the telemetry store has not answered for ${Math.round(waitedMs / 1000)} s`;
      return { ok: false, message, lastWriteMs: this.#lastWriteMs };
    }
    if (this.#failing === 0 && now - this.#lastWriteMs > checkEveryMs && !this.#stopped) {
      await this.#exclusive(async () => {
        if (this.#pending === undefined) await this.#attempt((await this.#settledBatch()) ?? this.#emptyBatch());
      });
    }
    const ok = this.#failing === 0;
    return { ok, message: ok ? "" : this.#lastError, lastWriteMs: this.#lastWriteMs };
  }

  stats(): IngestStats {
    return {
      ...this.#totals,
      lateRecords: this.#rollUp.late,
      overflowedRecords: this.#rollUp.overflowed,
      shedSamples: this.#samples.shed,
      refusedMetricPoints: this.#metrics.refused,
      metricSeries: this.#metrics.series,
      openEntries: this.#rollUp.size,
      waitingSamples: this.#samples.size,
      waitingSpans: this.#spans.length,
      waitingLogs: this.#logs.length,
    };
  }

  /** Writes what is waiting. Rejects when the store can't take it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#flushTimer?.cancel();
    this.#compactTimer?.cancel();
    await this.#running;
    this.#active = false;
    for (let batch = await this.#settledBatch(); batch !== undefined; batch = await this.#settledBatch()) {
      await this.#write(batch);
    }
  }

  #arrived(now: number): void {
    this.#firstAddMs ??= now;
    this.#active = true;
    if (this.#flushTimer === undefined) this.#armFlush(now);
  }

  /** Ticks stand `graceMs` after a full second, so that each flush completes exactly one more second. */
  #armFlush(now: number): void {
    if (this.#stopped) return;
    this.#tickMs ??= now;
    const grace = this.#options.limits.graceMs;
    const wait = flushEveryMs - ((((now - grace) % flushEveryMs) + flushEveryMs) % flushEveryMs);
    this.#flushTimer = this.#options.clock.setTimeout(() => {
      this.#exclusive(async () => {
        await this.#flush();
        this.#flushTimer = undefined;
        if (this.#active) this.#armFlush(this.#options.clock.now());
        else this.#tickMs = undefined;
      });
    }, wait);
  }

  async #flush(): Promise<void> {
    const now = this.#options.clock.now();
    // Frozen or starved for longer than connections bear: what was on its way went with them.
    if (this.#tickMs !== undefined && now - this.#tickMs > stallMs) this.#stalledFromMs = this.#tickMs;
    this.#tickMs = now;
    const waiting = this.#pending !== undefined || this.#firstAddMs !== undefined;
    if (!waiting) this.#active = false; // one last batch says so
    await this.#attempt((await this.#settledBatch()) ?? this.#emptyBatch());
  }

  async #attempt(batch: TelemetryBatch): Promise<void> {
    try {
      await this.#write(batch);
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#active = true;
      if (this.#flushTimer === undefined) this.#armFlush(this.#options.clock.now());
      this.#totals.failedFlushes++;
      // Once a second for as long as a disk is full would fill what is left of it.
      if (this.#failing++ % 60 === 0) {
        this.#options.logger.error(
          { err: error },
          "telemetry batch not written; it is kept and tried again every second",
        );
      }
    }
  }

  async #write(batch: TelemetryBatch): Promise<void> {
    this.#pending = batch;
    const started = performance.now();
    this.#writingSinceMs = this.#options.clock.now();
    try {
      await this.#options.store.write(batch);
    } finally {
      this.#writingSinceMs = undefined;
    }
    this.#pending = undefined;
    this.#stalledFromMs = undefined;
    this.#failing = 0;
    this.#lastWriteMs = this.#options.clock.now();
    this.#totals.lastFlushMs = performance.now() - started;
    this.#totals.flushMs += this.#totals.lastFlushMs;
    this.#totals.flushes++;
    for (const written of this.#waitingForPending.splice(0)) written();
  }

  /** The next batch, with the metrics that had to wait for what the store knows of their series. */
  async #settledBatch(): Promise<TelemetryBatch | undefined> {
    if (this.#pending !== undefined) return this.#pending;
    const ids = this.#metrics.unsettled();
    if (ids.length > 0) {
      try {
        this.#metrics.settle(await this.#options.store.metricStates(ids), this.#options.clock.now());
      } catch {
        this.#active = true; // they wait on; what is wrong with the store is told by the batch
      }
    }
    return this.#nextBatch();
  }

  #nextBatch(): TelemetryBatch | undefined {
    if (this.#firstAddMs === undefined && this.#metrics.size === 0) return undefined;
    const metrics = this.#metrics.drain(this.#options.clock.now());
    const senders = this.#senders.drain();
    const batch = {
      ...this.#emptyBatch(),
      rollups: this.#rollUp.drain(),
      samples: this.#samples.drain(),
      spans: this.#spans,
      logs: this.#logs,
      metrics: metrics.entries,
      metricStates: metrics.states,
      senders,
      claims: new Map(
        [...senders.keys()].flatMap((id) => (this.#claims.has(id) ? [[id, this.#claims.get(id) ?? ""] as const] : [])),
      ),
    };
    this.#spans = [];
    this.#logs = [];
    this.#waitingForPending = this.#waiting;
    this.#waiting = [];
    this.#firstAddMs = undefined;
    this.#options.onRollups?.(batch.rollups);
    return batch;
  }

  #emptyBatch(): TelemetryBatch {
    const now = this.#options.clock.now();
    // Microseconds with a random part: growing over restarts, and different between two collectors.
    this.#lastBatchId = Math.max(this.#lastBatchId + 1, now * 1000 + Math.floor(Math.random() * 1000));
    return {
      id: this.#lastBatchId,
      collector: {
        id: this.#options.id,
        startedAtMs: this.#startedAtMs,
        flushedAtMs: now,
        completeUntilMs: Math.floor((now - this.#options.limits.graceMs) / 1000) * 1000,
        // Told once the batch is in the store: by then, what it holds is in.
        settledUntilMs: now - this.#options.limits.lateMs - 1000,
        freshAtMs: this.#freshAtMs,
        active: this.#active,
        ...(this.#stalledFromMs !== undefined && { stalledFromMs: this.#stalledFromMs }),
      },
      rollups: [],
      samples: [],
      spans: [],
      logs: [],
      metrics: [],
      metricStates: [],
      senders: new Map(),
      claims: new Map(),
    };
  }

  #armCompaction(): void {
    if (this.#stopped) return;
    this.#compactTimer = this.#options.clock.setTimeout(
      () => this.#exclusive(() => this.#compact().finally(() => this.#armCompaction())),
      this.#active ? compactEveryMs : compactWhenIdleEveryMs,
    );
  }

  async #compact(): Promise<void> {
    if (this.#pending !== undefined) return; // it may hold seconds that are older than any bound
    const { store, clock, limits, logger } = this.#options;
    const started = performance.now();
    try {
      const retention = (await this.#options.retention?.()) ?? limits.retention;
      this.#metrics.maxSeries = retention.maxSeries;
      for (let more = true; more && !this.#stopped; ) {
        const pass = { nowMs: clock.now(), settledUntilMs: this.#settledUntilMs(), retention };
        ({ more } = await store.compact(pass));
        await nextTurn();
      }
    } catch (error) {
      logger.error({ err: error }, "telemetry store not compacted, will try again");
    }
    this.#totals.compactionMs += performance.now() - started;
  }

  /** What came in first since the last batch may count for a second as old as `lateMs` allows. */
  #settledUntilMs(): number {
    const nowMs = this.#options.clock.now();
    return Math.min(nowMs, this.#firstAddMs ?? nowMs) - this.#options.limits.lateMs - 1000;
  }

  /** Flush and compaction never overlap; records are taken in during both. */
  #exclusive(work: () => Promise<void>): Promise<void> {
    this.#running = (this.#running ?? Promise.resolve()).then(work);
    return this.#running;
  }
}

export type IngestStats = Omit<
  CollectorStats,
  "httpRecords" | "tcpRecords" | "ignoredEntries" | "spans" | "rejectedSpans" | "disbelievedCallers" | "streams"
>;
