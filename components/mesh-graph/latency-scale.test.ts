import { expect, it } from "vitest";
import { latencyScale } from "./latency-scale.ts";

it("lies between round numbers, with a few of them in between", () => {
  expect(latencyScale([8.1, 12, null, 313])?.ticks).toEqual([5, 20, 100, 500]);
  expect(latencyScale([9, 11])?.ticks).toEqual([5, 10, 20, 50].slice(0, latencyScale([9, 11])?.ticks.length));
  expect(latencyScale([0.4, 70_000])?.ticks.length).toBeLessThanOrEqual(5);
});

it("leaves what is usual and what is not apart from the ground and from each other", () => {
  const scale = latencyScale([8, 9, 10, 300]);
  const [usual = 0, spike = 0] = [scale?.place(9), scale?.place(300)];
  expect(usual).toBeGreaterThan(0.08);
  expect(spike - usual).toBeGreaterThan(0.4);
  expect(spike).toBeLessThanOrEqual(1);
});

it("is nothing without a value", () => expect(latencyScale([null, null])).toBeNull());
