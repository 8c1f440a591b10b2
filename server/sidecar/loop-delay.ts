import { performance } from "node:perf_hooks";
import type { Clock } from "../lib/clock.ts";
import type { Stats } from "./stats.ts";

const everyMs = 100;

/**
 * How late the event loop comes to what is due: Envoy's `poll_delay_us`, of our one loop, ten times a second. What is late here, every request is.
 * https://www.envoyproxy.io/docs/envoy/latest/operations/performance
 * @returns stops it
 */
export function measureLoopDelay(
  stats: Stats,
  clock: Pick<Clock, "setTimeout">,
  now = () => performance.now(),
): () => void {
  const histogram = stats.histogram("server.dispatcher.poll_delay_us");
  let timer: { cancel(): void };
  const wait = () => {
    const due = now() + everyMs;
    timer = clock.setTimeout(() => {
      histogram.record(Math.max(0, Math.round((now() - due) * 1000)));
      wait();
    }, everyMs);
  };
  wait();
  return () => timer.cancel();
}
