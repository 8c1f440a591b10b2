import { describe, expect, it } from "vitest";
import { Tally } from "./tally.ts";
import { edge, type RowInput, row } from "./testing/rows.ts";

const call = edge("a", "b");
const tallyOf = (...rows: [RowInput, ReturnType<typeof edge>?][]): Tally => {
  const tally = new Tally();
  for (const [input, of = call] of rows) tally.add(row(of, input));
  return tally;
};
const slow: RowInput = { count: 10, latencyMs: 200 };

describe("latency", () => {
  it.each<[string, RowInput, ReturnType<typeof edge>?]>([
    ["whose caller hung up", { code: 0, flags: ["DC"] }],
    ["whose caller took its request back", { code: 0, flags: ["DR"] }],
    ["of gRPC that was cancelled", { code: 200, grpcStatus: 1, flags: ["DR"] }, edge("a", "b", { protocol: "grpc" })],
    ["that a fault answered", { code: 503, flags: ["FI"] }],
    ["that a fault delayed, and then answered", { code: 503, flags: ["DI", "FI"] }],
  ])("has no part of calls %s", (_, input, of) => {
    const tally = tallyOf([slow], [{ ...input, count: 1000, latencyMs: 0.3 }, of]);
    expect(tally.percentile(0.5)).toBeCloseTo(200, -1);
    expect(tally.count).toBe(1010);
  });

  it.each<[string, RowInput]>([
    ["a fault delayed", { flags: ["DI"] }],
    ["the service answered before its caller hung up", { code: 200, flags: ["DC"] }],
    ["failed at the service", { code: 503, flags: ["UC"] }],
  ])("is also of calls that %s", (_, input) => {
    const tally = tallyOf([slow], [{ ...input, count: 1000, latencyMs: 1000 }]);
    expect(tally.percentile(0.5)).toBeCloseTo(1000, -2);
  });

  it("is not known where nobody was answered", () => {
    expect(tallyOf([{ code: 0, flags: ["DC"], count: 5 }]).percentile(0.5)).toBeNull();
  });
});
