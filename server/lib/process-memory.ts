import { getHeapStatistics } from "node:v8";

export interface ProcessMemory {
  /** Bytes that objects take, those outside the heap included. */
  used: number;
  /** Bytes of the heap. */
  heap: number;
  /** Bytes that the kernel holds for the process. */
  resident: number;
}

let known = 0;

/** V8 is asked for the heap, since that needs nothing of the kernel. */
export function processMemory(): ProcessMemory {
  const { used_heap_size, external_memory, total_heap_size } = getHeapStatistics();
  return { used: used_heap_size + external_memory, heap: total_heap_size, resident: residentBytes() };
}

/** What the kernel said last where it can't be asked: Node opens a file of /proc for this, and throws where no descriptor is free. */
export function residentBytes(read: () => number = process.memoryUsage.rss): number {
  try {
    known = read();
  } catch {
    // A figure of a moment ago is better than a process that ends.
  }
  return known;
}
