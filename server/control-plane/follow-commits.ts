import { type Commit, CompactedError, type ConfigStore } from "../config/store.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";

export interface FollowOptions {
  store: Pick<ConfigStore, "watch" | "revision">;
  clock: Clock;
  logger: Logger;
  /** The revision after which it begins. */
  from: number;
  signal: AbortSignal;
  onCommit(commit: Commit): Promise<void>;
  /** Commits may have been missed: whatever is known is looked at anew. */
  onLost(): Promise<void>;
}

const retryMs = 1_000;

/** Every commit, one after the other, until the signal aborts or the store is closed; a store that fails is followed again. */
export async function followCommits(options: FollowOptions): Promise<void> {
  const { store, clock, logger, signal, onCommit, onLost } = options;
  let revision = options.from;
  let isLost = false;
  while (!signal.aborted) {
    try {
      if (isLost) {
        revision = await store.revision();
        await onLost();
        isLost = false;
      }
      for await (const commit of store.watch(revision, signal)) {
        revision = commit.revision;
        await onCommit(commit);
      }
      return; // the store was closed
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CompactedError)) logger.warn({ err: error }, "the config store can't be followed");
      isLost = true;
      await pause(clock, retryMs, signal);
    }
  }
}

const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const wait = clock.setTimeout(resolve, ms);
    const end = (): void => {
      wait.cancel();
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
  });
