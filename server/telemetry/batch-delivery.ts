import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { CollectorStats } from "./counters.ts";
import type { TelemetryBatch, TelemetryStore } from "./store.ts";

export interface BatchDeliveryOptions {
  store: Pick<TelemetryStore, "write">;
  clock: Clock;
  logger: Logger;
}

/** A store that takes longer for a batch is not told to be well. */
const slowMs = 3000;
/** Once a second for as long as a disk is full would fill what is left of it. */
const attemptsPerLine = 60;

/** One batch on its way to the store, kept until it is written. */
export class BatchDelivery {
  readonly #options: BatchDeliveryOptions;
  #pending: TelemetryBatch | undefined;
  /** Who waits for it. */
  #waiting: readonly (() => void)[] = [];
  #startedAtMs: number | undefined;
  #lastWriteMs = 0;
  #lastError = "";
  /** Writes that failed in a row. */
  #failing = 0;
  readonly #totals = { flushes: 0, failedFlushes: 0, flushMs: 0, lastFlushMs: 0 };

  constructor(options: BatchDeliveryOptions) {
    this.#options = options;
  }

  /** What is not written yet; the same one until it is. */
  get pending(): TelemetryBatch | undefined {
    return this.#pending;
  }

  get failing(): boolean {
    return this.#failing > 0;
  }

  /** Takes the next one on; `waiting` are told when it is written. */
  take(batch: TelemetryBatch, waiting: readonly (() => void)[] = []): void {
    this.#pending = batch;
    this.#waiting = waiting;
  }

  /** Adds to those who are told. */
  tell(waiting: () => void): void {
    this.#waiting = [...this.#waiting, waiting];
  }

  /** Rejects when the store can't take it. */
  async write(): Promise<void> {
    const { store, clock } = this.#options;
    if (this.#pending === undefined) return;
    const started = performance.now();
    this.#startedAtMs = clock.now();
    try {
      await store.write(this.#pending);
    } finally {
      this.#startedAtMs = undefined;
    }
    this.#pending = undefined;
    this.#failing = 0;
    this.#lastWriteMs = clock.now();
    this.#totals.lastFlushMs = performance.now() - started;
    this.#totals.flushMs += this.#totals.lastFlushMs;
    this.#totals.flushes++;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const written of waiting) written();
  }

  /** The same; false: it failed, and that is told. */
  async attempt(): Promise<boolean> {
    try {
      await this.write();
      return true;
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#totals.failedFlushes++;
      if (this.#failing++ % attemptsPerLine === 0) {
        const message = "telemetry batch not written; it is kept and tried again every second";
        this.#options.logger.error({ err: error }, message);
      }
      return false;
    }
  }

  /** Whether the store takes what is written to it. */
  health(): { ok: boolean; message: string; lastWriteMs: number } {
    const lastWriteMs = this.#lastWriteMs;
    const waitedMs = this.#startedAtMs === undefined ? 0 : this.#options.clock.now() - this.#startedAtMs;
    if (waitedMs > slowMs) {
      const message = `the telemetry store has not answered for ${Math.round(waitedMs / 1000)} s`;
      return { ok: false, message, lastWriteMs };
    }
    return { ok: !this.failing, message: this.failing ? this.#lastError : "", lastWriteMs };
  }

  stats(): Pick<CollectorStats, "flushes" | "failedFlushes" | "flushMs" | "lastFlushMs"> {
    return this.#totals;
  }
}
