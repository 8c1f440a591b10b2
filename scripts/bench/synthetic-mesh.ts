import { LatencySketch } from "../../server/lib/latency-sketch.ts";
import { type EdgeKey, edgeId, noGrpcStatus, unknownPeer } from "../../server/telemetry/record.ts";
import type { RollupEntry } from "../../server/telemetry/store.ts";
import type { Peer } from "../../server/wire/peer.ts";

export interface SyntheticCall {
  edge: EdgeKey;
  /** Requests per second. */
  rate: number;
  latencyMs: number;
  /** 0..1 */
  errorShare: number;
}

const layers = 6;
const namespaces = 12;

/** A mesh of workloads in layers, some of them versions of one service, the same with every run. */
export function syntheticMesh(nodes: number, edges: number): SyntheticCall[] {
  const random = seeded(7);
  const workloads: Peer[] = [];
  for (let app = 0; workloads.length < nodes; app++) {
    const versions = Math.min(nodes - workloads.length, app % 5 === 0 ? 3 : app % 5 === 1 ? 2 : 1);
    for (let version = 1; version <= versions; version++) {
      const name = `service-${app}`;
      workloads.push({
        workload: `${name}-v${version}`,
        namespace: `team-${app % namespaces}`,
        app: name,
        version: `v${version}`,
      });
    }
  }
  const perLayer = Math.ceil(nodes / layers);
  const layer = (index: number) => workloads.slice(index * perLayer, (index + 1) * perLayer);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const calls = new Map<string, SyntheticCall>();
  const add = (source: Peer, destination: Peer) => {
    const service = `${destination.app}.${destination.namespace}.svc.cluster.local`;
    const rest = { gateway: false, service, destination, protocol: "http" as const, mtls: false };
    const edge: EdgeKey = { reporter: source === unknownPeer ? "destination" : "source", source, ...rest };
    const failing = random() < 0.01;
    calls.set(edgeId(edge), {
      edge,
      rate: 1 + Math.floor(40 * random() ** 3),
      latencyMs: 4 + 60 * random() ** 2,
      errorShare: failing ? 0.3 : 0,
    });
  };
  for (const entry of layer(0).slice(0, 5)) add(unknownPeer, entry);
  for (const [index, workload] of workloads.entries()) {
    const depth = Math.floor(index / perLayer);
    if (depth > 0) add(pick(layer(depth - 1)), workload);
    else add(workload, pick(layer(1)));
  }
  while (calls.size < edges) {
    const depth = Math.floor(random() * (layers - 1));
    const further = random() < 0.9 ? depth + 1 : Math.min(layers - 1, depth + 2);
    add(pick(layer(depth)), pick(layer(further)));
  }
  return [...calls.values()];
}

/** What the collector would have rolled up of one second. */
export function rollupsOf(calls: readonly SyntheticCall[], second: number): RollupEntry[] {
  return calls.flatMap(({ edge, rate, latencyMs, errorShare }) => {
    const failed = Math.round(rate * errorShare);
    return [
      [200, rate - failed],
      [503, failed],
    ]
      .filter(([, count]) => (count ?? 0) > 0)
      .map(([code = 200, count = 0]) => {
        const latency = new LatencySketch();
        for (let i = 0; i < count; i++) latency.add(latencyMs * (0.8 + (i % 5) / 10));
        const bytes = { requestBytes: 100 * count, responseBytes: 900 * count };
        const sizes = { ...bytes, requestMessages: 0, responseMessages: 0 };
        return {
          edge,
          edgeId: edgeId(edge),
          second,
          code,
          flags: 0,
          grpcStatus: noGrpcStatus,
          count,
          ...sizes,
          latency,
        };
      });
  });
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
