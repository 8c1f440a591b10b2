import { describe, expect, it } from "vitest";
import { TraceSearch } from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";
import type { SpanRow, TraceQuery } from "../query/reader.ts";
import { createTraces } from "./traces.ts";

const id = "a".repeat(32);
const row = {
  traceId: id,
  startMs: 5,
  durationMs: 1,
  spans: 1,
  errors: 0,
  services: ["shop"],
  root: { name: "GET /", service: "shop" },
};

function tracesOf(spans: readonly SpanRow[] = []) {
  const asked: Partial<TraceQuery>[] = [];
  const queries = {
    traces: async (query: Partial<TraceQuery>) => {
      asked.push(query);
      return [row];
    },
    trace: async (wanted: string) => spans.filter(({ traceId }) => traceId === wanted),
    operations: async () => [{ service: "shop", operations: ["GET /"] }],
  } as unknown as Queries;
  return {
    traces: createTraces(
      async () => queries,
      () => 1_000_000,
    ),
    asked,
  };
}

describe("a search", () => {
  it("is of the last hour unless it says otherwise, and asks for nothing that was not named", async () => {
    const { traces, asked } = tracesOf();
    const list = await traces.traces(TraceSearch.parse({}));
    expect(asked).toEqual([{ fromMs: 1_001_000 - 3_600_000, toMs: 1_001_000, limit: 200 }]);
    expect(list).toEqual({ fromMs: 1_001_000 - 3_600_000, toMs: 1_001_000, traces: [row], full: false });
  });

  it("passes on every filter", async () => {
    const { traces, asked } = tracesOf();
    const query = {
      service: "shop",
      operation: "GET /",
      min: 1,
      max: 2,
      errors: "true",
      tag: "a=b",
      from: 3,
      to: 4,
      limit: 1,
    };
    expect((await traces.traces(TraceSearch.parse(query))).full).toBe(true);
    expect(asked).toEqual([
      {
        fromMs: 3,
        toMs: 4,
        limit: 1,
        service: "shop",
        operation: "GET /",
        minDurationMs: 1,
        maxDurationMs: 2,
        errorsOnly: true,
        tags: { a: "b" },
      },
    ]);
  });
});

it("says of a trace that is not there why that may be", async () => {
  await expect(tracesOf().traces.trace(id)).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("sampled"),
  });
});
