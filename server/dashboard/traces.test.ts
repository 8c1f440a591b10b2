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

const senders = ["shop", "reviews.default", "cart.default", "cart.next"];

function tracesOf(spans: readonly SpanRow[] = []) {
  const asked: Partial<TraceQuery>[] = [];
  const queries = {
    traces: async (query: Partial<TraceQuery>) => {
      asked.push(query);
      return query.service === undefined || senders.includes(query.service) ? [row] : [];
    },
    trace: async (wanted: string) => spans.filter(({ traceId }) => traceId === wanted),
    operations: async () => senders.map((service) => ({ service, operations: ["GET /"] })),
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
  it.each([
    ["shop", "shop"],
    ["reviews", "reviews.default"],
    ["default/reviews", "reviews.default"],
    ["nobody", "nobody"],
    ["default/nobody", "default/nobody"],
  ])("finds the service that is meant by %s: %s", async (name, meant) => {
    const { traces, asked } = tracesOf();
    await traces.traces(TraceSearch.parse({ service: name }));
    expect(asked.at(-1)?.service).toBe(meant);
  });

  it("says which services a name may mean", async () => {
    const search = tracesOf().traces.traces(TraceSearch.parse({ service: "cart" }));
    await expect(search).rejects.toThrow("service: cart may be cart.default, cart.next");
  });

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
