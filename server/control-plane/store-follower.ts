import type { ConfigObject } from "../config/object.ts";
import { type Commit, CompactedError, type ConfigStore } from "../config/store.ts";
import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";

export interface StoreFollower {
  /** Resolves when the first full list was handed over. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface StoreFollowerOptions {
  store: ConfigStore;
  clock: Clock;
  logger: Logger;
  /** Everything there is, at a revision: first, and whenever the history broke off. */
  onList(objects: ConfigObject[], revision: number): void;
  onCommit(commit: Commit): void;
}

/** Follows the store from a full list on, without gaps; comes back after any failure of it. */
export function followStore(options: StoreFollowerOptions): StoreFollower {
  const { store, clock, logger } = options;
  const stopping = new AbortController();
  const backoff = new Backoff({ baseMs: 100, maxMs: 5_000 });
  let following: Promise<void> | undefined;

  async function list(): Promise<number> {
    const { items, revision } = await store.list();
    options.onList(items, revision);
    return revision;
  }

  async function follow(from: number): Promise<void> {
    let revision: number | undefined = from;
    while (!stopping.signal.aborted) {
      try {
        revision ??= await list();
        for await (const commit of store.watch(revision, stopping.signal)) {
          options.onCommit(commit);
          revision = commit.revision;
          backoff.reset();
        }
        if (!stopping.signal.aborted) await pause(); // the store was closed under us
      } catch (error) {
        if (stopping.signal.aborted) return;
        logger.warn({ err: error, revision }, "config watch broke off");
        if (error instanceof CompactedError) revision = undefined;
        await pause();
      }
    }
  }

  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = clock.setTimeout(resolve, backoff.next());
      stopping.signal.addEventListener("abort", () => {
        timer.cancel();
        resolve();
      });
    });

  return {
    async start() {
      following = follow(await list());
    },
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
