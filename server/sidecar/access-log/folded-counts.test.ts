import { describe, expect, it } from "vitest";
import type { EntryOptions } from "./encode-entry.ts";
import { FoldedCounts, type FoldedEntry } from "./folded-counts.ts";
import { sampleRecord } from "./testing/sample-record.ts";

const options: EntryOptions = {
  requestHeaders: ["x-limpid-peer", "traceparent"],
  responseHeaders: ["x-served-by"],
  responseTrailers: ["grpc-status"],
  customTags: [{ name: "limpid.destination", read: (record) => record.routeName }],
};
const startMs = 1_794_999_645_000;

function takeAll(counts: FoldedCounts): FoldedEntry[] {
  const entries: FoldedEntry[] = [];
  for (let entry = counts.take(); entry !== undefined; entry = counts.take()) entries.push(entry);
  return entries;
}
const total = (entries: readonly FoldedEntry[]) => entries.reduce((sum, { count }) => sum + count, 0);

describe("folded counts", () => {
  it("puts together what agrees, with the bytes of all", () => {
    const counts = new FoldedCounts();
    for (let i = 0; i < 10; i++) counts.add(sampleRecord({ startMs, path: `/${i}`, responseBodyBytes: i }), options);
    const [entry, ...rest] = takeAll(counts);
    expect(rest).toEqual([]);
    expect([entry?.count, entry?.record.responseBodyBytes, entry?.record.requestHeadersBytes]).toEqual([10, 45, 2100]);
    expect(entry?.options.requestHeaders).toEqual(["x-limpid-peer"]);
  });

  it.each<[string, Parameters<typeof sampleRecord>[0]]>([
    ["code", { responseCode: 500 }],
    ["flags", { responseFlags: 4 }],
    ["edge", { routeName: "other" }],
    ["peer", { requestHeaders: ["x-limpid-peer", "a;b;c;v1;limpid"] }],
    [
      "kind",
      {
        requestHeaders: [
          "x-limpid-peer",
          "productpage-v1;default;productpage;v1;limpid",
          "content-type",
          "application/grpc",
        ],
      },
    ],
    ["gRPC status", { responseHeaders: ["content-type", "application/json", "grpc-status", "14"] }],
    ["second", { startMs: startMs + 1_000 }],
    ["latency", { durationMs: 13 }],
    ["cluster", { upstreamCluster: "c" }],
    ["protocol", { protocol: "HTTP/1.0" }],
  ])("keeps apart what differs: %s", (_, change) => {
    const counts = new FoldedCounts();
    counts.add(sampleRecord({ startMs }), options);
    counts.add(sampleRecord({ startMs, ...change }), options);
    expect(takeAll(counts)).toHaveLength(2);
  });

  it("gets coarser in latency, then in time, and never loses a request", () => {
    const counts = new FoldedCounts(50);
    for (let i = 0; i < 5_000; i++) {
      const record = sampleRecord({
        startMs: startMs + (i % 100) * 1_000,
        durationMs: 1.05 ** (i % 200),
        responseCode: i % 2 ? 200 : 500,
      });
      expect(counts.add(record, options)).toBe(true);
    }
    expect(counts.size).toBeLessThanOrEqual(50);
    const entries = takeAll(counts);
    expect(total(entries)).toBe(5_000);
    expect(total(entries.filter(({ record }) => record.responseCode === 500))).toBe(2_500);
  });

  it("takes no more once edges alone fill it, and is fine again once it was emptied", () => {
    const counts = new FoldedCounts(5);
    for (let i = 0; i < 5; i++) expect(counts.add(sampleRecord({ startMs, routeName: `r${i}` }), options)).toBe(true);
    expect(counts.add(sampleRecord({ startMs, routeName: "one more" }), options)).toBe(false);
    expect(counts.add(sampleRecord({ startMs: startMs + 60_000, routeName: "r1" }), options)).toBe(true);
    expect(total(takeAll(counts))).toBe(6);
    counts.add(sampleRecord({ startMs }), options);
    counts.add(sampleRecord({ startMs: startMs + 1_000 }), options);
    expect(counts.size).toBe(2);
  });
});
