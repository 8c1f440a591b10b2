import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Protocol } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { inboundClusterOf } from "./clusters.ts";

/** A port that the sidecar binds for its application, and which service is called there. */
export interface InboundPort {
  port: number;
  target: { address: string; port: number };
  /** Undefined: no service has this workload as an endpoint yet. */
  service: { hostname: string; port: number } | undefined;
  protocol: Protocol;
}

export function inboundPorts(mesh: Mesh, proxy: MeshProxy): InboundPort[] {
  const served = servedAt(mesh);
  return Object.entries(proxy.ingress)
    .map(([port, target]) => ({ port: Number(port), target }))
    .sort((a, b) => a.port - b.port)
    .map(({ port, target }) => {
      const found = served.get(`${proxy.ip} ${port}`);
      return { port, target, service: found?.service, protocol: found?.protocol ?? "HTTP" };
    });
}

export const inboundCluster = (proxy: MeshProxy, { port, target, protocol }: InboundPort): Cluster =>
  memo(proxy, `cluster ${port}`, [protocol], () => inboundClusterOf(port, target, protocol));

type Served = Pick<InboundPort, "service" | "protocol">;

/** Which service is at an address and port; of several the first by hostname. */
const servedAt = (mesh: Mesh): ReadonlyMap<string, Served> =>
  memo(mesh.endpoints, "served-at", [mesh.services], () => {
    const served = new Map<string, Served>();
    for (const { hostname, ports } of mesh.services.values()) {
      for (const { port, protocol } of ports) {
        for (const endpoint of mesh.endpoints.get(hostname)?.byPort.get(port) ?? []) {
          const key = `${endpoint.address} ${endpoint.port}`;
          if (!served.has(key)) served.set(key, { service: { hostname, port }, protocol });
        }
      }
    }
    return served;
  });
