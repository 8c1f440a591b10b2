import type { GraphEdge, GraphNode, Signals } from "../../../server/contract/index.ts";

export const testSignals = (over: Partial<Signals> = {}): Signals => ({
  requestRate: 10,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: 5,
  latencyMsP90: 9,
  latencyMsP95: 10,
  latencyMsP99: 20,
  ...over,
});

/** `namespace/app/version` is its id. */
export function testNode(id: string, over: Partial<GraphNode> = {}): GraphNode {
  const [namespace = "", app = "", version = null] = id.split("/");
  return {
    id,
    kind: "workload",
    namespace,
    app,
    version,
    workload: `${app}-${version}`,
    box: null,
    health: "healthy",
    signals: testSignals(),
    badges: [],
    idle: false,
    ...over,
  };
}

export const testEdge = (
  source: string,
  target: string,
  signals: Partial<Signals> = {},
  codes: Record<string, number> = {},
): GraphEdge => ({
  id: `${source}>${target}`,
  source,
  target,
  service: `${target.split("/")[1] ?? target}.${target.split("/")[0]}.svc.cluster.local`,
  protocol: "http",
  health: "healthy",
  signals: testSignals(signals),
  reported: { source: null, destination: null },
  codes,
  flags: {},
  mtls: false,
});
