import type { Clock } from "../lib/clock.ts";
import type { Counter } from "./stats.ts";

interface BatchExporterOptions<T> {
  /** Sends a batch; false: it is lost. Never rejects. */
  send(items: readonly T[]): Promise<boolean>;
  sent: Counter;
  dropped: Counter;
  clock: Clock;
  flushIntervalMs?: number;
  /** A full queue sheds new items, counted. */
  maxQueue?: number;
}

const maxBatch = 512;

/** Sends items in batches, one at a time. Never throws, never blocks; a failed batch is lost and counted. */
export class BatchExporter<T> {
  readonly #options: BatchExporterOptions<T>;
  #queue: T[] = [];
  #timer: { cancel(): void } | undefined;
  #exporting: Promise<void> | undefined;

  constructor(options: BatchExporterOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    if (this.#queue.length >= (this.#options.maxQueue ?? 4_096)) {
      this.#options.dropped.inc();
      return;
    }
    this.#queue.push(item);
    if (this.#queue.length >= maxBatch) this.#flush();
    else this.#schedule();
  }

  /** Sends what is left, once. */
  async close(): Promise<void> {
    await this.#exporting;
    this.#flush();
    await this.#exporting;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.setTimeout(() => this.#flush(), this.#options.flushIntervalMs ?? 1_000);
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#exporting !== undefined || this.#queue.length === 0) return;
    const items = this.#queue.slice(0, maxBatch);
    this.#queue = this.#queue.slice(maxBatch);
    const { send, sent, dropped } = this.#options;
    this.#exporting = send(items).then((ok) => {
      (ok ? sent : dropped).inc(items.length);
      this.#exporting = undefined;
      if (this.#queue.length > 0) this.#schedule();
    });
  }
}
