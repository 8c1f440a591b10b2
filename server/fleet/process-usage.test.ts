import { expect, test } from "vitest";
import { processUsage } from "./process-usage.ts";

const files = (stat: string, status: string) => (path: string) => {
  if (path.endsWith("/children")) return "";
  return path.endsWith("/stat") ? stat : status;
};
const stat = (name: string) => `42 (${name}) S 1 42 42 0 -1 4194560 900 0 0 0 123 45 0 0 20 0 7 0 9000 1000000 12000`;

test("reads user and system time and the resident set, whatever the process calls itself", () => {
  const status = "Name:\tx\nVmPeak:\t  99999 kB\nVmRSS:\t   53248 kB\nThreads:\t7\n";
  expect(processUsage(42, files(stat("a) b (c"), status))).toEqual({ cpuMs: 1680, memoryBytes: 53_248 * 1024 });
});

test("counts the workers that it started, and the time of those that ended", () => {
  const tree: Record<string, string> = {
    "/proc/42/task/42/children": "43 44 ",
    "/proc/42/stat": stat("main").replace("123 45 0 0", "100 0 30 20"),
    "/proc/43/stat": stat("worker").replace("123 45", "10 10"),
    "/proc/44/stat": stat("worker").replace("123 45", "5 5"),
  };
  const read = (path: string) => {
    if (path.endsWith("/status")) return "VmRSS:\t   1024 kB\n";
    const text = tree[path];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  };
  expect(processUsage(42, read)).toEqual({ cpuMs: 1_800, memoryBytes: 3 * 1024 * 1024 });
});

test("knows nothing of one that has ended", () => {
  expect(processUsage(42, files(stat("x"), "Name:\tx\nState:\tZ (zombie)\n"))).toBeNull();
  expect(
    processUsage(42, () => {
      throw new Error("ENOENT");
    }),
  ).toBeNull();
});

test.skipIf(process.platform !== "linux")("measures this very process", () => {
  const usage = processUsage(process.pid);
  expect(usage?.memoryBytes).toBeGreaterThan(10_000_000);
  expect(usage?.cpuMs).toBeGreaterThan(0);
});
