import type { GraphEdge, GraphNode, ServiceLink, Signals } from "../../../server/contract/index.ts";

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

const link = (namespace: string, name: string): ServiceLink => ({
  namespace,
  name,
  hostname: `${name}.${namespace}.svc.cluster.local`,
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
    services: namespace === "unknown" ? [] : [link(namespace, app)],
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
  to: link(target.split("/")[0] ?? "", target.split("/")[1] ?? target),
  protocol: "http",
  health: "healthy",
  signals: testSignals(signals),
  reported: { source: null, destination: null },
  codes,
  flags: {},
  mtls: 0,
});

const box = "default/reviews";
const outside: Partial<GraphNode> = { kind: "source", namespace: "unknown" };

/** The demo application under a split, with a fault on ratings. */
export const bookinfo: { nodes: GraphNode[]; edges: GraphEdge[] } = {
  nodes: [
    testNode("unknown/unknown/unknown", { ...outside, app: "traffic source", version: null }),
    testNode("istio-system/istio-ingressgateway/unknown", { kind: "gateway", version: null, badges: ["gateway"] }),
    testNode("default/productpage/v1", { signals: testSignals({ requestRate: 20 }) }),
    testNode("default/details/v1", { signals: testSignals({ requestRate: 18 }) }),
    testNode("default/reviews/v1", { box, badges: ["split"], signals: testSignals({ requestRate: 13 }) }),
    testNode("default/reviews/v2", { box, badges: ["split"], signals: testSignals({ requestRate: 4 }) }),
    testNode("default/reviews/v3", { box, badges: ["split"], signals: testSignals({ requestRate: 2 }) }),
    testNode("default/ratings/v1", {
      badges: ["fault"],
      health: "degraded",
      signals: testSignals({ errorShare: 0.05 }),
    }),
  ],
  edges: [
    testEdge("unknown/unknown/unknown", "istio-system/istio-ingressgateway/unknown", {
      requestRate: 20.2,
      latencyMsP95: 29,
    }),
    testEdge("istio-system/istio-ingressgateway/unknown", "default/productpage/v1", {
      requestRate: 20.2,
      latencyMsP95: 29,
    }),
    testEdge("default/productpage/v1", "default/details/v1", { requestRate: 17.7, latencyMsP95: 8.4 }),
    testEdge("default/productpage/v1", "default/reviews/v1", { requestRate: 12.9, latencyMsP95: 12 }),
    testEdge("default/productpage/v1", "default/reviews/v2", { requestRate: 3.7, latencyMsP95: 313 }),
    testEdge("default/productpage/v1", "default/reviews/v3", { requestRate: 1.9, latencyMsP95: 313 }),
    testEdge("default/productpage/v1", "default/ratings/v1", { requestRate: 0.6, latencyMsP95: 300 }),
    testEdge(
      "default/reviews/v2",
      "default/ratings/v1",
      { requestRate: 3.7, errorShare: 0.022 },
      { "200": 3.6, "503": 0.1 },
    ),
    testEdge(
      "default/reviews/v3",
      "default/ratings/v1",
      { requestRate: 1.9, errorShare: 0.063 },
      { "200": 1.8, "503": 0.1 },
    ),
  ],
};
