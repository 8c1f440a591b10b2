import { hash } from "node:crypto";
import { Redis } from "ioredis";
import type { Logger } from "../lib/logger.ts";
import { type Count, type CounterStore, Counters, type Hits, windowEnd } from "./counters.ts";

export interface RedisCountersOptions {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
  url: string;
  logger: Logger;
  /** Default 250. A limit is no reason to keep a request waiting. */
  timeoutMs?: number;
}

/**
 * Counts in a Redis that several replicas share. While it is gone each counts for itself, in memory: limits are then as many times as wide as there are
 * replicas, and nobody is turned away for it.
 */
export class RedisCounters implements CounterStore {
  readonly #redis: Redis;
  readonly #own = new Counters();
  readonly #logger: Logger;
  #problem: string | undefined;

  constructor({ url, logger, timeoutMs = 250 }: RedisCountersOptions) {
    this.#logger = logger;
    this.#redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 2_000,
      commandTimeout: timeoutMs,
      retryStrategy: (attempt) => Math.min(5_000, 100 * 2 ** Math.min(attempt, 10)),
    });
    this.#redis.on("ready", () => this.#note(undefined));
    this.#redis.on("error", (error) => this.#note(error.message));
  }

  /** Why counts are this process' own; undefined: they are shared. */
  problem(): string | undefined {
    return this.#problem ?? (this.#redis.status === "ready" ? undefined : `Redis is ${this.#redis.status}`);
  }

  async addAll(all: readonly Hits[], now: number): Promise<Count[]> {
    if (this.#redis.status === "ready") {
      try {
        return await this.#addAll(all, now);
      } catch (error) {
        this.#note(error instanceof Error ? error.message : String(error));
      }
    }
    return this.#own.addAll(all, now);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  /** A key for each window: it goes by itself, a little after the window, as replicas' clocks differ. */
  async #addAll(all: readonly Hits[], now: number): Promise<Count[]> {
    const pipeline = this.#redis.pipeline();
    const ends = all.map(({ key, hits, windowMs }) => {
      const endMs = windowEnd(now, windowMs);
      const name = `limpid:ratelimit:${hash("sha1", key, "hex")}:${endMs}`;
      pipeline.incrby(name, hits).pexpire(name, endMs - now + graceMs);
      return endMs;
    });
    const answers = (await pipeline.exec()) ?? [];
    return ends.map((endMs, i) => {
      const [error, count] = answers[2 * i] ?? [new Error("no answer")];
      if (error) throw error;
      return { count: Number(count), endMs };
    });
  }

  #note(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    if (problem === undefined) this.#logger.info({}, "rate limits are counted in Redis");
    else this.#logger.warn({ problem }, "Redis can't count rate limits: this process counts for itself");
  }
}

const graceMs = 5_000;
