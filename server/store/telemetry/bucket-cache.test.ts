import { expect, it } from "vitest";
import type { RollupRow } from "../../query/reader.ts";
import { BucketCache } from "./bucket-cache.ts";
import { edge } from "./testing/records.ts";

const row: RollupRow = {
  atMs: 0,
  edge: { ...edge("a", "b"), id: 1 },
  code: 200,
  flags: [],
  count: 1,
  requestBytes: 0,
  responseBytes: 0,
  latency: new Uint8Array(),
};

it("keeps buckets apart by step and start", () => {
  const cache = new BucketCache(100);
  cache.put(1, 60, [row]);
  cache.put(60, 60, []);
  expect(cache.get(1, 60)).toEqual([row]);
  expect(cache.get(60, 60)).toEqual([]);
  expect(cache.get(10, 60)).toBeUndefined();
});

it("stays within its rows by forgetting what came first, empty buckets included", () => {
  const cache = new BucketCache(30);
  for (let at = 0; at < 100; at++) cache.put(1, at, at % 2 ? [row, row] : []);
  expect(cache.rows).toBeLessThanOrEqual(30);
  expect(cache.get(1, 99)).toHaveLength(2);
  expect(cache.get(1, 0)).toBeUndefined();
});
