import { expect, it } from "vitest";
import { measureLoopDelay } from "./loop-delay.ts";
import { Stats } from "./stats.ts";

it("records how late what is due comes, in microseconds, until it is stopped", () => {
  const stats = new Stats();
  const due: { callback: () => void; ms: number }[] = [];
  let now = 0;
  let cancelled = 0;
  const clock = {
    setTimeout(callback: () => void, ms: number) {
      due.push({ callback, ms });
      return { cancel: () => cancelled++ };
    },
  };
  const stop = measureLoopDelay(stats, clock, () => now);
  const { ms = 0 } = due[0] ?? {};
  now += ms + 7;
  due[0]?.callback();
  now += ms;
  due[1]?.callback();
  const delays = stats.histogram("server.dispatcher.poll_delay_us");
  expect([delays.count, delays.sum]).toEqual([2, 7000]);
  stop();
  expect(cancelled).toBe(1);
});
