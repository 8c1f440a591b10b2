import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { Secret } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { encodeAll, resourceKinds } from "./encode.ts";
import { type ResourceMap, type Snapshot, TypeUrl } from "./types.ts";

/** The messages one proxy is to hold, by resource name. Treated as frozen: what changes is a new object. */
export interface SnapshotMessages {
  listeners: ReadonlyMap<string, Listener>;
  routes: ReadonlyMap<string, RouteConfiguration>;
  /** Named `<route configuration>/<virtual host>`. */
  virtualHosts: ReadonlyMap<string, VirtualHost>;
  clusters: ReadonlyMap<string, Cluster>;
  endpoints: ReadonlyMap<string, ClusterLoadAssignment>;
}

export type SecretMessages = ReadonlyMap<string, Secret>;
const noSecrets: SecretMessages = new Map();

/** `secrets` are the client's own, its private key among them: for a client that has shown who it is. */
export function createSnapshot(
  revision: number,
  messages: SnapshotMessages,
  secrets: SecretMessages = noSecrets,
): Snapshot {
  return {
    revision,
    resources: new Map<string, ResourceMap>([
      [TypeUrl.secret, encodeAll(resourceKinds.secret, secrets)],
      [TypeUrl.cluster, encodeAll(resourceKinds.cluster, messages.clusters)],
      [TypeUrl.endpoint, encodeAll(resourceKinds.endpoint, messages.endpoints)],
      [TypeUrl.listener, encodeAll(resourceKinds.listener, messages.listeners)],
      [TypeUrl.route, encodeAll(resourceKinds.route, messages.routes)],
      [TypeUrl.virtualHost, encodeAll(resourceKinds.virtualHost, messages.virtualHosts)],
    ]),
  };
}

/** The same revision with other secrets: what else the client holds is not touched. */
export function withSecrets(snapshot: Snapshot, secrets: SecretMessages): Snapshot {
  const resources = new Map(snapshot.resources).set(TypeUrl.secret, encodeAll(resourceKinds.secret, secrets));
  return { revision: snapshot.revision, resources };
}

/**
 * What the snapshot names but does not hold: a proxy would wait for it, up to its initial_fetch_timeout.
 * In words, empty when consistent; at most ten.
 */
export function findInconsistencies(snapshot: Snapshot): string[] {
  const problems: string[] = [];
  for (const [typeUrl, resources] of snapshot.resources) {
    for (const resource of resources.values()) {
      for (const ref of resource.requires ?? []) {
        if (ref.typeUrl === TypeUrl.virtualHost) continue; // a route configuration may be empty
        if (snapshot.resources.get(ref.typeUrl)?.has(ref.name)) continue;
        problems.push(`${shortName(typeUrl)} ${resource.name} needs ${shortName(ref.typeUrl)} ${ref.name}`);
        if (problems.length === 10) return problems;
      }
    }
  }
  return problems;
}

const shortName = (typeUrl: string): string => typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
