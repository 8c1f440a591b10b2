export interface Hits {
  /** What is counted together. */
  key: string;
  hits: number;
  windowMs: number;
}

/** What is in the window that it is now, these hits among it, and when that ends. */
export interface Count {
  count: number;
  endMs: number;
}

/** Where fixed windows are counted. */
export interface CounterStore {
  /** One count for each, in their order. Never rejects: who cannot count lets pass. */
  addAll(all: readonly Hits[], now: number): Promise<Count[]>;
}

/** Counts of fixed windows, in the memory of this process. */
export class Counters implements CounterStore {
  readonly #counts = new Map<string, { count: number; endMs: number }>();
  readonly #max: number;
  #sweptAt = 0;
  /** Hits that were not counted, because there were too many counters. */
  uncounted = 0;

  constructor(max = 200_000) {
    this.#max = max;
  }

  get size(): number {
    return this.#counts.size;
  }

  async addAll(all: readonly Hits[], now: number): Promise<Count[]> {
    return all.map(({ key, hits, windowMs }) => ({ ...this.add(key, hits, windowMs, now) }));
  }

  /** Adds to the window of `windowMs` that `now` is in; returns what is in it then, and when it ends. */
  add(key: string, hits: number, windowMs: number, now: number): Count {
    this.#sweep(now);
    const known = this.#counts.get(key);
    if (known && known.endMs > now) {
      known.count += hits;
      return known;
    }
    const fresh = { count: hits, endMs: windowEnd(now, windowMs) };
    if (!known && this.#counts.size >= this.#max) {
      // Better one that is not limited than nobody else who is.
      this.uncounted += hits;
      return fresh;
    }
    this.#counts.set(key, fresh);
    return fresh;
  }

  /** Once a second, or when full: what is over goes. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < 1_000 && this.#counts.size < this.#max) return;
    if (now === this.#sweptAt) return;
    this.#sweptAt = now;
    for (const [key, { endMs }] of this.#counts) if (endMs <= now) this.#counts.delete(key);
  }
}

export const windowEnd = (now: number, windowMs: number): number => (Math.floor(now / windowMs) + 1) * windowMs;
