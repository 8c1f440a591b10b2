import { expect, test } from "vitest";
import { processUsage } from "./process-usage.ts";

const files = (stat: string, status: string) => (path: string) => (path.endsWith("/stat") ? stat : status);
const stat = (name: string) => `42 (${name}) S 1 42 42 0 -1 4194560 900 0 0 0 123 45 0 0 20 0 7 0 9000 1000000 12000`;

test("reads user and system time and the resident set, whatever the process calls itself", () => {
  const status = "Name:\tx\nVmPeak:\t  99999 kB\nVmRSS:\t   53248 kB\nThreads:\t7\n";
  expect(processUsage(42, files(stat("a) b (c"), status))).toEqual({ cpuMs: 1680, memoryBytes: 53_248 * 1024 });
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
