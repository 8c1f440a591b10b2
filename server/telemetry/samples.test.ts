import { describe, expect, it } from "vitest";
import { edge, sample } from "../store/telemetry/testing/records.ts";
import { isError, Samples } from "./samples.ts";

const reviews = edge("productpage", "reviews/v1");
const limits = { perEdgeAndSecond: 3, maxWaiting: 100, maxWaitingErrors: 100 };

describe("Samples", () => {
  it("keeps every error and a few successes of each edge and second", () => {
    const samples = new Samples(limits);
    for (let i = 0; i < 50; i++) {
      samples.add(sample(reviews, 1000 + i));
      samples.add(sample(reviews, 2000 + i));
      samples.add(sample(edge("productpage", "details"), 1000 + i));
      samples.add(sample(reviews, 1000 + i, { code: i % 2 ? 503 : 404 }));
    }
    expect(samples.size).toBe(50 + 3 * 3);
    const kept = samples.drain();
    expect(kept.filter(isError)).toHaveLength(50);
    expect(kept).toHaveLength(59);
    expect(samples.size).toBe(0);
    expect(samples.shed).toBe(0);
  });

  it("gives every success the same chance", () => {
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const chosen = new Map<number, number>();
    for (let round = 0; round < 3000; round++) {
      const samples = new Samples(limits, random);
      for (let i = 0; i < 10; i++) samples.add(sample(reviews, 1000 + i));
      for (const record of samples.drain()) chosen.set(record.timeMs, (chosen.get(record.timeMs) ?? 0) + 1);
    }
    for (const times of chosen.values()) expect(Math.abs(times - 900)).toBeLessThan(120);
    expect(chosen.size).toBe(10);
  });

  it("sheds past its limits, of errors and successes apart, and counts what it shed", () => {
    const samples = new Samples({ ...limits, maxWaiting: 10, maxWaitingErrors: 3 });
    for (let i = 0; i < 30; i++) samples.add(sample(reviews, i * 1000, { code: i % 2 ? 503 : 200 }));
    expect(samples.size).toBe(13);
    expect(samples.shed).toBe(17);
    expect(samples.drain().filter((record) => record.code === 503)).toHaveLength(3);
  });

  it("has nothing to show of what is a number of requests", () => {
    const samples = new Samples(limits);
    samples.add(sample(reviews, 0, { count: 7, detailed: false, code: 503 }));
    expect(samples.drain()).toEqual([]);
  });
});

it.each([
  [{ code: 200 }, false],
  [{ code: 302 }, false],
  [{ code: 404 }, true],
  [{ code: 503 }, true],
  [{ code: 0 }, true],
  [{ code: 200, grpcStatus: 0, edge: { ...reviews, protocol: "grpc" as const } }, false],
  [{ code: 200, grpcStatus: 14, edge: { ...reviews, protocol: "grpc" as const } }, true],
  [{ code: 0, edge: { ...reviews, protocol: "tcp" as const } }, false],
  [{ code: 0, flags: 1, edge: { ...reviews, protocol: "tcp" as const } }, true],
])("of %j it says that being an error is %s", (changes, expected) => {
  expect(isError(sample(reviews, 0, changes))).toBe(expected);
});
