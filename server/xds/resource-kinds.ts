import { create, type DescMessage, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type VirtualHost, VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { RuntimeSchema } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { clusterNeeds, listenerNeeds, routeNeeds } from "./resource-needs.ts";
import { type ResourceRef, TypeUrl } from "./types.ts";

/** The names by which people call the types. */
export type XdsType = "LDS" | "RDS" | "VHDS" | "CDS" | "EDS" | "SDS" | "ECDS" | "RTDS";

/** All that is particular to one xDS type: what iterates the registry needs no word about any of them. */
export interface ResourceKind<Desc extends DescMessage = DescMessage> {
  readonly typeUrl: TypeUrl;
  readonly shortName: XdsType;
  /** As Envoy has it in `Error adding/updating cluster(s)`. */
  readonly noun: string;
  readonly schema: Desc;
  /** A first request without names asks for everything. Envoy does so for virtual hosts too. */
  readonly wildcardByDefault: boolean;
  /** State of the world: what a response leaves out is gone. */
  readonly wholeState: boolean;
  /**
   * What stands for a name that is not there, where the protocol has no word for it: on the state-of-the-world protocol an Envoy waits 15 s for a
   * runtime layer, and an empty one changes nothing.
   */
  absent?(name: string): MessageShape<Desc>;
  toBinary(message: MessageShape<Desc>, name: string): Uint8Array;
  /** What each of its resources needs beside it. */
  requires(message: MessageShape<Desc>, name: string): ResourceRef[];
}

interface KindInit<Desc extends DescMessage> {
  noun: string;
  wildcardByDefault?: boolean;
  wholeState?: boolean;
  absent?: ResourceKind<Desc>["absent"];
  requires?: ResourceKind<Desc>["requires"];
  toBinary?: ResourceKind<Desc>["toBinary"];
}

const kind = <Desc extends DescMessage>(
  shortName: XdsType,
  typeUrl: TypeUrl,
  schema: Desc,
  init: KindInit<Desc>,
): ResourceKind<Desc> => ({
  shortName,
  typeUrl,
  schema,
  wildcardByDefault: false,
  wholeState: false,
  requires: () => [],
  toBinary: (message) => toBinary(schema, message),
  ...init,
});

/** In the order in which additions go out, make before break: what is pointed at goes before what points at it. */
export const resourceKinds = {
  runtime: kind("RTDS", TypeUrl.runtime, RuntimeSchema, {
    noun: "runtime layer",
    absent: (name) => create(RuntimeSchema, { name, layer: {} }),
  }),
  secret: kind("SDS", TypeUrl.secret, SecretSchema, { noun: "secret" }),
  cluster: kind("CDS", TypeUrl.cluster, ClusterSchema, {
    noun: "cluster",
    wildcardByDefault: true,
    wholeState: true,
    requires: clusterNeeds,
  }),
  endpoint: kind("EDS", TypeUrl.endpoint, ClusterLoadAssignmentSchema, { noun: "cluster load assignment" }),
  extensionConfig: kind("ECDS", TypeUrl.extensionConfig, TypedExtensionConfigSchema, { noun: "extension config" }),
  listener: kind("LDS", TypeUrl.listener, ListenerSchema, {
    noun: "listener",
    wildcardByDefault: true,
    wholeState: true,
    requires: listenerNeeds,
  }),
  route: kind("RDS", TypeUrl.route, RouteConfigurationSchema, { noun: "route configuration", requires: routeNeeds }),
  virtualHost: kind("VHDS", TypeUrl.virtualHost, VirtualHostSchema, {
    noun: "virtual host",
    wildcardByDefault: true,
    // Envoy keeps virtual hosts by `name`, but looks up a removed one by its resource name: unless both are alike, it stays for ever.
    toBinary: (message: VirtualHost, name) =>
      toBinary(VirtualHostSchema, message.name === name ? message : { ...message, name }),
  }),
};

export type KindName = keyof typeof resourceKinds;

/** The message of a kind. */
export type KindMessage<K extends KindName> = MessageShape<(typeof resourceKinds)[K]["schema"]>;

/** For code that treats all kinds alike: a kind's functions take the messages that come from the same kind's map. */
export type AnyKind = ResourceKind & {
  absent?(name: string): Message;
  toBinary(message: Message, name: string): Uint8Array;
  requires(message: Message, name: string): ResourceRef[];
};

export const allKinds = Object.values(resourceKinds) as unknown as readonly AnyKind[];

/** In the order in which people go through them. */
export const shownKinds: readonly AnyKind[] = (
  ["LDS", "RDS", "VHDS", "CDS", "EDS", "SDS", "ECDS", "RTDS"] satisfies XdsType[]
).flatMap((name) => allKinds.find(({ shortName }) => shortName === name) ?? []);

const byTypeUrl = new Map<string, AnyKind>(allKinds.map((one) => [one.typeUrl, one]));

export const kindOf = (typeUrl: string): AnyKind | undefined => byTypeUrl.get(typeUrl);

export const addOrder: readonly TypeUrl[] = allKinds.map(({ typeUrl }) => typeUrl);

/** What points goes before what is pointed at. Virtual hosts stand in a route configuration, and are not pointed at. */
export const removeOrder: readonly TypeUrl[] = [
  TypeUrl.listener,
  TypeUrl.virtualHost,
  TypeUrl.route,
  TypeUrl.extensionConfig,
  TypeUrl.cluster,
  TypeUrl.endpoint,
  TypeUrl.secret,
  TypeUrl.runtime,
];
