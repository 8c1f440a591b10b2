import { expect, test } from "vitest";
import { BufferPool } from "./buffer-pool.ts";

const KiB = 1 << 10;

test("room that was given back is used again for what fits into it, and by one at a time", () => {
  const pool = new BufferPool();
  const first = pool.allocate(300 * KiB);
  const second = pool.allocate(300 * KiB);
  expect(first).toHaveLength(300 * KiB);
  expect(second.buffer).not.toBe(first.buffer);
  pool.release(first);
  pool.release(first.subarray(7)); // not lent any more
  expect(pool.allocate(900 * KiB).buffer).not.toBe(first.buffer);
  expect(pool.allocate(500 * KiB).buffer).toBe(first.buffer);
  expect(pool.allocate(500 * KiB).buffer).not.toBe(first.buffer);
});

test("room of others, and what is more than a few MiB, is not kept", () => {
  const pool = new BufferPool();
  const foreign = Buffer.alloc(64 * KiB);
  pool.release(foreign);
  expect(pool.allocate(64 * KiB).buffer).not.toBe(foreign.buffer);

  const huge = pool.allocate(5_000 * KiB);
  pool.release(huge);
  expect(pool.allocate(5_000 * KiB).buffer).not.toBe(huge.buffer);

  const many = Array.from({ length: 20 }, () => pool.allocate(1_024 * KiB));
  for (const each of many) pool.release(each);
  const before = new Set(many.map(({ buffer }) => buffer));
  const again = many.map(() => pool.allocate(1_024 * KiB)).filter(({ buffer }) => before.has(buffer));
  expect(again).toHaveLength(8);
});
