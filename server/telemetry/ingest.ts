import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Retention } from "../wire/retention.ts";
import { BatchDelivery } from "./batch-delivery.ts";
import type { IngestLimits } from "./collector-limits.ts";
import { Compactor } from "./compactor.ts";
import type { CollectorStats } from "./counters.ts";
import { Dating } from "./dating.ts";
import { FlushSchedule } from "./flush-schedule.ts";
import type { LogRecord } from "./log-record.ts";
import type { MetricPoint } from "./metric-record.ts";
import { MetricRollUp } from "./metric-roll-up.ts";
import type { TrafficRecord } from "./record.ts";
import { RollUp } from "./roll-up.ts";
import { Samples } from "./samples.ts";
import { SenderClaims } from "./sender-claims.ts";
import type { SpanRecord } from "./span.ts";
import type { RollupEntry, TelemetryBatch, TelemetryStore } from "./store.ts";
import { WaitingRecords } from "./waiting-records.ts";
import { weightOfLog, weightOfSpan } from "./weight.ts";

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

const compactEveryMs = 30_000;
const compactWhenIdleEveryMs = 60_000;
const checkEveryMs = 2000;
const soonMs = 50;

/**
 * Between the receivers and the store: counts, samples, and writes one batch a second while records arrive. Nothing runs when none do,
 * but a compaction once a minute. A batch that can't be written is kept and tried again, and what comes in meanwhile is counted on.
 */
export class Ingest {
  readonly #options: IngestOptions;
  readonly #startedAtMs: number;
  readonly #dating = new Dating();
  readonly #rollUp: RollUp;
  readonly #samples: Samples;
  readonly #spans: WaitingRecords<SpanRecord>;
  readonly #logs: WaitingRecords<LogRecord>;
  readonly #metrics: MetricRollUp;
  readonly #senders: SenderClaims;
  readonly #delivery: BatchDelivery;
  readonly #compactor: Compactor;
  readonly #schedule: FlushSchedule;
  /** Who waits to hear that what they sent since the last batch is written. */
  #waiting: (() => void)[] = [];
  /** When the first came in of what is in no batch yet. */
  #firstAddMs: number | undefined;
  #freshAtMs: number | null = null;
  #lastBatchId = 0;
  #active = false;
  #running: Promise<void> | undefined;
  #compactTimer: { cancel(): void } | undefined;
  #stopped = false;
  #soon = false;
  readonly #received = { logs: 0, metricPoints: 0 };

  constructor(options: IngestOptions) {
    this.#options = options;
    const { limits, store, clock, logger } = options;
    this.#startedAtMs = clock.now();
    this.#rollUp = new RollUp(limits);
    this.#samples = new Samples({
      perEdgeAndSecond: limits.samplesPerEdgeAndSecond,
      maxWaiting: limits.maxWaitingSamples,
      maxWaitingErrors: limits.maxWaitingErrors,
    });
    this.#spans = new WaitingRecords({
      ...{ max: limits.maxWaitingSpans, maxBytes: limits.maxWaitingSpanBytes, weigh: weightOfSpan },
      dated: (span, now) => {
        const atMs = this.#dating.of(span.startUs / 1000, now);
        return atMs === now ? { ...span, startUs: Math.floor(now * 1000) } : span;
      },
    });
    this.#logs = new WaitingRecords({
      ...{ max: limits.maxWaitingLogs, maxBytes: limits.maxWaitingLogBytes, weigh: weightOfLog },
      dated: (log, now) => {
        const atMs = this.#dating.of(log.atUs / 1000, now);
        return atMs === now ? { ...log, atUs: Math.floor(now * 1000) } : log;
      },
    });
    this.#senders = new SenderClaims({
      ...{ store, clock, written: options.senders },
      discard: (sender) => {
        this.#rollUp.discard(sender);
        this.#samples.discard(sender);
      },
    });
    this.#metrics = new MetricRollUp({
      maxSeries: limits.retention.maxSeries,
      sinceMs: Math.min(this.#startedAtMs, options.lastRunMs ?? this.#startedAtMs),
      shared: this.#senders.shared,
    });
    this.#delivery = new BatchDelivery({ store, clock, logger });
    this.#compactor = new Compactor({
      ...{ store, clock, logger },
      retention: () => this.#retention(),
      settledUntilMs: () => this.#settledUntilMs(),
    });
    this.#schedule = new FlushSchedule({
      ...{ clock, graceMs: limits.graceMs },
      onTick: async () => {
        await this.#exclusive(() => this.#flush());
        return this.#active;
      },
    });
    this.#armCompaction();
  }

  /** `sender`: whose numbered batch they came in. */
  records(records: readonly TrafficRecord[], sender?: string): void {
    if (records.length === 0) return;
    const apart = this.#senders.shared && sender !== undefined;
    const now = this.#options.clock.now();
    // The clock was stepped back: what was newest is not yet, and would call the graph fresh until it is.
    if (this.#freshAtMs !== null && this.#freshAtMs > now) this.#freshAtMs = null;
    for (const received of records) {
      const timeMs = this.#dating.of(received.timeMs, now);
      const record = timeMs === received.timeMs ? received : { ...received, timeMs };
      if (apart) record.sender = sender;
      this.#rollUp.add(record, now);
      this.#samples.add(record);
      if (this.#freshAtMs === null || record.timeMs > this.#freshAtMs) this.#freshAtMs = record.timeMs;
    }
    this.#arrived(now);
  }

  /** A sender's stream begins; see {@link SenderClaims.introduce}. */
  introduce(sender: string, first: number): Promise<void> {
    return this.#senders.introduce(sender, first);
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
    const taken = this.#spans.add(spans, now);
    if (taken > 0) this.#arrived(now);
    return taken;
  }

  /** Applications' logs; how many were taken. */
  logs(logs: readonly LogRecord[]): number {
    const now = this.#options.clock.now();
    this.#received.logs += logs.length;
    const taken = this.#logs.add(logs, now);
    if (taken > 0) this.#arrived(now);
    return taken;
  }

  /** Points of metrics, whatever dialect they came in; how many were taken. */
  metrics(points: readonly MetricPoint[]): number {
    const now = this.#options.clock.now();
    this.#received.metricPoints += points.length;
    const taken = this.#metrics.add(points, now);
    if (taken > 0) this.#arrived(now);
    return taken;
  }

  /** Resolves once all that was taken in is in the store, which may take as long as the store is down. `soon`: the next regular batch is too late. */
  written(soon: boolean): Promise<void> {
    if (this.#delivery.pending === undefined && this.#firstAddMs === undefined) return Promise.resolve();
    if (soon) this.#flushSoon();
    return new Promise((resolve) => {
      if (this.#firstAddMs === undefined) this.#delivery.tell(resolve);
      else this.#waiting.push(resolve);
    });
  }

  /** Who waits to be told that all is written is about to leave: not to be kept for a second, nor to make a batch each. */
  #flushSoon(): void {
    if (this.#soon || this.#stopped || this.#delivery.failing) return;
    this.#soon = true;
    this.#options.clock.setTimeout(() => {
      this.#soon = false;
      void this.#exclusive(async () => {
        if (await this.#takeNext()) await this.#attempt();
      });
    }, soonMs);
  }

  /** Whether the store takes what is written to it: told by the last batch, or by an empty one when that was a while ago. */
  async check(): Promise<{ ok: boolean; message: string; lastWriteMs: number }> {
    const health = this.#delivery.health();
    if (!health.ok || this.#stopped || this.#options.clock.now() - health.lastWriteMs <= checkEveryMs) return health;
    await this.#exclusive(async () => {
      if (this.#delivery.pending === undefined) await this.#attemptNextOrEmpty();
    });
    return this.#delivery.health();
  }

  stats(): IngestStats {
    return {
      ...this.#delivery.stats(),
      ...this.#received,
      compactionMs: this.#compactor.totalMs,
      lateRecords: this.#rollUp.late,
      overflowedRecords: this.#rollUp.overflowed,
      shedSamples: this.#samples.shed,
      shedSpans: this.#spans.shed,
      shedLogs: this.#logs.shed,
      misdatedRecords: this.#dating.misdated,
      refusedMetricPoints: this.#metrics.refused,
      metricSeries: this.#metrics.series,
      openEntries: this.#rollUp.size,
      waitingSamples: this.#samples.size,
      waitingSpans: this.#spans.size,
      waitingLogs: this.#logs.size,
    };
  }

  /** Writes what is waiting. Rejects when the store can't take it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#schedule.stop();
    this.#compactTimer?.cancel();
    await this.#running;
    this.#active = false;
    while (await this.#takeNext()) await this.#delivery.write();
  }

  #arrived(now: number): void {
    this.#firstAddMs ??= now;
    this.#active = true;
    this.#schedule.start();
  }

  async #flush(): Promise<void> {
    this.#schedule.begin();
    const waiting = this.#delivery.pending !== undefined || this.#firstAddMs !== undefined;
    if (!waiting) this.#active = false; // one last batch says so
    await this.#attemptNextOrEmpty();
  }

  async #attemptNextOrEmpty(): Promise<void> {
    if (!(await this.#takeNext())) this.#delivery.take(this.#emptyBatch());
    await this.#attempt();
  }

  async #attempt(): Promise<void> {
    if (await this.#delivery.attempt()) {
      this.#schedule.told();
      return;
    }
    this.#active = true;
    this.#schedule.start();
  }

  /** Puts the next batch on its way, unless one is, with the metrics that had to wait for what the store knows of their series. False: there is none. */
  async #takeNext(): Promise<boolean> {
    if (this.#delivery.pending !== undefined) return true;
    const ids = this.#metrics.unsettled();
    if (ids.length > 0) {
      try {
        this.#metrics.settle(await this.#options.store.metricStates(ids), this.#options.clock.now());
      } catch {
        this.#active = true; // they wait on; what is wrong with the store is told by the batch
      }
    }
    if (this.#firstAddMs === undefined && this.#metrics.size === 0) return false;
    this.#delivery.take(this.#nextBatch(), this.#waiting);
    this.#waiting = [];
    this.#firstAddMs = undefined;
    return true;
  }

  #nextBatch(): TelemetryBatch {
    const metrics = this.#metrics.drain(this.#options.clock.now());
    const batch = {
      ...this.#emptyBatch(),
      ...this.#senders.drain(),
      rollups: this.#rollUp.drain(),
      samples: this.#samples.drain(),
      spans: this.#spans.drain(),
      logs: this.#logs.drain(),
      metrics: metrics.entries,
      metricStates: metrics.states,
    };
    this.#options.onRollups?.(batch.rollups);
    return batch;
  }

  #emptyBatch(): TelemetryBatch {
    const now = this.#options.clock.now();
    const { stalledFromMs } = this.#schedule;
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
        ...(stalledFromMs !== undefined && { stalledFromMs }),
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
    if (this.#delivery.pending !== undefined) return; // it may hold seconds that are older than any bound
    await this.#compactor.run(() => this.#stopped);
  }

  async #retention(): Promise<Retention> {
    const retention = (await this.#options.retention?.()) ?? this.#options.limits.retention;
    this.#metrics.maxSeries = retention.maxSeries;
    return retention;
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
