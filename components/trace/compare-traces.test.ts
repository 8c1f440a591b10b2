import { expect, it } from "vitest";
import type { Trace, TraceSpan } from "../../server/contract/index.ts";
import { compareTraces } from "./compare-traces.ts";

const trace = (...spans: [service: string, name: string, ms: number, error?: boolean][]) =>
  ({
    tree: spans.map(([service, name, ms, error = false]) => ({ service, name, durationUs: ms * 1000, error })),
  }) as unknown as Trace & { tree: TraceSpan[] };

it("sets what was done side by side, the largest difference first", () => {
  const rows = compareTraces(
    trace(["shop", "GET /", 10], ["db", "get", 2], ["db", "get", 3], ["old", "x", 1]),
    trace(["shop", "GET /", 40], ["db", "get", 4, true], ["new", "y", 2]),
  );
  expect(rows.map(({ service, here, there, moreMs }) => [service, here, there, moreMs])).toEqual([
    ["shop", { count: 1, errors: 0, totalMs: 10 }, { count: 1, errors: 0, totalMs: 40 }, 30],
    ["new", null, { count: 1, errors: 0, totalMs: 2 }, 2],
    ["db", { count: 2, errors: 0, totalMs: 5 }, { count: 1, errors: 1, totalMs: 4 }, -1],
    ["old", { count: 1, errors: 0, totalMs: 1 }, null, -1],
  ]);
});
