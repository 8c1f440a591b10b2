import { expect, it } from "vitest";
import type { Graph, TraceSpan } from "../../server/contract/index.ts";
import { traceOnGraph } from "./trace-on-graph.ts";

const node = (id: string, kind = "workload") => {
  const [namespace, app, version = null] = id.split("/");
  return { id, kind, namespace, app, version };
};
const edge = (source: string, target: string, service = "") => ({ id: `${source}>${target}`, source, target, service });
const nodes = [
  node("x/client", "source"),
  node("d/page/v1"),
  node("d/rev/v1"),
  node("d/rev/v2"),
  node("d/out", "external"),
];
const edges = [
  edge("x/client", "d/page/v1"),
  edge("d/page/v1", "d/rev/v1"),
  edge("d/page/v1", "d/rev/v2"),
  edge("d/rev/v2", "d/out", "out.test"),
];
const graph = { nodes, edges } as unknown as Pick<Graph, "nodes" | "edges">;

function span(
  spanId: string,
  parentSpanId: string,
  service: string,
  version: string | null,
  ms: number,
  changes: Partial<TraceSpan> = {},
): TraceSpan {
  const part: Partial<TraceSpan> = {
    spanId,
    parentSpanId,
    service,
    version,
    durationUs: ms * 1000,
    proxy: true,
    missing: false,
    error: false,
    attributes: {},
    ...changes,
  };
  return part as TraceSpan;
}

it("lights the way of a trace, with what each call took and whether it failed", () => {
  const tree = [
    span("1", "", "page.d", "v1", 100),
    span("2", "1", "page.d", "v1", 80),
    span("3", "2", "rev.d", "v2", 70),
    span("4", "3", "rev.d", "v2", 50, { error: true, attributes: { upstream_cluster: "outbound|80||out.test" } }),
    span("5", "1", "page.d", "v1", 8),
    span("6", "5", "rev.d", "v2", 7),
    span("7", "1", "strange", null, 1),
  ];
  const { lit, calls } = traceOnGraph(graph, { tree });
  expect([...calls]).toEqual([
    ["d/page/v1>d/rev/v2", { durationMs: 88, count: 2, failed: false }],
    ["d/rev/v2>d/out", { durationMs: 50, count: 1, failed: true }],
    ["x/client>d/page/v1", { durationMs: 100, count: 1, failed: false }],
  ]);
  expect(lit.has("d/rev/v2")).toBe(true);
  expect(lit.has("d/rev/v1")).toBe(false);
  expect(lit.has("d/out")).toBe(true);
});
