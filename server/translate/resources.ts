import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { TypedExtensionConfig } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { Runtime } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";

/**
 * All that one proxy is to hold. Messages are frozen by convention, and **identity is the change signal**: what did not change
 * between two meshes is the very same object, also across proxies of the same scope, so that encoding is done once per object.
 */
export interface ProxyResources {
  listeners: ReadonlyMap<string, Listener>;
  /** With VHDS: a shell that names `vhds`, its virtual hosts in `virtualHosts`. Without: whole. */
  routes: ReadonlyMap<string, RouteConfiguration>;
  /** VHDS resources, keyed `<route configuration>/<virtual host>`, the very objects that a whole route configuration would hold; empty for a proxy on the state-of-the-world protocol. */
  virtualHosts: ReadonlyMap<string, VirtualHost>;
  clusters: ReadonlyMap<string, Cluster>;
  endpoints: ReadonlyMap<string, ClusterLoadAssignment>;
  /** Filters whose configuration comes by itself, by name. */
  extensionConfigs: ReadonlyMap<string, TypedExtensionConfig>;
  /** By the name of the bootstrap's layer. */
  runtimes: ReadonlyMap<string, Runtime>;
}

/** With what is no message. */
export interface TimedResources extends ProxyResources {
  /** Of some runtimes: how long a proxy that can tell the time keeps them without hearing from the control plane, in milliseconds. */
  runtimeTtls: ReadonlyMap<string, number>;
}
