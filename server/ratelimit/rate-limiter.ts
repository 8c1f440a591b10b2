import { type Count, type CounterStore, Counters } from "./counters.ts";
import { type Entry, type Limit, RateLimits, type Unit, unitSec } from "./limits.ts";

export interface Asked {
  entries: readonly Entry[];
  /** Instead of what is configured. */
  override?: { requestsPerUnit: number; unit: Unit };
}

export interface Verdict {
  /** Undefined: there is no limit for it. */
  limit: Limit | undefined;
  over: boolean;
  remaining: number;
  /** Until its window ends. */
  resetMs: number;
}

/** How a limit stands, for those who look. */
export interface Usage {
  domain: string;
  descriptor: string;
  limit: Limit;
  count: number;
  endMs: number;
}

/** At most as many are told. */
const maxUsages = 1_000;

/** Says of descriptors whether they are over their limits, and counts. */
export class RateLimiter {
  #limits = new RateLimits([]);
  readonly #counters: CounterStore;
  readonly #usage = new Map<string, Usage>();

  constructor(counters: CounterStore = new Counters()) {
    this.#counters = counters;
  }

  /** From the next question on. Counts go on where descriptors and units stay. */
  reload(configs: ConstructorParameters<typeof RateLimits>[0]): void {
    this.#limits = new RateLimits(configs);
    this.#usage.clear();
  }

  /** One verdict for each descriptor. Every limit is counted, whatever another says: so an order makes no difference. */
  async check(domain: string, asked: readonly Asked[], hits: number, now: number): Promise<Verdict[]> {
    const found = asked.map(({ entries, override }) =>
      override ? { name: "", ...override, unlimited: false, shadow: false } : this.#limits.find(domain, entries),
    );
    const counted = asked.flatMap(({ entries }, index) => {
      const limit = found[index];
      if (!limit || limit.unlimited) return [];
      const key = JSON.stringify([domain, entries.map((entry) => [entry.key, entry.value]), limit.unit]);
      const descriptor = entries.map((entry) => `${entry.key}=${entry.value}`).join(",");
      return [{ index, limit, descriptor, key, hits, windowMs: unitSec[limit.unit] * 1000 }];
    });
    const counts = counted.length > 0 ? await this.#counters.addAll(counted, now) : [];
    const verdicts = found.map(
      (limit): Verdict => ({ limit, over: false, remaining: limit ? 4_294_967_295 : 0, resetMs: 0 }),
    );
    for (const [i, { index, limit, descriptor, key }] of counted.entries()) {
      const { count, endMs } = counts[i] as Count;
      this.#note(key, { domain, descriptor, limit, count, endMs });
      verdicts[index] = {
        limit,
        over: count > limit.requestsPerUnit && !limit.shadow,
        remaining: Math.max(0, limit.requestsPerUnit - count),
        resetMs: endMs - now,
      };
    }
    return verdicts;
  }

  /** Limits of windows that are not over, the fullest first. */
  usage(now: number): Usage[] {
    for (const [key, { endMs }] of this.#usage) if (endMs <= now) this.#usage.delete(key);
    const share = ({ count, limit }: Usage) => count / Math.max(1, limit.requestsPerUnit);
    return [...this.#usage.values()].sort((a, b) => share(b) - share(a));
  }

  #note(key: string, usage: Usage): void {
    if (!this.#usage.has(key) && this.#usage.size >= maxUsages) {
      for (const [old, { endMs }] of this.#usage) if (endMs <= usage.endMs) this.#usage.delete(old);
      if (this.#usage.size >= maxUsages) return;
    }
    this.#usage.set(key, usage);
  }
}
