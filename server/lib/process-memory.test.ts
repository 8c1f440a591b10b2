import { expect, test } from "vitest";
import { processMemory, residentBytes } from "./process-memory.ts";

test("what a process takes is in bytes, and the heap is part of it", () => {
  const { used, heap, resident } = processMemory();
  expect(used).toBeGreaterThan(1 << 20);
  expect(resident).toBeGreaterThan(heap / 2);
});

test("without a free descriptor it is what was known before", () => {
  const before = residentBytes();
  const exhausted = () => {
    throw Object.assign(new Error("EMFILE: too many open files, uv_resident_set_memory"), { code: "EMFILE" });
  };
  expect(residentBytes(exhausted)).toBe(before);
});
