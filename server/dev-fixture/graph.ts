import type { Graph, GraphEdge, GraphNode, Health, Signals } from "../contract/index.ts";
import type { State } from "./dashboard.ts";

const noise = (t: number, seed: number): number => {
  const x = Math.sin(t * 12.9898 + seed * 78.233) * 43758.5453;
  return x - Math.floor(x);
};

const healthOf = (rate: number, error: number): Health =>
  rate < 0.01 ? "idle" : error > 0.05 ? "failing" : error > 0.01 ? "degraded" : "healthy";

export function signalsOf(rate: number, error: number, p95: number): Signals {
  return {
    requestRate: rate,
    errorShare: rate ? error : 0,
    clientErrorShare: 0,
    latencyMsP50: rate ? p95 * 0.45 : null,
    latencyMsP90: rate ? p95 * 0.85 : null,
    latencyMsP95: rate ? p95 : null,
    latencyMsP99: rate ? p95 * 1.6 : null,
  };
}

const host = (name: string) => `${name}.default.svc.cluster.local`;

export function bookinfoGraph(state: State, at: number, windowSec: number): Graph {
  const beat = Math.floor(at / 2000);
  const wobble = (seed: number, by: number) => 1 + by * (noise(beat, seed) - 0.5);
  const inflow = 42 * (1 + 0.08 * Math.sin(at / 31_000)) * wobble(1, 0.06);
  const fault = state.faults.find((fault) => fault.service === "ratings" && (fault.startedAt ?? 0) <= at);
  const bad = ((fault?.abort?.percentage ?? 0) / 100) * wobble(2, 0.1);
  const late = fault?.delay ? fault.delay.fixedDelayMs : 0;
  const total = Object.values(state.weights).reduce((sum, weight) => sum + weight, 0) || 1;
  const share = (version: string) =>
    ((state.weights[version] ?? 0) / total) * inflow * wobble(version.charCodeAt(1), 0.04);
  const rates = { v1: share("v1"), v2: share("v2"), v3: share("v3") };
  const nodes: GraphNode[] = [];
  const node = (
    kind: GraphNode["kind"],
    app: string,
    version: string | null,
    signals: Signals,
    badges: GraphNode["badges"] = [],
  ) => {
    nodes.push({
      id: `default/${app}/${version ?? "-"}`,
      kind,
      namespace: kind === "source" ? "unknown" : "default",
      app,
      version,
      workload: version ? `${app}-${version}` : null,
      box: app === "reviews" ? "default/reviews" : null,
      health: healthOf(signals.requestRate, signals.errorShare),
      signals,
      badges,
      idle: signals.requestRate < 0.01,
    });
  };
  node("source", "browser", null, signalsOf(inflow, 0, 41));
  node("gateway", "istio-ingressgateway", null, signalsOf(inflow, 0, 40 * wobble(3, 0.2)), ["gateway"]);
  node("workload", "productpage", "v1", signalsOf(inflow, 0.004, 38 * wobble(4, 0.2)));
  node("workload", "details", "v1", signalsOf(inflow, 0, 6 * wobble(5, 0.3)));
  node("workload", "reviews", "v1", signalsOf(rates.v1, 0, 9 * wobble(6, 0.3)), ["split"]);
  node("workload", "reviews", "v2", signalsOf(rates.v2, 0.002, (17 + late) * wobble(7, 0.3)), ["split"]);
  node("workload", "reviews", "v3", signalsOf(rates.v3, 0, (19 + late) * wobble(8, 0.3)), ["split"]);
  node("workload", "ratings", "v1", signalsOf(rates.v2 + rates.v3, bad, 4 * wobble(9, 0.3)), fault ? ["fault"] : []);
  const edges: GraphEdge[] = [];
  const edge = (from: string, to: string, service: string, rate: number, error: number, p95: number) => {
    const signals = signalsOf(rate, error, p95);
    edges.push({
      id: `${from}>${to}`,
      source: `default/${from}`,
      target: `default/${to}`,
      service: host(service),
      protocol: "http",
      health: healthOf(rate, error),
      signals,
      reported: { source: signals, destination: signals },
      codes: { "200": rate * (1 - error), ...(error ? { "503": rate * error } : {}) },
      flags: fault && error > 0.05 ? { FI: rate * error } : {},
      mtls: false,
    });
  };
  edge("browser/-", "istio-ingressgateway/-", "istio-ingressgateway", inflow, 0, 41);
  edge("istio-ingressgateway/-", "productpage/v1", "productpage", inflow, 0.004, 38 * wobble(4, 0.2));
  edge("productpage/v1", "details/v1", "details", inflow, 0, 6 * wobble(5, 0.3));
  edge("productpage/v1", "reviews/v1", "reviews", rates.v1, 0, 9 * wobble(6, 0.3));
  edge("productpage/v1", "reviews/v2", "reviews", rates.v2, 0.002, (17 + late) * wobble(7, 0.3));
  edge("productpage/v1", "reviews/v3", "reviews", rates.v3, 0, (19 + late) * wobble(8, 0.3));
  edge("reviews/v2", "ratings/v1", "ratings", rates.v2, bad, (4 + late) * wobble(9, 0.3));
  edge("reviews/v3", "ratings/v1", "ratings", rates.v3, bad, (4 + late) * wobble(9, 0.3));
  return { at, windowSec, nodes, edges, timeline: timelineOf(state, at, windowSec), freshAt: at - 400 };
}

function timelineOf(state: State, at: number, windowSec: number): Graph["timeline"] {
  const stepSec = Math.max(1, Math.ceil((windowSec * 5) / 120));
  const end = Math.floor(at / 1000 / stepSec) * stepSec;
  const steps = Array.from({ length: 120 }, (_, i) => (end - (120 - i) * stepSec) * 1000);
  const faulty = (ms: number) => state.faults.some((fault) => (fault.startedAt ?? Infinity) <= ms);
  return {
    fromMs: steps[0] ?? at,
    stepSec,
    requestRate: steps.map((ms) => 42 * (1 + 0.08 * Math.sin(ms / 31_000)) * (1 + 0.1 * (noise(ms / 1000, 1) - 0.5))),
    errorShare: steps.map((ms) => (faulty(ms) ? 0.1 * (0.7 + 0.6 * noise(ms / 1000, 2)) : 0)),
  };
}

/** A mesh of `count` workloads in five namespaces, three calls each, for looking at the graph's limits. */
export function largeGraph(count: number, at: number): Graph {
  const beat = Math.floor(at / 2000);
  const name = (i: number) => `ns${i % 5}/app${Math.floor(i / 2)}/v${(i % 2) + 1}`;
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  for (let i = 0; i < count; i++) {
    const rate = 2 + 40 * noise(i, 3) * (1 + 0.1 * noise(beat, i));
    const error = noise(i, 4) > 0.96 ? 0.2 * noise(beat, i) : 0;
    const signals = signalsOf(rate, error, 5 + 30 * noise(i, 5));
    const [namespace = "", app = "", version = ""] = name(i).split("/");
    nodes.push({
      id: name(i),
      kind: "workload",
      namespace,
      app,
      version,
      workload: `${app}-${version}`,
      box: null,
      health: healthOf(rate, error),
      signals,
      badges: [],
      idle: false,
    });
    for (let k = 0; k < 3 && i > 0; k++) {
      const from = Math.floor(noise(i * 7 + k, 6) * Math.min(i, 40)) + Math.max(0, Math.floor(i / 3) - 40);
      if (from >= i || edges.some((edge) => edge.id === `${from}-${i}`)) continue;
      edges.push({
        id: `${from}-${i}`,
        source: name(from),
        target: name(i),
        service: `${app}.${namespace}.svc.cluster.local`,
        protocol: "http",
        health: healthOf(rate / 3, error),
        signals: signalsOf(rate / 3, error, 10),
        reported: { source: null, destination: null },
        codes: {},
        flags: {},
        mtls: false,
      });
    }
  }
  return {
    at,
    windowSec: 60,
    nodes,
    edges,
    freshAt: at - 300,
    timeline: {
      fromMs: at - 120_000,
      stepSec: 1,
      requestRate: Array.from({ length: 120 }, (_, i) => 900 + 100 * noise(i, 1)),
      errorShare: Array.from({ length: 120 }, () => 0.01),
    },
  };
}
