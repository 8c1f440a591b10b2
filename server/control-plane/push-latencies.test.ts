import { expect, test } from "vitest";
import { PushLatency } from "../contract/index.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { PushLatencies } from "./push-latencies.ts";

const hour = 3_600_000;

function setUp(limit?: number) {
  const clock = new FakeClock();
  clock.time = 100 * hour;
  return { clock, latencies: new PushLatencies({ clock, ...(limit && { limit }) }) };
}

test("says nothing of no pushes, and since when it would know", () => {
  const { clock, latencies } = setUp();
  clock.advance(5000);
  expect(PushLatency.parse(latencies.summary())).toEqual({ sinceMs: 100 * hour, count: 0, p99Ms: null });
});

test("one slow push of a hundred is past the 99th, two are not", () => {
  const { latencies } = setUp();
  for (let i = 1; i < 100; i++) latencies.add(10);
  latencies.add(900);
  expect(latencies.summary()).toMatchObject({ count: 100, p99Ms: 10 });
  latencies.add(900);
  expect(latencies.summary()).toMatchObject({ count: 101, p99Ms: 900 });
});

test("forgets what is older than a day", () => {
  const { clock, latencies } = setUp();
  latencies.add(900);
  clock.advance(23 * hour);
  latencies.add(10);
  expect(latencies.summary()).toMatchObject({ count: 2, p99Ms: 900, sinceMs: 100 * hour });
  clock.advance(2 * hour);
  expect(latencies.summary()).toEqual({ count: 1, p99Ms: 10, sinceMs: 101 * hour });
});

test("keeps the newest, and says that it knows no further back", () => {
  const { clock, latencies } = setUp(4);
  for (const ms of [900, 900, 1, 2, 3, 4]) {
    clock.advance(1000);
    latencies.add(ms);
  }
  expect(latencies.summary()).toEqual({ count: 4, p99Ms: 4, sinceMs: 100 * hour + 3000 });
});
