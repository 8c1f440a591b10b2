import type { ConfigObject } from "../config/object.ts";
import { type Commit, CompactedError, type ConfigSource } from "../config/store.ts";
import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";

export interface StoreFollower {
  /** Resolves when the first full list was handed over. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Why what was handed over may not be what is stored; undefined: it is. */
  problem(): string | undefined;
}

export interface StoreFollowerOptions {
  store: ConfigSource;
  clock: Clock;
  logger: Logger;
  /** Everything there is, at a revision: first, and whenever the history broke off. */
  onList(objects: ConfigObject[], revision: number): void;
  onCommit(commit: Commit): void;
}

/** A watch that has not failed for so long works. */
const settledAfterMs = 1_000;

class EmptyStoreError extends Error {
  constructor() {
    super(
      "it is empty, and a mesh was in it: the last one stays in force until it is back, or the control plane is started anew",
    );
  }
}

/** Follows the store from a full list on, without gaps; comes back after any failure of it. */
export function followStore(options: StoreFollowerOptions): StoreFollower {
  const { store, clock, logger } = options;
  const stopping = new AbortController();
  const backoff = new Backoff({ baseMs: 100, maxMs: 5_000 });
  let following: Promise<void> | undefined;

  let count = 0;
  let problem: string | undefined;

  /**
   * An empty list after a full one is no wish: objects are deleted by commits, which the watch has. It is another store's, and who took it
   * for the mesh would withdraw every listener.
   */
  async function list(): Promise<number> {
    const { items, revision } = await store.list();
    if (count > 0 && items.length === 0) throw new EmptyStoreError();
    count = items.length;
    options.onList(items, revision);
    problem = undefined;
    return revision;
  }

  async function follow(from: number): Promise<void> {
    let revision: number | undefined = from;
    let isSettled: { cancel(): void } | undefined;
    while (!stopping.signal.aborted) {
      try {
        revision ??= await list();
        isSettled = clock.setTimeout(() => {
          problem = undefined;
        }, settledAfterMs);
        for await (const commit of store.watch(revision, stopping.signal)) {
          options.onCommit(commit);
          problem = undefined;
          for (const { type } of commit.changes) count += type === "ADDED" ? 1 : type === "DELETED" ? -1 : 0;
          revision = commit.revision;
          backoff.reset();
        }
        if (!stopping.signal.aborted) await pause(); // the store was closed under us
      } catch (error) {
        if (stopping.signal.aborted) return;
        problem = `the config store can't be followed: ${error instanceof Error ? error.message : error}`;
        logger.warn({ err: error, revision }, "config watch broke off");
        if (error instanceof CompactedError) revision = undefined;
        await pause();
      } finally {
        isSettled?.cancel();
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
    problem: () => problem,
    async start() {
      following = follow(await list());
    },
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
