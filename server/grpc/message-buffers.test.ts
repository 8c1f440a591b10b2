import { expect, test } from "vitest";
import { MessageBuffers } from "./message-buffers.ts";

const KiB = 1 << 10;

test("room that was given back is used again for what fits into it, and by one at a time", () => {
  const buffers = new MessageBuffers();
  const first = buffers.take(300 * KiB);
  const second = buffers.take(300 * KiB);
  expect(first).toHaveLength(300 * KiB);
  expect(second.buffer).not.toBe(first.buffer);
  buffers.give(first);
  buffers.give(first.subarray(7)); // not lent any more
  expect(buffers.take(900 * KiB).buffer).not.toBe(first.buffer);
  expect(buffers.take(500 * KiB).buffer).toBe(first.buffer);
  expect(buffers.take(500 * KiB).buffer).not.toBe(first.buffer);
});

test("room of others, and what is more than a few MiB, is not kept", () => {
  const buffers = new MessageBuffers();
  const foreign = Buffer.alloc(64 * KiB);
  buffers.give(foreign);
  expect(buffers.take(64 * KiB).buffer).not.toBe(foreign.buffer);

  const huge = buffers.take(5_000 * KiB);
  buffers.give(huge);
  expect(buffers.take(5_000 * KiB).buffer).not.toBe(huge.buffer);

  const many = Array.from({ length: 20 }, () => buffers.take(1_024 * KiB));
  for (const each of many) buffers.give(each);
  const before = new Set(many.map(({ buffer }) => buffer));
  const again = many.map(() => buffers.take(1_024 * KiB)).filter(({ buffer }) => before.has(buffer));
  expect(again).toHaveLength(8);
});
