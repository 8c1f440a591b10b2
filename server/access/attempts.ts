import type { Clock } from "../lib/clock.ts";

export interface AttemptLimit {
  /** So many failures … */
  failures: number;
  /** … within this time. */
  windowMs: number;
}

/** Whoever is past both is forgotten first: an attacker with many addresses gains nothing by filling this. */
const maxKeys = 10_000;

/** Counts failures by key (an account, an address), in memory. */
export class Attempts {
  readonly #limit: AttemptLimit;
  readonly #clock: Pick<Clock, "now">;
  readonly #failed = new Map<string, number[]>();

  constructor(limit: AttemptLimit, clock: Pick<Clock, "now">) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Milliseconds until this one may try again; 0: now. */
  waitMs(key: string): number {
    const recent = this.#recent(key);
    const first = recent.at(-this.#limit.failures);
    return first === undefined ? 0 : first + this.#limit.windowMs - this.#clock.now();
  }

  /** Counted before it is known how it ends, so that many at once count as many. */
  begin(key: string): void {
    const recent = [...this.#recent(key), this.#clock.now()].slice(-this.#limit.failures);
    this.#failed.delete(key);
    if (this.#failed.size >= maxKeys) {
      for (const oldest of this.#failed.keys()) {
        this.#failed.delete(oldest);
        break;
      }
    }
    this.#failed.set(key, recent);
  }

  succeeded(key: string): void {
    this.#failed.delete(key);
  }

  #recent(key: string): number[] {
    const since = this.#clock.now() - this.#limit.windowMs;
    return (this.#failed.get(key) ?? []).filter((at) => at > since);
  }
}
