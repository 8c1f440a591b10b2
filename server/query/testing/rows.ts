import { LatencySketch } from "../../lib/latency-sketch.ts";
import type { GraphInput } from "../decorator.ts";
import { enteringEdges } from "../entering.ts";
import type { MeshFacts, ServiceFacts } from "../facts.ts";
import type { EdgeRow, PeerRow, RollupRow } from "../reader.ts";

const nobody: PeerRow = { workload: "", namespace: "", app: "", version: "" };

/** `reviews/v2`, `reviews` (v1), `reviews/-` (not reached, version unknown), `reviews/?v2` (not reached, subset v2), or empty. */
export function peer(text: string): PeerRow {
  if (text === "") return nobody;
  const [app = "", version = "v1"] = text.split("/");
  if (version === "-") return { workload: "", namespace: "default", app, version: "" };
  if (version.startsWith("?")) return { workload: "", namespace: "default", app, version: version.slice(1) };
  return { workload: `${app}-${version}`, namespace: "default", app, version };
}

export const host = (app: string): string => `${app}.default.svc.cluster.local`;

const edges = new Map<string, EdgeRow>();

/** `edge("productpage", "reviews/v2")`: the same object for the same arguments, as a reader gives. */
export function edge(from: string, to: string, changes: Partial<EdgeRow> = {}): EdgeRow {
  const key = JSON.stringify([from, to, changes]);
  let row = edges.get(key);
  if (row === undefined) {
    const [source, destination] = [peer(from), peer(to)];
    const rest = { gateway: false, protocol: "http", mtls: false } as const;
    row = {
      id: edges.size + 1,
      reporter: "source",
      source,
      destination,
      service: host(destination.app),
      ...rest,
      ...changes,
    };
    edges.set(key, row);
  }
  return row;
}

export interface RowInput {
  atMs?: number;
  code?: number;
  flags?: string[];
  count?: number;
  latencyMs?: number;
  requestBytes?: number;
  responseBytes?: number;
  requestMessages?: number;
  responseMessages?: number;
  grpcStatus?: number;
}

export function row(
  of: EdgeRow,
  {
    atMs = 0,
    code = 200,
    grpcStatus = -1,
    flags = [],
    count = 1,
    latencyMs = 10,
    requestBytes = 0,
    responseBytes = 0,
    requestMessages = 0,
    responseMessages = 0,
  }: RowInput = {},
): RollupRow {
  const latency = new LatencySketch();
  latency.add(latencyMs, count);
  const sums = { count, requestBytes, responseBytes, requestMessages, responseMessages };
  return { atMs, edge: of, code, grpcStatus, flags, ...sums, latency: latency.encode() };
}

export const service = (name: string, versions: string[], changes: Partial<ServiceFacts> = {}): ServiceFacts => ({
  namespace: "default",
  name,
  hostname: host(name),
  external: false,
  ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
  versions: versions.map((version) => ({
    version,
    subset: null,
    workloads: [`${name}-${version}`],
    apps: [name],
    endpoints: [],
  })),
  virtualServices: [],
  destinationRules: [],
  badges: [],
  ...changes,
});

export const facts = (...services: ServiceFacts[]): MeshFacts => ({ services, gateways: [] });

/** Ten seconds of rows, for the graph and its timeline alike. */
export function graphInput(rows: RollupRow[], known: MeshFacts = facts()): GraphInput {
  const window = { fromMs: 0, toMs: 10_000, stepSec: 1 };
  const entering = enteringEdges(rows, known);
  const timeline = { window, rows: rows.filter(({ edge }) => entering.has(edge)) };
  return { window, rows, timeline, facts: known, freshAt: 9900 };
}
