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
import type { RollupRow, RollupSum } from "./reader.ts";
import { type Recorded, recordedSecondsOf } from "./recorded-seconds.ts";
import { seriesOf } from "./service-metrics.ts";
import { Tally } from "./tally.ts";
import { type TrafficEdge, trafficOf } from "./traffic.ts";
import { toldGaps } from "./unrecorded.ts";
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
  const names = new NodeNames(facts);
  const all = [...rows];
  const { edges } = trafficOf(all, names);
  const into = Map.groupBy(edges, ({ target }) => target.id);
  const from = Map.groupBy(edges, ({ source }) => source.id);
  const alike = new Set([...Map.groupBy(workloads, idOf)].flatMap(([id, { length }]) => (length > 1 ? [id] : [])));
  // Workloads of one version are one node of the graph: what reached, or came from, each is told apart by its name.
  const byName = (side: Side) =>
    alike.size === 0 ? none : Map.groupBy(all, ({ edge }) => `${edge[side].namespace}/${edge[side].workload}`);
  const [reached, sent] = [byName("destination"), byName("source")];
  const edgesOf = (workload: WorkloadView, known: typeof into, own: typeof reached): readonly TrafficEdge[] => {
    if (!alike.has(idOf(workload))) return known.get(idOf(workload)) ?? [];
    return trafficOf(own.get(`${workload.namespace}/${workload.name}`) ?? [], names).edges;
  };
  const gateways = facts.gateways.map(
    ({ workload, ...gateway }): WorkloadView => ({ ...gateway, ...nothing, name: workload }),
  );
  const known = new Set(gateways.map(({ namespace, name }) => `${namespace}/${name}`));
  const others = workloads.filter(({ namespace, name }) => !known.has(`${namespace}/${name}`));
  return [...gateways, ...others].map((workload, index) => {
    const inbound = edgesOf(workload, into, reached);
    const signals = sumOf(inbound, seconds);
    return {
      ...workload,
      kind: index < gateways.length ? "gateway" : "workload",
      health: signals ? healthOf(signals, { timed: inbound.every(({ protocol }) => protocol !== "tcp") }) : "idle",
      inbound: signals,
      outbound: sumOf(edgesOf(workload, from, sent), seconds),
      mtlsShare: mtlsShareOf(inbound),
    };
  });
}

type Side = "source" | "destination";
const none: ReadonlyMap<string, RollupSum[]> = new Map();

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
  /** Its name, where others are of its version: what reached none of them by name is nobody's then. */
  only?: string | undefined;
  window: Window;
  dataFromMs: number;
  gaps: Recorded["gaps"];
  /** Rows of calls to it and of its own. */
  rows: readonly RollupRow[];
  facts: MeshFacts;
}

/** Both directions over time, and who is at the other end. */
export function buildWorkloadMetrics(input: WorkloadMetricsInput): WorkloadMetrics {
  const { workload, only, window, dataFromMs, gaps, rows, facts } = input;
  const seconds = recordedSecondsOf(window, { dataFromMs, gaps });
  const names = new NodeNames(facts);
  const whole = only === undefined ? trafficOf(rows, names) : undefined;
  const id = idOf(workload);
  const side = (direction: "inbound" | "outbound"): { series: Series; peers: WorkloadPeer[] } => {
    const [own, other] = direction === "inbound" ? (["target", "source"] as const) : (["source", "target"] as const);
    const end = direction === "inbound" ? "destination" : "source";
    const mine = only === undefined ? rows : rows.filter(({ edge }) => edge[end].workload === only);
    const traffic = whole ?? trafficOf(mine, names);
    const steps = new Map<string, Tally>();
    for (const row of mine) {
      if (!traffic.counts(row) || traffic.edgeOf(row)?.[own].id !== id) continue;
      const key = `${direction}:${Math.floor((row.atMs - window.fromMs) / (window.stepSec * 1000))}`;
      const tally = steps.get(key) ?? new Tally();
      steps.set(key, tally);
      tally.add(row);
    }
    return {
      series: seriesOf(direction, steps, window, { dataFromMs, gaps }),
      peers: traffic.edges
        .filter((edge) => edge[own].id === id)
        .map((edge) => peerOf(edge, edge[other], seconds))
        .toSorted((a, b) => b.signals.requestRate - a.signals.requestRate),
    };
  };
  return {
    at: window.toMs,
    windowSec: (window.toMs - window.fromMs) / 1000,
    stepSec: window.stepSec,
    fromMs: window.fromMs,
    dataFromMs,
    ...toldGaps(gaps),
    inbound: side("inbound"),
    outbound: side("outbound"),
  };
}

const peerOf = (
  { protocol, counted }: TrafficEdge,
  { id, namespace, app, version, kind }: NodeIdentity,
  seconds: number,
): WorkloadPeer => ({ id, namespace, app, version, kind, protocol, signals: counted.signals(seconds) });
