import type { Clock } from "../lib/clock.ts";

export interface DebounceOptions {
  /** A burst is over when nothing came for this long. Default 10 ms. */
  quietMs: number;
  /** Nothing waits longer. Default 100 ms. */
  maxMs: number;
}

export const defaultDebounce: DebounceOptions = { quietMs: 10, maxMs: 100 };

/**
 * Runs `flush` at once for a lone change, once for a burst, and never twice at a time: what comes during a run is
 * taken by the next.
 */
export class Debounce {
  readonly #clock: Clock;
  readonly #options: DebounceOptions;
  readonly #flush: () => Promise<void>;
  #timer: { cancel(): void } | undefined;
  /** When the oldest waiting change came. */
  #since: number | undefined;
  #lastChange = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(clock: Clock, options: DebounceOptions, flush: () => Promise<void>) {
    this.#clock = clock;
    this.#options = options;
    this.#flush = flush;
  }

  /** Something changed. */
  poke(): void {
    const now = this.#clock.now();
    const lone = this.#since === undefined && now - this.#lastChange >= this.#options.quietMs;
    this.#since ??= now;
    this.#lastChange = now;
    // Not even by a timer: what else this turn of the event loop has to do, such as answering the writer, is not urgent.
    if (lone && !this.#stopped && !this.#running) this.#run();
    else this.#schedule(Math.min(this.#options.quietMs, this.#since + this.#options.maxMs - now));
  }

  /** No further runs; resolves when the current one is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (this.#stopped || this.#running) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimeout(() => this.#run(), Math.max(0, delayMs));
  }

  #run(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#since = undefined;
    this.#running = this.#flush().finally(() => {
      this.#running = undefined;
      if (this.#since === undefined) return;
      const waited = this.#clock.now() - this.#since;
      this.#schedule(Math.min(this.#options.quietMs, this.#options.maxMs - waited));
    });
  }
}
