import type { Fault, Graph, Routing, ServiceList, ServiceListItem } from "../contract/index.ts";
import type { State } from "./dashboard.ts";
import { signalsOf } from "./graph.ts";

const order = ["istio-ingressgateway", "productpage", "details", "reviews", "ratings"];

export function servicesOf(graph: Graph, windowSec: number): ServiceList {
  const services = order.map((name): ServiceListItem => {
    const nodes = graph.nodes.filter((node) => node.app === name);
    const rate = nodes.reduce((sum, node) => sum + node.signals.requestRate, 0);
    const errors = nodes.reduce((sum, node) => sum + node.signals.requestRate * node.signals.errorShare, 0);
    const p95 = Math.max(0, ...nodes.map((node) => node.signals.latencyMsP95 ?? 0));
    const error = rate ? errors / rate : 0;
    return {
      namespace: "default",
      name,
      hostname: `${name}.default.svc.cluster.local`,
      external: false,
      ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
      versions: nodes
        .filter((node) => node.version !== null)
        .map((node, index) => ({
          version: node.version ?? "",
          subset: node.version,
          workloads: [node.workload ?? ""],
          endpoints: [{ address: `127.0.1.${index + 1}`, port: 9080, workload: node.workload ?? "" }],
        })),
      virtualServices: ["reviews", "ratings", "productpage"].includes(name) ? [name] : [],
      destinationRules: name === "reviews" ? [name] : [],
      health: error > 0.05 ? "failing" : error > 0.01 ? "degraded" : rate ? "healthy" : "idle",
      signals: signalsOf(rate, error, p95),
    };
  });
  return { at: graph.at, windowSec, services };
}

export function virtualServiceYaml(name: string, weights: Record<string, number>, faults: readonly Fault[]): string {
  const abort = faults.find((fault) => fault.service === name)?.abort;
  const lines = [
    "apiVersion: networking.istio.io/v1",
    "kind: VirtualService",
    "metadata:",
    `  name: ${name}`,
    "  namespace: default",
    "spec:",
    `  hosts: [${name}]`,
    "  http:",
    "  - route:",
  ];
  if (name === "reviews") {
    for (const [subset, weight] of Object.entries(weights)) {
      lines.push(`    - destination: {host: reviews, subset: ${subset}}`, `      weight: ${weight}`);
    }
  } else lines.push(`    - destination: {host: ${name}}`);
  if (abort)
    lines.push(
      "    fault:",
      `      abort: {httpStatus: ${abort.httpStatus}, percentage: {value: ${abort.percentage}}}`,
    );
  return `${lines.join("\n")}\n`;
}

export function routingOf(name: string, state: State): Routing {
  const versions = name === "reviews" ? ["v1", "v2", "v3"] : ["v1"];
  return {
    hostname: `${name}.default.svc.cluster.local`,
    virtualService: {
      namespace: "default",
      name,
      resourceVersion: String(state.revision),
      yaml: virtualServiceYaml(name, state.weights, state.faults),
    },
    destinationRule: null,
    rules: [
      {
        index: 0,
        name: null,
        matches: [],
        destinations: versions.map((version) => ({
          host: name,
          subset: version,
          version,
          weight: name === "reviews" ? (state.weights[version] ?? 0) : 100,
        })),
        timeout: name === "reviews" ? "2s" : null,
        retries: null,
        mirror: null,
        fault: state.faults.some((fault) => fault.service === name) ? "abort 503 25 %" : null,
        redirect: null,
      },
    ],
    versions: versions.map((version) => ({ version, subset: version })),
    proxies: 7,
  };
}
