import { expect, it } from "vitest";
import { BucketCache } from "./bucket-cache.ts";

const part = Uint8Array.of(1, 2, 3);

it("keeps buckets apart by step and start", () => {
  const cache = new BucketCache(10_000);
  cache.put(1, 60, [part]);
  cache.put(60, 60, []);
  expect(cache.get(1, 60)).toEqual([part]);
  expect(cache.get(60, 60)).toEqual([]);
  expect(cache.get(10, 60)).toBeUndefined();
});

it("stays within its bytes by forgetting what came first, empty buckets included", () => {
  const cache = new BucketCache(10_000);
  for (let at = 0; at < 1000; at++) cache.put(1, at, at % 2 ? [part, new Uint8Array(700)] : []);
  expect(cache.bytes).toBeLessThanOrEqual(10_000);
  expect(cache.bytes).toBeGreaterThan(8000);
  expect(cache.get(1, 999)).toHaveLength(2);
  expect(cache.get(1, 0)).toBeUndefined();
});
