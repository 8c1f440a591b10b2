import type { PushLatency } from "../contract/index.ts";
import type { Clock } from "../lib/clock.ts";

export interface PushLatenciesOptions {
  clock: Clock;
  /** Default 24 h. */
  windowMs?: number;
  /** The newest that are kept. Default 10,000. */
  limit?: number;
}

/** How long complete pushes took in the last day: two numbers each, so that the day outlives the details of single pushes. */
export class PushLatencies {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #limit: number;
  readonly #startedAt: number;
  /** Oldest first. */
  #taken: { at: number; ms: number }[] = [];

  constructor({ clock, windowMs = 86_400_000, limit = 10_000 }: PushLatenciesOptions) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#limit = limit;
    this.#startedAt = clock.now();
  }

  /** Commit → last acknowledgement. */
  add(ms: number): void {
    this.#taken.push({ at: this.#clock.now(), ms });
    // Cut in bulk, so that a full history does not move with every push.
    if (this.#taken.length > this.#limit * 1.25) this.#taken = this.#taken.slice(-this.#limit);
  }

  /** Of the window, or since the start of this process, or since the oldest kept, whichever is shortest. */
  summary(): PushLatency {
    const now = this.#clock.now();
    const from = now - this.#windowMs;
    const recent = this.#taken.slice(-this.#limit).filter(({ at }) => at >= from);
    const full = recent.length === this.#limit ? (recent[0]?.at ?? from) : from;
    return {
      sinceMs: Math.max(from, this.#startedAt, full),
      count: recent.length,
      p99Ms: nearestRank(
        recent.map(({ ms }) => ms),
        0.99,
      ),
    };
  }
}

/** The smallest value that at least this share of them does not exceed; null of none. */
function nearestRank(values: number[], share: number): number | null {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
