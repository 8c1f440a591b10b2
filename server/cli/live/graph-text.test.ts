import { describe, expect, it } from "vitest";
import type { Graph, GraphEdge, GraphNode, Signals } from "../../contract/index.ts";
import { dotOf, mermaidOf } from "./graph-text.ts";

const signals = (requestRate: number, errorShare = 0): Signals => ({
  requestRate,
  errorShare,
  clientErrorShare: 0,
  latencyMsP50: 1,
  latencyMsP90: 2,
  latencyMsP95: 12.4,
  latencyMsP99: 20,
});
const node = (id: string, changes: Partial<GraphNode> = {}): GraphNode => {
  const [namespace = "", app = "", version = null] = id.split("/");
  return {
    id,
    kind: "workload",
    namespace,
    app,
    version,
    workload: null,
    box: null,
    health: "healthy",
    signals: signals(1),
    badges: [],
    services: [],
    idle: false,
    ...changes,
  };
};
const edge = (source: string, target: string, changes: Partial<GraphEdge> = {}): GraphEdge => ({
  id: `${source} ${target}`,
  source,
  target,
  service: "",
  to: null,
  protocol: "http",
  health: "healthy",
  signals: signals(20),
  reported: { source: null, destination: null },
  codes: {},
  flags: {},
  mtls: 0,
  ...changes,
});
const graph: Graph = {
  at: 0,
  windowSec: 60,
  nodes: [
    node("d/page/v1"),
    node('d/re"v/v1', { box: "d/rev" }),
    node("d/rev/v2", { box: "d/rev", health: "failing" }),
  ],
  edges: [
    edge("d/page/v1", 'd/re"v/v1'),
    edge("d/page/v1", "d/rev/v2", { health: "failing", signals: signals(1.25, 0.5) }),
    edge("d/page/v1", "d/rev/v2", { protocol: "tcp", bytesPerSecond: { sent: 10, received: 20 } }),
  ],
  timeline: { fromMs: 0, stepSec: 1, requestRate: [], errorShare: [], recordedFromMs: 0 },
  freshAt: null,
  silentSince: null,
};

describe("dot", () => {
  const text = dotOf(graph);
  it("boxes versions, quotes names and tells trouble by colour and words", () => {
    expect(text).toContain('  subgraph "cluster_d/rev" {\n    label="d/rev";\n    "d/re\\"v/v1" [label="re\\"v v1"];');
    expect(text).toContain(
      '"d/page/v1" -> "d/rev/v2" [label="1.3 rps, 50.0 % errors, p95 12 ms", color="#bb2d1a", penwidth=1.4];',
    );
    expect(text).toContain('[label="tcp 30 B/s"');
  });
  it("is whole", () => expect(text.split("{").length).toBe(text.split("}").length));
});

it("writes mermaid, whose names are ours and whose quotes are entities", () => {
  expect(mermaidOf(graph).split("\n").slice(0, 7)).toEqual([
    "flowchart LR",
    '  n0["page v1"]',
    '  subgraph n1_n2_box["d/rev"]',
    '    n1["re#quot;v v1"]',
    '    n2["rev v2"]',
    "  end",
    '  n0 -->|"20 rps, p95 12 ms"| n1',
  ]);
  expect(mermaidOf(graph)).toContain("style n2 stroke:#bb2d1a");
});
