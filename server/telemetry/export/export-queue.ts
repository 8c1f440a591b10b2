import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Transport } from "./delivery.ts";
import type { Piece } from "./pieces.ts";

export interface ExportQueueStats {
  /** Spans, points or log records, since start: taken by the other end; left out because the queue was full; refused by it or left when all ended. */
  sent: number;
  dropped: number;
  refused: number;
  /** Attempts that failed and were made again. */
  retries: number;
  /** Now. */
  waiting: number;
  /** Of the last attempt that failed, until one succeeds. */
  lastError: string;
}

export interface ExportQueueOptions {
  transport: Transport;
  clock: Clock;
  logger: Logger;
  limits?: Partial<ExportLimits>;
}

export interface ExportLimits {
  /** Spans, points or records that wait, those on their way included, and their bytes. */
  maxWaiting: number;
  maxWaitingBytes: number;
  /** In one request, unless one piece alone has more. */
  maxBatch: number;
  maxBatchBytes: number;
  /** How long the first of a batch waits for others. */
  lingerMs: number;
  /** At the end, how long what waits is still sent. */
  drainMs: number;
}

export const defaultExportLimits: ExportLimits = {
  maxWaiting: 50_000,
  maxWaitingBytes: 64 << 20,
  maxBatch: 2000,
  // A gRPC server refuses for good what unpacks to more than 4 MiB, unless it was told otherwise.
  maxBatchBytes: 3 << 20,
  lingerMs: 500,
  drainMs: 5000,
};
const backoffMs = { baseMs: 1000, maxMs: 30_000 };
/** Whatever the other end asks for: a wait of hours would only be a queue that is full. */
const maxAfterMs = 120_000;

/**
 * What one signal's backend is still to get, in order, one request at a time. What can't be delivered is tried again for as long as it fails; what
 * comes meanwhile waits until the queue is full, and is then left out and counted.
 */
export class ExportQueue {
  readonly #options: ExportQueueOptions;
  readonly #limits: ExportLimits;
  readonly #backoff = new Backoff(backoffMs);
  #pieces: Piece[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #stopping = false;
  #wake: (() => void) | undefined;
  #pastBound = false;
  readonly #stats: ExportQueueStats = { sent: 0, dropped: 0, refused: 0, retries: 0, waiting: 0, lastError: "" };

  constructor(options: ExportQueueOptions) {
    this.#options = options;
    this.#limits = { ...defaultExportLimits, ...options.limits };
  }

  add(piece: Piece): void {
    const { bytes, count } = piece;
    if (count === 0) return;
    const { maxWaiting, maxWaitingBytes } = this.#limits;
    if (this.#stats.waiting + count > maxWaiting || this.#waitingBytes + bytes.byteLength > maxWaitingBytes) {
      if (!this.#pastBound) this.#options.logger.warn({ waiting: this.#stats.waiting }, "the export queue is full");
      this.#pastBound = true;
      this.#stats.dropped += count;
      return;
    }
    this.#pastBound = false;
    this.#pieces.push(piece);
    this.#stats.waiting += count;
    this.#waitingBytes += bytes.byteLength;
    this.#running ??= this.#run();
  }

  stats(): ExportQueueStats {
    return { ...this.#stats };
  }

  /** Sends what waits, for a bounded time; the rest is counted as refused. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimeout(() => resolve(), this.#limits.drainMs);
    await Promise.race([this.#running, late]);
    timer.cancel();
    this.#stats.refused += this.#stats.waiting;
    this.#stats.waiting = 0;
    this.#waitingBytes = 0;
    this.#pieces = [];
    this.#options.transport.close();
  }

  async #run(): Promise<void> {
    await this.#pause(this.#limits.lingerMs);
    for (let batch = this.#next(); batch.count > 0; batch = this.#next()) await this.#deliver(batch);
    this.#running = undefined;
  }

  /** What goes out next, as one piece. */
  #next(): Piece {
    const { maxBatch, maxBatchBytes } = this.#limits;
    const taken: Uint8Array[] = [];
    let [count, size] = [0, 0];
    for (const { bytes, count: more } of this.#pieces) {
      const isFull = count + more > maxBatch || size + bytes.byteLength > maxBatchBytes;
      if (taken.length > 0 && isFull) break;
      taken.push(bytes);
      count += more;
      size += bytes.byteLength;
    }
    this.#pieces.splice(0, taken.length);
    return { bytes: Buffer.concat(taken, size), count };
  }

  async #deliver(batch: Piece): Promise<void> {
    for (;;) {
      const delivery = await this.#options.transport.send(batch.bytes);
      if (delivery.kind !== "later") {
        this.#settle(delivery, batch);
        return;
      }
      this.#failed(delivery.message);
      this.#stats.retries++;
      await this.#pause(Math.min(maxAfterMs, Math.max(delivery.afterMs ?? 0, this.#backoff.next())));
      if (this.#stopping && this.#stats.waiting === 0) return; // given up meanwhile
    }
  }

  #settle(
    delivery: { kind: "taken"; rejected: number; message: string } | { kind: "refused"; message: string },
    { bytes, count }: Piece,
  ) {
    const rejected = delivery.kind === "refused" ? count : Math.min(count, delivery.rejected);
    this.#backoff.reset();
    this.#stats.waiting = Math.max(0, this.#stats.waiting - count);
    this.#waitingBytes = Math.max(0, this.#waitingBytes - bytes.byteLength);
    this.#stats.sent += count - rejected;
    this.#stats.refused += rejected;
    if (rejected > 0) this.#failed(delivery.message);
    else this.#stats.lastError = "";
  }

  #failed(message: string): void {
    // A backend that is away for a day is said once.
    if (message !== this.#stats.lastError) this.#options.logger.warn({ reason: message }, "not exported");
    this.#stats.lastError = message;
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopping) ms = Math.min(ms, 100);
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        this.#wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }
}
