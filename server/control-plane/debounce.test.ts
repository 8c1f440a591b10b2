import { expect, test } from "vitest";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { Debounce } from "./debounce.ts";

function setUp() {
  const clock = new FakeClock();
  const runs: number[] = [];
  const finish: (() => void)[] = [];
  let hold = false;
  const debounce = new Debounce(clock, { quietMs: 10, maxMs: 100 }, async () => {
    runs.push(clock.time);
    if (hold) await new Promise<void>((resolve) => finish.push(resolve));
  });
  return {
    clock,
    runs,
    debounce,
    holdRuns: () => {
      hold = true;
    },
    finishRun: async () => {
      finish.shift()?.();
      await settle();
    },
  };
}

/** Lets promise callbacks run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a lone change runs at once", async () => {
  const { clock, runs, debounce } = setUp();
  for (const at of [0, 50, 100]) {
    clock.advance(at - clock.time);
    debounce.poke();
    expect(runs.at(-1)).toBe(at);
    await settle();
  }
  expect(runs).toEqual([0, 50, 100]);
});

test("a burst behind it runs once, when it is over", async () => {
  const { clock, runs, debounce } = setUp();
  for (let i = 0; i < 5; i++) {
    debounce.poke();
    clock.advance(2);
    await settle();
  }
  clock.advance(50);
  await settle();
  expect(runs).toEqual([0, 18]); // the last came at 8
});

test("an endless burst runs every 100 ms", async () => {
  const { clock, runs, debounce } = setUp();
  for (let i = 0; i < 60; i++) {
    debounce.poke();
    clock.advance(5);
    await settle();
  }
  expect(runs.length).toBeGreaterThanOrEqual(3);
  expect(runs.length).toBeLessThanOrEqual(5);
  const gaps = runs.slice(1).map((at, i) => at - (runs[i] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(105);
});

test("runs never overlap; what came during one is taken by the next", async () => {
  const { clock, runs, debounce, holdRuns, finishRun } = setUp();
  holdRuns();
  debounce.poke();
  clock.advance(0);
  debounce.poke();
  clock.advance(500);
  debounce.poke();
  await settle();
  expect(runs).toEqual([0]);
  await finishRun();
  clock.advance(10);
  expect(runs).toHaveLength(2);
  await finishRun();
  clock.advance(500);
  expect(runs).toHaveLength(2);
});

test("stop waits for the run, and there is none after", async () => {
  const { clock, runs, debounce, holdRuns, finishRun } = setUp();
  holdRuns();
  debounce.poke();
  clock.advance(0);
  let stopped = false;
  const stop = debounce.stop().then(() => {
    stopped = true;
  });
  debounce.poke();
  await settle();
  expect(stopped).toBe(false);
  await finishRun();
  await stop;
  clock.advance(500);
  expect(runs).toEqual([0]);
});
