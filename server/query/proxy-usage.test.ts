import { expect, test } from "vitest";
import { createProxyUsage, type UsageSample } from "./proxy-usage.ts";

function setUp() {
  const state = { at: 0, samples: [] as UsageSample[] | Error };
  const usage = createProxyUsage({
    now: () => state.at,
    read: async () => {
      if (state.samples instanceof Error) throw state.samples;
      return state.samples;
    },
  });
  const ask = async (at: number, samples: UsageSample[] | Error) => {
    Object.assign(state, { at, samples });
    return Object.fromEntries(await usage());
  };
  return ask;
}
const sample = (cpuMs: number, pid = 7): UsageSample[] => [{ node: "a", pid, cpuMs, memoryBytes: 1000 + cpuMs }];

test("knows the memory at once, and the cores once it was seen twice", async () => {
  const ask = setUp();
  expect(await ask(0, sample(100))).toEqual({ a: { cpu: null, memoryBytes: 1100 } });
  expect(await ask(2000, sample(160))).toEqual({ a: { cpu: 0.03, memoryBytes: 1160 } });
});

test("asked twice in a moment, it keeps the figure and the span", async () => {
  const ask = setUp();
  await ask(0, sample(0));
  await ask(2000, sample(100));
  expect(await ask(2010, sample(110))).toEqual({ a: { cpu: 0.05, memoryBytes: 1110 } });
  expect(await ask(4000, sample(300))).toEqual({ a: { cpu: 0.1, memoryBytes: 1300 } });
});

test("a process that was restarted begins anew, and so does a long silence", async () => {
  const ask = setUp();
  await ask(0, sample(5000));
  expect(await ask(2000, sample(20, 8))).toEqual({ a: { cpu: null, memoryBytes: 1020 } });
  expect(await ask(100_000, sample(40, 8))).toEqual({ a: { cpu: null, memoryBytes: 1040 } });
});

test("keeps what it knew while the supervisor is busy, and says nothing where none answers", async () => {
  const ask = setUp();
  expect(await ask(0, new Error("refused"))).toEqual({});
  await ask(1000, sample(0));
  expect(await ask(3000, new Error("refused"))).toEqual({ a: { cpu: null, memoryBytes: 1000 } });
  expect(await ask(100_000, new Error("refused"))).toEqual({});
});
