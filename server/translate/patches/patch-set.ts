import { type DescMessage, fromJson, type JsonObject, type MessageShape } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
} from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
  FilterSchema,
  type ListenerFilter,
  ListenerFilterSchema,
} from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { memo } from "../../lib/memo.ts";
import type { ConfigPatch } from "../../model/envoy-filters.ts";
import type { PatchedPart } from "../../model/specs.ts";
import { registry } from "../../proto/registry.ts";
import type { FilterClass } from "./filter-class.ts";

/** Where a part of the configuration stands. */
export type PatchContext = "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";

/** One change to parts of one kind; `Value` is Envoy's message for it. */
export interface Patch<Value> {
  readonly operation: ConfigPatch["patch"]["operation"];
  readonly match: NonNullable<ConfigPatch["match"]>;
  /** Beside which filters of ours it is added; undefined: nobody minds. */
  readonly filterClass: FilterClass | undefined;
  /** Undefined with REMOVE. Shared: copied before it is changed. */
  readonly value: Value | undefined;
}

/** By the kind of part, each in the order in which they are applied. */
export interface PatchSet {
  readonly listeners: readonly Patch<Listener>[];
  readonly listenerFilters: readonly Patch<ListenerFilter>[];
  readonly filterChains: readonly Patch<FilterChain>[];
  readonly networkFilters: readonly Patch<Filter>[];
  readonly httpFilters: readonly Patch<HttpFilter>[];
  readonly routeConfigurations: readonly Patch<RouteConfiguration>[];
  readonly virtualHosts: readonly Patch<VirtualHost>[];
  readonly httpRoutes: readonly Patch<Route>[];
  readonly clusters: readonly Patch<Cluster>[];
  readonly extensionConfigs: readonly Patch<TypedExtensionConfig>[];
}

const schemas: Readonly<Record<PatchedPart, DescMessage>> = {
  LISTENER: ListenerSchema,
  LISTENER_FILTER: ListenerFilterSchema,
  FILTER_CHAIN: FilterChainSchema,
  NETWORK_FILTER: FilterSchema,
  HTTP_FILTER: HttpFilterSchema,
  ROUTE_CONFIGURATION: RouteConfigurationSchema,
  VIRTUAL_HOST: VirtualHostSchema,
  HTTP_ROUTE: RouteSchema,
  CLUSTER: ClusterSchema,
  EXTENSION_CONFIG: TypedExtensionConfigSchema,
};

/** Which message a patch's value should be, and why it is not; undefined: it is. */
export function valueError({ applyTo, patch: { value } }: ConfigPatch): { message: string; why: string } | undefined {
  if (value === undefined) return undefined;
  try {
    fromJson(schemas[applyTo], value as JsonObject, { registry });
    return undefined;
  } catch (error) {
    return { message: schemas[applyTo].typeName, why: error instanceof Error ? error.message : String(error) };
  }
}

export const patchSet = (patches: readonly ConfigPatch[]): PatchSet =>
  memo(patches, "patch-set", [], () => ({
    listeners: patchesOf(patches, "LISTENER", ListenerSchema),
    listenerFilters: patchesOf(patches, "LISTENER_FILTER", ListenerFilterSchema),
    filterChains: patchesOf(patches, "FILTER_CHAIN", FilterChainSchema),
    networkFilters: patchesOf(patches, "NETWORK_FILTER", FilterSchema),
    httpFilters: patchesOf(patches, "HTTP_FILTER", HttpFilterSchema),
    routeConfigurations: patchesOf(patches, "ROUTE_CONFIGURATION", RouteConfigurationSchema),
    virtualHosts: patchesOf(patches, "VIRTUAL_HOST", VirtualHostSchema),
    httpRoutes: patchesOf(patches, "HTTP_ROUTE", RouteSchema),
    clusters: patchesOf(patches, "CLUSTER", ClusterSchema),
    extensionConfigs: patchesOf(patches, "EXTENSION_CONFIG", TypedExtensionConfigSchema),
  }));

/** What can't be read, which no write lets in, is left out rather than everything else with it. */
const patchesOf = <Desc extends DescMessage>(
  patches: readonly ConfigPatch[],
  part: PatchedPart,
  schema: Desc,
): Patch<MessageShape<Desc>>[] =>
  patches
    .filter((patch) => patch.applyTo === part && valueError(patch) === undefined)
    .map(({ match = {}, patch: { operation, value, filterClass = "UNSPECIFIED" } }) => ({
      operation,
      match,
      filterClass: filterClass === "UNSPECIFIED" ? undefined : filterClass,
      value: value && fromJson(schema, value as JsonObject, { registry }),
    }));

/** Unset is anywhere. */
export const isIn = ({ match: { context = "ANY" } }: Patch<unknown>, where: PatchContext): boolean =>
  context === "ANY" || context === where;

/** A whole listener or cluster for no place in particular is added once: to what a sidecar sends, or to the gateway. */
export const isAddedIn = (patch: Patch<unknown>, where: PatchContext): boolean =>
  isIn(patch, where) && ((patch.match.context ?? "ANY") !== "ANY" || where !== "SIDECAR_INBOUND");
