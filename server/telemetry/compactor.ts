import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Retention } from "../wire/retention.ts";
import type { TelemetryStore } from "./store.ts";

export interface CompactorOptions {
  store: Pick<TelemetryStore, "compact">;
  clock: Clock;
  logger: Logger;
  /** Asked before each run: it may change while the collector is at work. */
  retention(): Promise<Retention>;
  /** No record that ended before this will be written any more, by a batch of this collector; Unix milliseconds. */
  settledUntilMs(): number;
}

/** Has the store compacted, pass by pass, each with the event loop to others in between. */
export class Compactor {
  readonly #options: CompactorOptions;
  #totalMs = 0;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  get totalMs(): number {
    return this.#totalMs;
  }

  /** Until nothing is left to do, or `stopped` says so. A failure is told, and the next run goes on. */
  async run(stopped: () => boolean): Promise<void> {
    const { store, clock, logger, settledUntilMs } = this.#options;
    const started = performance.now();
    try {
      const retention = await this.#options.retention();
      for (let more = true; more && !stopped(); ) {
        ({ more } = await store.compact({ nowMs: clock.now(), settledUntilMs: settledUntilMs(), retention }));
        await nextTurn();
      }
    } catch (error) {
      logger.error({ err: error }, "telemetry store not compacted, will try again");
    }
    this.#totalMs += performance.now() - started;
  }
}
