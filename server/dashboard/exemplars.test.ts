import { expect, it } from "vitest";
import type { LogQuery, LogRow } from "../query/reader.ts";
import { createExemplars } from "./exemplars.ts";

const row = (traceId: string, durationMs: number, code = 200): LogRow =>
  ({
    traceId,
    durationMs,
    code,
    grpcStatus: -1,
    flags: [],
    atMs: 5,
    method: "GET",
    path: "/",
    edge: { protocol: "http", destination: { version: "v1" } },
  }) as unknown as LogRow;

const asked: LogQuery[] = [];
const rows = [
  row("a", 1),
  row("gone", 900),
  row("b", 20),
  row("b", 30),
  row("", 700),
  row("c", 10, 503),
  row("d", 5, 404),
];
const { exemplars, latency } = createExemplars({
  queries: async () => ({
    async logs(query) {
      asked.push(query as LogQuery);
      return query.errorsOnly ? rows.filter(({ code }) => code >= 400) : rows;
    },
    trace: async (id) => (id === "gone" ? [] : [{ traceId: id }]) as never,
    latencyHeatmap: async (query) => query as never,
  }),
  services: async () => [],
  now: () => 60_000,
});

it("tells the slowest and those that failed, each trace once and only if it is kept", async () => {
  const { slow, failed } = await exemplars({ source: "default/page", window: "60", min: "2" });
  expect(slow.map(({ traceId, durationMs }) => [traceId, durationMs])).toEqual([
    ["b", 30],
    ["c", 10],
    ["d", 5],
    ["a", 1],
  ]);
  expect(failed.map(({ traceId, failed: isFailed }) => [traceId, isFailed])).toEqual([["c", true]]);
  expect(asked[0]).toMatchObject({
    source: { namespace: "default", app: "page" },
    fromMs: 1000,
    toMs: 61_000,
    minDurationMs: 2,
  });
});

it("asks for the heatmap by the same names", async () => {
  expect(await latency({ service: "reviews.default.svc", window: "900" })).toEqual({
    service: "reviews.default.svc",
    window: 900,
  });
  expect(await latency({})).toEqual({ window: 900 });
  await expect(latency({ source: "x" })).rejects.toMatchObject({ code: "INVALID" });
});
