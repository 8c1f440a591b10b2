import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { takesMutualTls } from "../model/mutual-tls-endpoints.ts";
import { mutualTlsMode } from "../model/peer-authentications.ts";
import { isHttpOrAuto, type Protocol } from "../model/protocol.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { limitKey, type PortLimits, portLimits } from "../model/rate-limits.ts";
import type { Sidecar } from "../model/sidecars.ts";
import { isCalledWithMutualTls } from "./called-with-mutual-tls.ts";
import { inboundClusterOf } from "./clusters.ts";

/** A port that the sidecar binds for its application, and which service is called there. */
export interface InboundPort {
  port: number;
  target: { address: string; port: number };
  /** Undefined: no service has this workload as an endpoint yet. */
  service: { key: string; hostname: string; port: number } | undefined;
  protocol: Protocol;
  mutualTls: InboundTls;
  /** How many requests the service takes there. */
  limits: PortLimits | undefined;
}

/** `none`: plain text alone; `beside`: both; `only`: nothing else; `barred`: nothing at all, as the proxy has no certificate to take it with. */
export type InboundTls = "none" | "beside" | "only" | "barred";

/** Those that the proxy was told of; a Sidecar's ingress takes their place. */
export function inboundPorts(mesh: Mesh, proxy: MeshProxy, sidecar: Sidecar | undefined): InboundPort[] {
  const served = servedAt(mesh);
  return listeningAt(proxy, sidecar)
    .sort((a, b) => a.port - b.port)
    .map(({ port, target, protocol }) => {
      const there = served.get(`${proxy.ip} ${port}`) ?? unserved;
      const found = protocol ? { ...there, protocol } : there;
      const limits = limitsOf(mesh, found);
      return { port, target, ...found, mutualTls: inboundTls(mesh, proxy, port, found), limits };
    });
}

const limitsOf = (mesh: Mesh, { service }: Served): PortLimits | undefined =>
  service ? portLimits(mesh).get(limitKey(service, service.port)) : undefined;

/** Those at which services find the workload: iptables bring them all, and nobody tells of them. A Sidecar's ingress takes their place. */
export function interceptedPorts(mesh: Mesh, proxy: MeshProxy, sidecar: Sidecar | undefined): InboundPort[] {
  const here = new Map((servedByAddress(mesh).get(proxy.ip) ?? []).map((it) => [it.port, it.served]));
  const ports =
    sidecar?.ingress?.map(({ port, protocol }) => ({ port, protocol })) ??
    [...here.keys()].map((port) => ({ port, protocol: undefined }));
  return ports
    .sort((a, b) => a.port - b.port)
    .map(({ port, protocol }) => {
      const there = here.get(port) ?? unserved;
      const found = protocol ? { ...there, protocol } : there;
      const target = { address: proxy.ip, port };
      const limits = limitsOf(mesh, found);
      return { port, target, ...found, mutualTls: inboundTls(mesh, proxy, port, found), limits };
    });
}

const servedByAddress = (mesh: Mesh): ReadonlyMap<string, readonly { port: number; served: Served }[]> =>
  memo(mesh.endpoints, "served-by-address", [mesh.services], () => {
    const all = [...servedAt(mesh)].map(([at, served]) => {
      const [address = "", port] = at.split(" ");
      return { address, port: Number(port), served };
    });
    return Map.groupBy(all, ({ address }) => address);
  });

function listeningAt(proxy: MeshProxy, sidecar: Sidecar | undefined) {
  if (!sidecar?.ingress) {
    return Object.entries(proxy.ingress).map(([port, target]) => ({ port: Number(port), target, protocol: undefined }));
  }
  return sidecar.ingress.flatMap(({ port, protocol, endpoint }) => {
    const target = endpoint ?? proxy.ingress[port];
    return target ? [{ port, target, protocol }] : [];
  });
}

/** The same object for every proxy that has the same to say. */
export const inboundCluster = (proxy: MeshProxy, { port, target, protocol }: InboundPort): Cluster =>
  memo(proxy, `cluster ${port}`, [protocol, target.address, target.port], () =>
    memo(inboundClusters, `${port} ${protocol} ${target.address} ${target.port}`, [], () =>
      inboundClusterOf(port, target, protocol),
    ),
  );

const inboundClusters = {};

/**
 * HTTP clients speak first, so that looking at what they say costs them nothing. Of the rest some wait for the server to, and would
 * wait for the inspector: there only when a rule asks for it.
 */
function inboundTls(mesh: Mesh, proxy: MeshProxy, port: number, { service, protocol }: Served): InboundTls {
  const mode = mutualTlsMode(mesh.peerAuthentications, mesh.options.rootNamespace, proxy, port);
  if (mode === "STRICT") return proxy.identity === undefined ? "barred" : "only";
  if (mode === "DISABLE" || proxy.identity === undefined) return "none";
  if (isHttpOrAuto(protocol)) return "beside";
  const found = mesh.services.get(service?.key ?? "");
  if (service === undefined || found === undefined) return "none";
  const comesUnasked = (mesh.endpoints.get(found.key)?.byPort.get(service.port) ?? []).some(
    (it) => it.address === proxy.ip && takesMutualTls(mesh, it),
  );
  return comesUnasked || isCalledWithMutualTls(mesh, found, service.port) ? "beside" : "none";
}

type Served = Pick<InboundPort, "service" | "protocol">;

const unserved: Served = { service: undefined, protocol: "HTTP" };

/** Which service is at an address and port; of several the first by hostname. */
const servedAt = (mesh: Mesh): ReadonlyMap<string, Served> =>
  memo(mesh.endpoints, "served-at", [mesh.services], () => {
    const served = new Map<string, Served>();
    for (const { key, hostname, ports } of mesh.services.values()) {
      for (const { port, protocol } of ports) {
        for (const endpoint of mesh.endpoints.get(key)?.byPort.get(port) ?? []) {
          const at = `${endpoint.address} ${endpoint.port}`;
          if (!served.has(at)) served.set(at, { service: { key, hostname, port }, protocol });
        }
      }
    }
    return served;
  });
