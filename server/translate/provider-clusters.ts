import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { resolveHost } from "../model/hostname.ts";
import type { Mesh } from "../model/mesh.ts";
import { outboundCluster } from "./names.ts";
import type { Scope } from "./scope.ts";

export interface ProviderCluster {
  readonly cluster: string;
  readonly hostname: string;
}

/** By which of its clusters a proxy reaches a provider of the MeshConfig; undefined: its scope has no such service, or the service no such port. */
export function providerCluster(
  mesh: Mesh,
  scope: Scope,
  clusters: ReadonlyMap<string, Cluster>,
  { service, port }: { service: string; port: number },
): ProviderCluster | undefined {
  const slash = service.indexOf("/");
  const namespace = slash < 0 ? undefined : service.slice(0, slash);
  const { rootNamespace, domain } = mesh.options;
  const hostname = resolveHost(service.slice(slash + 1), namespace ?? rootNamespace, domain);
  const found = scope.services.get(hostname);
  const cluster = outboundCluster(port, "", hostname);
  if (!found || (namespace !== undefined && found.namespace !== namespace) || !clusters.has(cluster)) return undefined;
  return { cluster, hostname };
}
