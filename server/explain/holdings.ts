import { fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { type Listener, ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { RuntimeSchema } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { Runtime, runtimeValues } from "../sidecar/runtime.ts";

/** What a proxy has in force, as far as requests meet it. */
export interface Holdings {
  readonly listeners: readonly Listener[];
  route(name: string): RouteConfiguration | undefined;
  /** Those of a route configuration's own, and those that VHDS adds to it. */
  virtualHosts(route: RouteConfiguration): readonly VirtualHost[];
  cluster(name: string): Cluster | undefined;
  endpoints(clusterName: string): ClusterLoadAssignment | undefined;
  /** The layers that discovery filled. */
  readonly runtime: Runtime;
}

/** A resource by the name that it was asked for, encoded. */
export interface EncodedResource {
  readonly typeUrl: string;
  readonly name: string;
  readonly value: Uint8Array;
}

/** Decodes what is asked for, when it is: a proxy of a large mesh has thousands of clusters, of which a request meets few. */
export function holdingsOf(resources: Iterable<EncodedResource>): Holdings {
  const byType = Map.groupBy(resources, ({ typeUrl }) => typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  const find = <S extends (typeof schemas)[number]>(schema: S): ((name: string) => MessageShape<S> | undefined) => {
    const named = new Map(byType.get(schema.typeName)?.map(({ name, value }) => [name, value]));
    return (name) => {
      const value = named.get(name);
      return value && fromBinary(schema, value);
    };
  };
  return {
    listeners: (byType.get(ListenerSchema.typeName) ?? []).map(({ value }) => fromBinary(ListenerSchema, value)),
    route: find(RouteConfigurationSchema),
    virtualHosts: (route) => [
      ...route.virtualHosts,
      ...(route.vhds === undefined ? [] : (byType.get(VirtualHostSchema.typeName) ?? []))
        .filter(({ name }) => name.startsWith(`${route.name}/`))
        .map(({ value }) => fromBinary(VirtualHostSchema, value)),
    ],
    cluster: find(ClusterSchema),
    endpoints: find(ClusterLoadAssignmentSchema),
    runtime: runtimeOf(byType.get(RuntimeSchema.typeName) ?? []),
  };
}

function runtimeOf(layers: readonly EncodedResource[]): Runtime {
  const runtime = new Runtime();
  for (const { name, value } of layers) runtime.setLayer(name, runtimeValues(fromBinary(RuntimeSchema, value).layer));
  return runtime;
}

const schemas = [
  ListenerSchema,
  RouteConfigurationSchema,
  VirtualHostSchema,
  ClusterSchema,
  ClusterLoadAssignmentSchema,
] as const;
