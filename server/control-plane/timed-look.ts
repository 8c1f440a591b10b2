import type { ConfigChange, ConfigStore } from "../config/store.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { followCommits } from "./follow-commits.ts";

export interface TimedLook {
  /** Ends when the store can be followed and was looked at once. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface TimedLookOptions {
  store: ConfigStore;
  clock: Clock;
  logger: Logger;
  /** Whether a commit with this is a reason to look at once. */
  concerns(change: ConfigChange): boolean;
  /** Does what is due. @returns when to look again, Unix milliseconds; undefined: after the next commit */
  look(): Promise<number | undefined>;
  /** What is logged when it throws. */
  failure: string;
}

/** Until what failed is tried again. */
export const retryMs = 1_000;

/** A timer's longest wait: setTimeout takes 31 bits of milliseconds. */
const maxWaitMs = 24 * 3_600_000;

/** Does what is due in the store, by commits and by the clock, one look after the other. There is no other memory than the store, and one timer. */
export function createTimedLook({ store, clock, logger, concerns, look, failure }: TimedLookOptions): TimedLook {
  const closing = new AbortController();
  let timer: { cancel(): void } | undefined;
  let running: Promise<void> = Promise.resolve();
  let following: Promise<void> = Promise.resolve();

  /** A failure is tried again: a fault must not burn on because the store hiccuped. */
  function check(): Promise<void> {
    running = running.then(async () => {
      if (closing.signal.aborted) return;
      try {
        schedule(await look());
      } catch (error) {
        if (closing.signal.aborted) return;
        logger.warn({ err: error }, failure);
        schedule(clock.now() + retryMs);
      }
    });
    return running;
  }

  function schedule(at: number | undefined): void {
    timer?.cancel();
    timer = undefined;
    if (at === undefined || closing.signal.aborted) return;
    timer = clock.setTimeout(() => void check(), Math.min(Math.max(0, at - clock.now()), maxWaitMs));
  }

  return {
    async start() {
      const from = await store.revision();
      await check();
      following = followCommits({
        store,
        clock,
        logger,
        from,
        signal: closing.signal,
        onCommit: async ({ changes }) => {
          if (changes.some(concerns)) await check();
        },
        onLost: check,
      });
    },
    async close() {
      closing.abort();
      timer?.cancel();
      await Promise.allSettled([running, following]);
    },
  };
}
