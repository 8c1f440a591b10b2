import type { Graph, GraphEdge, GraphNode } from "../contract/index.ts";
import type { Decorator, GraphInput } from "./decorator.ts";
import { addBadges } from "./decorators/badges.ts";
import { addBoxes } from "./decorators/boxes.ts";
import { addFaults } from "./decorators/faults.ts";
import { addGroups } from "./decorators/groups.ts";
import { addHealth } from "./decorators/health.ts";
import { addIdleNodes } from "./decorators/idle.ts";
import { addRecent } from "./decorators/recent.ts";
import { addServices } from "./decorators/services.ts";
import { addTimeline } from "./decorators/timeline.ts";
import { graphNode, type NodeIdentity, NodeNames } from "./nodes.ts";
import { ratesOf, Tally } from "./tally.ts";
import { type TrafficEdge, trafficOf } from "./traffic.ts";

/** In this order: idle nodes are boxed, badged and given a health like the others. */
const decorators: readonly Decorator[] = [
  addIdleNodes,
  addServices,
  addGroups,
  addHealth,
  addRecent,
  addBoxes,
  addBadges,
  addFaults,
  addTimeline,
];

/** Traffic first, then the decorators. */
export function buildGraph(input: GraphInput): Graph {
  const { window } = input;
  const seconds = input.seconds ?? (window.toMs - window.fromMs) / 1000;
  const { edges } = trafficOf(input.rows, new NodeNames(input.facts));
  const graph: Graph = {
    at: window.toMs,
    windowSec: seconds,
    nodes: nodesOf(edges, seconds).toSorted(byId),
    edges: edges.map((edge) => graphEdge(edge, seconds)).toSorted(byId),
    timeline: {
      fromMs: window.fromMs,
      stepSec: window.stepSec,
      requestRate: [],
      errorShare: [],
      recordedFromMs: window.fromMs,
    },
    freshAt: input.freshAt,
    silentSince: input.silentSince ?? null,
  };
  for (const decorate of decorators) decorate(graph, input);
  return graph;
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

function nodesOf(edges: readonly TrafficEdge[], seconds: number): GraphNode[] {
  const nodes = new Map<string, { identity: NodeIdentity; received: Tally; sent: Tally }>();
  const node = (identity: NodeIdentity) => {
    let found = nodes.get(identity.id);
    if (found === undefined) {
      found = { identity, received: new Tally(), sent: new Tally() };
      nodes.set(identity.id, found);
    }
    if (identity.kind === "gateway") found.identity = identity;
    found.identity = { ...found.identity, workload: found.identity.workload ?? identity.workload };
    return found;
  };
  for (const edge of edges) {
    node(edge.source).sent.merge(edge.counted);
    node(edge.target).received.merge(edge.counted);
  }
  return [...nodes.values()].map(({ identity, received, sent }) =>
    graphNode(identity, (received.count > 0 ? received : sent).signals(seconds)),
  );
}

function graphEdge(edge: TrafficEdge, seconds: number): GraphEdge {
  return {
    id: edge.id,
    source: edge.source.id,
    target: edge.target.id,
    service: edge.service,
    to: null,
    protocol: edge.protocol,
    health: "idle",
    signals: edge.counted.signals(seconds),
    reported: {
      source: edge.reported.source?.signals(seconds) ?? null,
      destination: edge.reported.destination?.signals(seconds) ?? null,
    },
    codes: ratesOf(edge.counted.codes, seconds),
    flags: ratesOf(edge.counted.flags, seconds),
    ...(edge.counted.grpcStatuses.size > 0 && { grpcStatuses: ratesOf(edge.counted.grpcStatuses, seconds) }),
    ...(edge.counted.abandoned > 0 && { abandonedRate: edge.counted.abandoned / seconds }),
    mtls: edge.mtls,
    ...(edge.protocol === "tcp" && {
      bytesPerSecond: { sent: edge.counted.requestBytes / seconds, received: edge.counted.responseBytes / seconds },
    }),
    ...messagesOf(edge, seconds),
  };
}

/** Only who is called counts them. */
function messagesOf(
  { protocol, reported: { destination: told } }: TrafficEdge,
  seconds: number,
): Pick<GraphEdge, "messagesPerSecond"> {
  if (protocol !== "grpc" || !told || told.requestMessages + told.responseMessages === 0) return {};
  return { messagesPerSecond: { sent: told.requestMessages / seconds, received: told.responseMessages / seconds } };
}
