import type { Clock } from "../../lib/clock.ts";

/** How long an answer holds, milliseconds. */
const everyMs = 2_000;

/** Whether the store can be written, by a write of nothing that counts, for real: only that finds out about a disk that is full. */
export class WriteCheck {
  readonly #clock: Clock;
  readonly #write: (at: number) => Promise<unknown>;
  #last: { at: number; outcome: Promise<void> } | undefined;

  /** `write` is given the time, milliseconds. */
  constructor(clock: Clock, write: (at: number) => Promise<unknown>) {
    this.#clock = clock;
    this.#write = write;
  }

  /** Rejects as the write did. At most one write every few seconds, however many ask. */
  run(): Promise<void> {
    const now = this.#clock.now();
    if (this.#last === undefined || Math.abs(now - this.#last.at) > everyMs) {
      const outcome = this.#write(Math.round(now)).then(() => undefined);
      outcome.catch(() => undefined); // told to those who ask
      this.#last = { at: now, outcome };
    }
    return this.#last.outcome;
  }
}
