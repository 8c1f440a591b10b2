import { expect, it } from "vitest";
import { LatencySketch } from "../../lib/latency-sketch.ts";
import { BucketCursor, type BucketEntry, encodeBucket } from "./bucket.ts";
import { Fold } from "./fold.ts";

function entry(edge: number, changes: Partial<BucketEntry> = {}): BucketEntry {
  const latency = new LatencySketch();
  latency.add(10 * edge, 2);
  return {
    edge,
    code: 200,
    flags: 0,
    grpcStatus: -1,
    count: 2,
    requestBytes: 300,
    responseBytes: 2 ** 40,
    requestMessages: 0,
    responseMessages: 0,
    latency,
    ...changes,
  };
}

function contents(bytes: Uint8Array) {
  const entries = [];
  for (const cursor = new BucketCursor(bytes); cursor.next(); ) {
    const { edge, code, flags, grpcStatus, count, requestBytes, responseBytes } = cursor;
    const { requestMessages, responseMessages } = cursor;
    const latency = LatencySketch.decode(cursor.latency());
    const sums = { count, requestBytes, responseBytes, requestMessages, responseMessages };
    entries.push({ edge, code, flags, grpcStatus, ...sums, latency });
  }
  return entries;
}

it("gives back what was encoded, large numbers and high flags too", () => {
  const entries = [
    entry(1),
    entry(70_000, { code: 0, flags: 2 ** 40, count: 1 }),
    entry(3, { latency: new LatencySketch() }),
    entry(4, { grpcStatus: 14, requestMessages: 1, responseMessages: 70_000 }),
    entry(4, { grpcStatus: 0 }),
  ];
  expect(contents(encodeBucket(entries))).toEqual(entries);
  expect(contents(encodeBucket([]))).toEqual([]);
});

it("is added up by edge, code and flags, messages too", () => {
  const called = new Fold();
  for (const responseMessages of [3, 4]) called.add(encodeBucket([entry(1, { requestMessages: 1, responseMessages })]));
  expect([...called.entries()]).toMatchObject([{ requestMessages: 2, responseMessages: 7 }]);
  const fold = new Fold();
  fold.add(encodeBucket([entry(1), entry(2), entry(1, { code: 503 })]));
  fold.add(encodeBucket([entry(1), entry(1, { flags: 4 })]));
  expect(Array.from(fold.entries(), ({ edge, code, flags, count }) => [edge, code, flags, count])).toEqual([
    [1, 200, 0, 4],
    [1, 503, 0, 2],
    [1, 200, 4, 2],
    [2, 200, 0, 2],
  ]);
  expect([...fold.entries()][0]?.latency.count).toBe(4);
});

it("reads what was written before there were gRPC statuses, and before there were messages", () => {
  const small = entry(1, { responseBytes: 5, latency: new LatencySketch() });
  const written = encodeBucket([small]);
  // Format, edge, code (two bytes), flags, then the status; count, bytes (two and one), then messages of both.
  const second = [2, ...written.subarray(1, 10), ...written.subarray(12)];
  const first = [1, ...second.slice(1, 5), ...second.slice(6)];
  for (const old of [first, second]) expect(contents(Uint8Array.from(old))).toEqual([small]);
});

it.each([0, 1, 5, -1])("throws a RangeError for bytes that are cut off or no bucket (%i)", (length) => {
  const bytes = encodeBucket([entry(1)]);
  const broken = length === 0 ? bytes.with(0, 9) : bytes.subarray(0, length === 1 ? 2 : length);
  expect(() => contents(broken)).toThrow(RangeError);
});
