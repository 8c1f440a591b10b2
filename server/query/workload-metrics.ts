import {
  healthOf,
  type Series,
  type Signals,
  type WorkloadItem,
  type WorkloadMetrics,
  type WorkloadPeer,
  type WorkloadView,
} from "../contract/index.ts";
import type { MeshFacts } from "./facts.ts";
import { type NodeIdentity, NodeNames, nodeId } from "./nodes.ts";
import type { GapRow, RollupRow, RollupSum } from "./reader.ts";
import { recordedSecondsOf } from "./recorded-seconds.ts";
import { seriesOf } from "./service-metrics.ts";
import { Tally } from "./tally.ts";
import { type TrafficEdge, trafficOf } from "./traffic.ts";
import type { Window } from "./window.ts";

/** Which node of the graph a workload is. */
type WorkloadName = Pick<WorkloadView, "namespace" | "app" | "version">;

const idOf = ({ namespace, app, version }: WorkloadName): string => nodeId(namespace, app, version);

export interface WorkloadListInput {
  rows: Iterable<RollupSum>;
  /** What the rates are over. */
  seconds: number;
  facts: MeshFacts;
  workloads: readonly WorkloadView[];
}

/** Every workload, gateways too, with what it is asked and what it asks others. */
export function buildWorkloadList({ rows, seconds, facts, workloads }: WorkloadListInput): WorkloadItem[] {
  const { edges } = trafficOf(rows, new NodeNames(facts));
  const into = Map.groupBy(edges, ({ target }) => target.id);
  const from = Map.groupBy(edges, ({ source }) => source.id);
  const gateways = facts.gateways.map(
    ({ workload, ...gateway }): WorkloadView => ({ ...gateway, ...nothing, name: workload }),
  );
  const known = new Set(gateways.map(({ namespace, name }) => `${namespace}/${name}`));
  const others = workloads.filter(({ namespace, name }) => !known.has(`${namespace}/${name}`));
  return [...gateways, ...others].map((workload, index) => {
    const inbound = into.get(idOf(workload)) ?? [];
    const signals = sumOf(inbound, seconds);
    return {
      ...workload,
      kind: index < gateways.length ? "gateway" : "workload",
      health: signals ? healthOf(signals, { timed: inbound.every(({ protocol }) => protocol !== "tcp") }) : "idle",
      inbound: signals,
      outbound: sumOf(from.get(idOf(workload)) ?? [], seconds),
      mtlsShare: mtlsShareOf(inbound),
    };
  });
}

/** Of a gateway's workload the registry knows nothing: it stands before the mesh's services, and behind none. */
const nothing = { serviceAccount: "", labels: {}, services: [], endpoints: [], mtls: [] };

function sumOf(edges: readonly TrafficEdge[], seconds: number): Signals | null {
  if (edges.length === 0) return null;
  const sum = new Tally();
  for (const { counted } of edges) sum.merge(counted);
  return sum.count === 0 ? null : sum.signals(seconds);
}

function mtlsShareOf(edges: readonly TrafficEdge[]): number | null {
  const count = edges.reduce((sum, { counted }) => sum + counted.count, 0);
  return count === 0 ? null : edges.reduce((sum, { counted, mtls }) => sum + counted.count * mtls, 0) / count;
}

export interface WorkloadMetricsInput {
  workload: WorkloadName;
  window: Window;
  dataFromMs: number;
  gaps: readonly GapRow[];
  /** Rows of calls to it and of its own. */
  rows: readonly RollupRow[];
  facts: MeshFacts;
}

/** Both directions over time, and who is at the other end. */
export function buildWorkloadMetrics(input: WorkloadMetricsInput): WorkloadMetrics {
  const { workload, window, dataFromMs, gaps, rows, facts } = input;
  const seconds = recordedSecondsOf(window, { dataFromMs, gaps });
  const traffic = trafficOf(rows, new NodeNames(facts));
  const id = idOf(workload);
  const steps = new Map<string, Tally>();
  for (const row of rows) {
    const edge = traffic.counts(row) ? traffic.edgeOf(row) : undefined;
    if (edge === undefined) continue;
    const step = Math.floor((row.atMs - window.fromMs) / (window.stepSec * 1000));
    for (const direction of directionsOf(edge, id)) {
      const key = `${direction}:${step}`;
      const tally = steps.get(key) ?? new Tally();
      steps.set(key, tally);
      tally.add(row);
    }
  }
  const side = (direction: "inbound" | "outbound"): { series: Series; peers: WorkloadPeer[] } => ({
    series: seriesOf(direction, steps, window, { dataFromMs, gaps }),
    peers: traffic.edges
      .filter((edge) => directionsOf(edge, id).includes(direction))
      .map((edge) => peerOf(edge, direction === "inbound" ? edge.source : edge.target, seconds))
      .toSorted((a, b) => b.signals.requestRate - a.signals.requestRate),
  });
  return {
    at: window.toMs,
    windowSec: (window.toMs - window.fromMs) / 1000,
    stepSec: window.stepSec,
    fromMs: window.fromMs,
    dataFromMs,
    inbound: side("inbound"),
    outbound: side("outbound"),
  };
}

/** A workload may call itself. */
const directionsOf = ({ source, target }: TrafficEdge, id: string): ("inbound" | "outbound")[] => [
  ...(target.id === id ? (["inbound"] as const) : []),
  ...(source.id === id ? (["outbound"] as const) : []),
];

const peerOf = (
  { protocol, counted }: TrafficEdge,
  { id, namespace, app, version, kind }: NodeIdentity,
  seconds: number,
): WorkloadPeer => ({ id, namespace, app, version, kind, protocol, signals: counted.signals(seconds) });
