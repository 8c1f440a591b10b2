import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack, anyUnpack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BootstrapConfigDumpSchema, SecretsConfigDumpSchema } from "../../gen/proto/envoy/admin/v3/config_dump_pb.js";
import {
  ClientResourceStatus,
  ClustersConfigDumpSchema,
  EcdsConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
  RoutesConfigDumpSchema,
} from "../../gen/proto/envoy/admin/v3/config_dump_shared_pb.js";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { type Listener, ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { HttpConnectionManagerSchema } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TypeUrl } from "../../xds/types.ts";
import type { ConfigState, HeldResource } from "../xds/config-state.ts";

/** Keeps the resources whose name it takes. */
export type NameFilter = (name: string) => boolean;

export function bootstrapSection({ bootstrap, startedMs }: ConfigState) {
  return create(BootstrapConfigDumpSchema, { bootstrap, lastUpdated: timestampFromMs(startedMs) });
}

export function clustersSection(state: ConfigState, keep: NameFilter) {
  const statics = state.bootstrap.staticResources?.clusters ?? [];
  return create(ClustersConfigDumpSchema, {
    versionInfo: newestVersion(state, TypeUrl.cluster),
    staticClusters: statics
      .filter(({ name }) => keep(name))
      .map((cluster) => ({ cluster: anyPack(ClusterSchema, cluster), lastUpdated: timestampFromMs(state.startedMs) })),
    dynamicActiveClusters: held(state, TypeUrl.cluster, keep).map(([, resource]) => ({
      ...activeState(TypeUrl.cluster, resource, "cluster"),
      ...common(TypeUrl.cluster, resource),
    })),
  });
}

export function listenersSection(state: ConfigState, keep: NameFilter) {
  const statics = state.bootstrap.staticResources?.listeners ?? [];
  return create(ListenersConfigDumpSchema, {
    versionInfo: newestVersion(state, TypeUrl.listener),
    staticListeners: statics
      .filter(({ name }) => keep(name))
      .map((one) => ({ listener: anyPack(ListenerSchema, one), lastUpdated: timestampFromMs(state.startedMs) })),
    dynamicListeners: held(state, TypeUrl.listener, keep).map(([name, resource]) => ({
      name,
      ...(resource.active ? { activeState: activeState(TypeUrl.listener, resource, "listener") } : {}),
      ...common(TypeUrl.listener, resource),
    })),
  });
}

/** A route configuration with VHDS is shown with its virtual hosts in place, as Envoy shows it. */
export function routesSection(state: ConfigState, keep: NameFilter) {
  const statics = [
    ...(state.bootstrap.staticResources?.listeners ?? []),
    ...[...state.of(TypeUrl.listener).values()].flatMap(({ active }) =>
      active ? [fromBinary(ListenerSchema, active.value)] : [],
    ),
  ].flatMap(inlineRouteConfigs);
  return create(RoutesConfigDumpSchema, {
    staticRouteConfigs: statics
      .filter(({ name }) => keep(name))
      .map((config) => ({
        routeConfig: anyPack(RouteConfigurationSchema, config),
        lastUpdated: timestampFromMs(state.startedMs),
      })),
    dynamicRouteConfigs: held(state, TypeUrl.route, keep).map(([name, resource]) => ({
      ...activeState(TypeUrl.route, withVirtualHosts(state, name, resource), "routeConfig"),
      ...common(TypeUrl.route, resource),
    })),
  });
}

export function endpointsSection(state: ConfigState, keep: NameFilter) {
  const statics = state.bootstrap.staticResources?.clusters ?? [];
  return create(EndpointsConfigDumpSchema, {
    staticEndpointConfigs: statics
      .filter(({ name, loadAssignment }) => loadAssignment !== undefined && keep(name))
      .map(({ loadAssignment }) => ({
        endpointConfig: loadAssignment ? anyPack(ClusterLoadAssignmentSchema, loadAssignment) : undefined,
        lastUpdated: timestampFromMs(state.startedMs),
      })),
    dynamicEndpointConfigs: held(state, TypeUrl.endpoint, keep).map(([, resource]) => ({
      ...activeState(TypeUrl.endpoint, resource, "endpointConfig"),
      ...common(TypeUrl.endpoint, resource),
    })),
  });
}

export function extensionsSection(state: ConfigState, keep: NameFilter) {
  return create(EcdsConfigDumpSchema, {
    ecdsFilters: held(state, TypeUrl.extensionConfig, keep).map(([, resource]) => ({
      ...activeState(TypeUrl.extensionConfig, resource, "ecdsFilter"),
      ...common(TypeUrl.extensionConfig, resource),
    })),
  });
}

/** Secrets are kept without what is secret in them: see XdsResources. */
export function secretsSection(state: ConfigState, keep: NameFilter) {
  const awaited = state.awaited(TypeUrl.secret);
  const shown = ([name, resource]: [string, HeldResource]) => ({
    name,
    ...activeState(TypeUrl.secret, resource, "secret"),
    ...common(TypeUrl.secret, resource),
  });
  return create(SecretsConfigDumpSchema, {
    dynamicActiveSecrets: held(state, TypeUrl.secret, keep).flatMap((entry) => (entry[1].active ? [shown(entry)] : [])),
    dynamicWarmingSecrets: awaited.filter(keep).map((name) => {
      const resource = state.of(TypeUrl.secret).get(name);
      return resource ? shown([name, resource]) : { name, versionInfo: "uninitialized", ...requested };
    }),
  });
}

const requested = { clientStatus: ClientResourceStatus.REQUESTED };

const held = (state: ConfigState, typeUrl: TypeUrl, keep: NameFilter) =>
  [...state.of(typeUrl)].filter(([name]) => keep(name));

/** xDS deltas have a version per resource; the dump's own is that of the resource which came last. */
function newestVersion(state: ConfigState, typeUrl: TypeUrl): string {
  let newest: HeldResource["active"];
  for (const { active } of state.of(typeUrl).values()) {
    if (active && (newest === undefined || active.updatedMs >= newest.updatedMs)) newest = active;
  }
  return newest?.version ?? "";
}

function activeState<K extends string>(typeUrl: TypeUrl, { active }: HeldResource, key: K) {
  if (active === undefined) return {};
  return {
    versionInfo: active.version,
    [key]: asAny(typeUrl, active.value),
    lastUpdated: timestampFromMs(active.updatedMs),
  } as { versionInfo: string; lastUpdated: ReturnType<typeof timestampFromMs> } & Record<K, Any>;
}

function common(typeUrl: TypeUrl, { refused }: HeldResource) {
  if (refused === undefined) return { clientStatus: ClientResourceStatus.ACKED };
  return {
    clientStatus: ClientResourceStatus.NACKED,
    errorState: {
      failedConfiguration: asAny(typeUrl, refused.value),
      lastUpdateAttempt: timestampFromMs(refused.updatedMs),
      details: refused.details,
      versionInfo: refused.version,
    },
  };
}

const asAny = (typeUrl: string, value: Uint8Array): Any => create(AnySchema, { typeUrl, value });

function withVirtualHosts(state: ConfigState, name: string, resource: HeldResource): HeldResource {
  const { active } = resource;
  if (active === undefined) return resource;
  const config = fromBinary(RouteConfigurationSchema, active.value);
  if (config.vhds === undefined) return resource;
  let { updatedMs } = active;
  for (const [key, { active: host }] of state.of(TypeUrl.virtualHost)) {
    if (host === undefined || !key.startsWith(`${name}/`)) continue;
    config.virtualHosts.push(fromBinary(VirtualHostSchema, host.value));
    updatedMs = Math.max(updatedMs, host.updatedMs);
  }
  return { ...resource, active: { ...active, updatedMs, value: toBinary(RouteConfigurationSchema, config) } };
}

function inlineRouteConfigs({ filterChains }: Listener) {
  return filterChains
    .flatMap(({ filters }) => filters)
    .flatMap(({ configType }) => {
      const hcm =
        configType.case === "typedConfig" ? anyUnpack(configType.value, HttpConnectionManagerSchema) : undefined;
      return hcm?.routeSpecifier.case === "routeConfig" ? [hcm.routeSpecifier.value] : [];
    });
}
