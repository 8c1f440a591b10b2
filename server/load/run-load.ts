import type { LoadOutcome, LoadPlan } from "../contract/load-tests.ts";
import { arrivals } from "./arrivals.ts";
import { createSenders } from "./sender.ts";
import { Tally } from "./tally.ts";
import { takeTurns } from "./turns.ts";

export interface LoadOptions {
  signal?: AbortSignal;
  /** About once a second. */
  onProgress?(elapsedSec: number, outcome: LoadOutcome): void;
  random?: () => number;
}

/** So many may be under way or wait for a connection; past it a request that is due counts as `not sent`. */
const maxUnanswered = 20_000;

/**
 * Sends what `plan` says, each request when it is due, and counts what comes of it. Latencies are from when a request was due, so that what a stalled target makes later requests wait is
 * in them (https://www.scylladb.com/2021/04/22/on-coordinated-omission/). Resolves when the last answer is there or out of time; with `signal` aborted, with what was until then.
 */
export async function runLoad(plan: LoadPlan, options: LoadOptions = {}): Promise<LoadOutcome> {
  const { signal, onProgress } = options;
  const warmUpMs = plan.warmUpSec * 1000;
  const totalMs = warmUpMs + plan.durationSec * 1000;
  const requests = [plan, ...plan.also];
  const tally = new Tally(warmUpMs, requests.length);
  const senders = createSenders(plan);
  const turns = takeTurns(requests.map(({ weight }) => weight));
  const began = performance.now();
  const elapsed = (): number => performance.now() - began;
  const counted = (): number => Math.max(0, Math.min(elapsed(), totalMs) - warmUpMs) / 1000;
  const due = arrivals(plan.arrivals, plan.rate, totalMs, options.random);
  let unanswered = 0;
  let drained: (() => void) | undefined;

  const send = (dueAt: number): void => {
    const request = turns();
    tally.due(dueAt, Math.max(0, elapsed() - dueAt), request);
    if (unanswered >= maxUnanswered) {
      tally.ended({ dueAt, sentAt: undefined, endedAt: elapsed(), request, result: { failure: "not sent" } });
      return;
    }
    unanswered += 1;
    let sentAt: number | undefined;
    senders.send(request, {
      sent() {
        sentAt = elapsed();
      },
      ended(result) {
        unanswered -= 1;
        tally.ended({ dueAt, sentAt, endedAt: elapsed(), request, result });
        if (unanswered === 0) drained?.();
      },
    });
  };

  const progress = onProgress && setInterval(() => onProgress(elapsed() / 1000, tally.outcome(counted())), 1000);
  try {
    await sendWhenDue(due, send, elapsed, signal);
    if (unanswered > 0 && !signal?.aborted) {
      await new Promise<void>((resolve) => {
        drained = resolve;
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return tally.outcome(signal?.aborted ? counted() : plan.durationSec);
  } finally {
    clearInterval(progress);
    senders.close();
  }
}

/** Timers are whole milliseconds: whatever came due meanwhile is sent at once, and its being late is in its figures. */
function sendWhenDue(
  due: Generator<number>,
  send: (dueAt: number) => void,
  elapsed: () => number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    let next = due.next();
    const turn = (): void => {
      const now = elapsed();
      while (!next.done && next.value <= now) {
        send(next.value);
        next = due.next();
      }
      if (next.done || signal?.aborted) resolve();
      else setTimeout(turn, Math.min(1000, Math.max(1, next.value - now)));
    };
    turn();
  });
}
