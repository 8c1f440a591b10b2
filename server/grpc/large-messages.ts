import type { Clock } from "../lib/clock.ts";

export interface LargeMessagesOptions {
  clock: Clock;
  /** Of messages under way at a time; one may always come. Default 32 MiB. */
  maxBytes?: number;
  /** Whoever takes longer with its message holds nobody up any more. Default 2 s. */
  patienceMs?: number;
}

/** The right to bring a message in. */
export interface Place {
  /** The message has been dealt with, or does not come any more. */
  leave(): void;
}

/**
 * Large messages come in some at a time, first come, first served, so that thousands of clients who say at once what they hold don't have all of it lie in memory. The
 * others wait with their windows closed.
 */
export class LargeMessages {
  readonly #options: Required<LargeMessagesOptions>;
  readonly #waiting = new Map<object, { bytes: number; enter: (place: Place) => void }>();
  #bytes = 0;
  #isLettingIn = false;

  constructor(options: LargeMessagesOptions) {
    this.#options = { maxBytes: 32 << 20, patienceMs: 2_000, ...options };
  }

  /** A place at once, or undefined: `enter` is called when there is one, unless `of` gives up before. */
  ask(of: object, bytes: number, enter: (place: Place) => void): Place | undefined {
    if (this.#waiting.size === 0 && this.#hasRoom(bytes)) return this.#place(bytes);
    this.#waiting.set(of, { bytes, enter });
    return undefined;
  }

  giveUp(of: object): void {
    if (this.#waiting.delete(of)) this.#letIn();
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#options.maxBytes;
  }

  #place(bytes: number): Place {
    this.#bytes += bytes;
    let taken = true;
    const leave = (): void => {
      if (!taken) return;
      taken = false;
      timer.cancel();
      this.#bytes -= bytes;
      this.#letIn();
    };
    const timer = this.#options.clock.setTimeout(leave, this.#options.patienceMs);
    return { leave };
  }

  /** Who enters may leave at once: then the walk goes on here, and not within. */
  #letIn(): void {
    if (this.#isLettingIn) return;
    this.#isLettingIn = true;
    for (const [of, { bytes, enter }] of this.#waiting) {
      if (!this.#hasRoom(bytes)) break;
      this.#waiting.delete(of);
      enter(this.#place(bytes));
    }
    this.#isLettingIn = false;
  }
}
