/** Type URLs of the xDS v3 resources. https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#resource-types */
export const TypeUrl = {
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  virtualHost: "type.googleapis.com/envoy.config.route.v3.VirtualHost",
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
  extensionConfig: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  runtime: "type.googleapis.com/envoy.service.runtime.v3.Runtime",
} as const;

export type TypeUrl = (typeof TypeUrl)[keyof typeof TypeUrl];

/** One resource, encoded once and shared by every snapshot that holds it. */
export interface Resource {
  readonly name: string;
  /** Derived from the content: equal bytes, equal version, also after a restart of the control plane. */
  readonly version: string;
  /** The message's binary form, for `google.protobuf.Any.value`. */
  readonly value: Uint8Array;
  /** Resources that the client needs beside this one: a cluster's load assignment, a listener's route configuration. */
  readonly requires?: readonly ResourceRef[];
  /** For how long a client that can tell the time keeps it without hearing of it; undefined: until it is told otherwise. Part of the version. */
  readonly ttlMs?: number;
}

export interface ResourceRef {
  readonly typeUrl: TypeUrl;
  /** For a virtual host: the route configuration's name and `/`, which stands for all of them. */
  readonly name: string;
}

export type ResourceMap = ReadonlyMap<string, Resource>;

/** All that one proxy is to hold at one revision; immutable. */
export interface Snapshot {
  /** The config revision it was translated from. */
  readonly revision: number;
  readonly resources: ReadonlyMap<string, ResourceMap>;
}

const empty: ResourceMap = new Map();

export const resourcesOf = (snapshot: Snapshot, typeUrl: string): ResourceMap =>
  snapshot.resources.get(typeUrl) ?? empty;

/** By which Istio's agents tell what the probe of a WorkloadGroup found: a request without an answer, with an error or without. It is no type of resources. */
export const healthInformation = "type.googleapis.com/istio.v1.HealthInformation";
