import { TrafficDirection } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { Listener } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { VirtualHost } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { memo } from "../../lib/memo.ts";
import { patchesFor } from "../../model/envoy-filters.ts";
import type { Mesh } from "../../model/mesh.ts";
import type { MeshProxy } from "../../model/proxy.ts";
import type { ProxyResources, TimedResources } from "../resources.ts";
import { workloadOf } from "../targets.ts";
import { patchCluster } from "./cluster-patches.ts";
import { patchListener } from "./listener-patches.ts";
import { isAddedIn, type Patch, type PatchContext, type PatchSet, patchSet } from "./patch-set.ts";
import { addedVirtualHosts, patchRouteConfiguration, patchVirtualHost } from "./route-patches.ts";

/**
 * What a proxy is to hold after the EnvoyFilters that are for it. Maps and messages that no patch touches are the very same objects, and
 * so are patched ones of the same patches: identity stays the signal of change.
 * https://istio.io/latest/docs/reference/config/networking/envoy-filter/
 */
export function patched(mesh: Mesh, proxy: MeshProxy, resources: TimedResources): TimedResources {
  if (mesh.envoyFilters.size === 0) return resources;
  const patches = patchesFor(mesh.envoyFilters, mesh.options.rootNamespace, proxy, workloadOf(mesh, proxy));
  if (patches.length === 0) return resources;
  const set = patchSet(patches);
  const contexts: readonly PatchContext[] =
    proxy.type === "router" ? ["GATEWAY"] : ["SIDECAR_INBOUND", "SIDECAR_OUTBOUND"];
  const outbound: PatchContext = proxy.type === "router" ? "GATEWAY" : "SIDECAR_OUTBOUND";
  const contextOf = (isInbound: boolean): PatchContext =>
    isInbound && proxy.type === "sidecar" ? "SIDECAR_INBOUND" : outbound;
  const listenerContext = ({ trafficDirection }: Listener) => contextOf(trafficDirection === TrafficDirection.INBOUND);
  return {
    ...resources,
    listeners: withAdded(
      mapValues(resources.listeners, set, `listeners ${outbound}`, (it) => patchListener(it, set, listenerContext(it))),
      set,
      "listeners",
      added(set.listeners, contexts).map((it) => [it.name, it]),
    ),
    routes: mapValues(resources.routes, set, `routes ${outbound}`, (it) => patchRouteConfiguration(it, set, outbound)),
    virtualHosts: patchedVirtualHosts(resources, set, outbound),
    clusters: withAdded(
      mapValues(resources.clusters, set, `clusters ${outbound}`, (it) =>
        patchCluster(it, set.clusters, contextOf(it.name.startsWith("inbound|"))),
      ),
      set,
      "clusters",
      added(set.clusters, contexts).map((it) => [it.name, it]),
    ),
    extensionConfigs: withAdded(
      resources.extensionConfigs,
      set,
      "extension-configs",
      added(set.extensionConfigs, contexts).map((it) => [it.name, it]),
    ),
  };
}

const added = <T>(patches: readonly Patch<T>[], contexts: readonly PatchContext[]): T[] =>
  patches.flatMap((patch) =>
    patch.operation === "ADD" && patch.value !== undefined && contexts.some((context) => isAddedIn(patch, context))
      ? [patch.value]
      : [],
  );

/** Keyed `<route configuration>/<virtual host>`, which is where an added one goes, too. */
function patchedVirtualHosts(
  { routes, virtualHosts }: ProxyResources,
  set: PatchSet,
  context: PatchContext,
): ReadonlyMap<string, VirtualHost> {
  const tableOf = (key: string) => key.slice(0, key.indexOf("/"));
  const kept = mapValues(virtualHosts, set, `virtual-hosts ${context}`, (host, key) =>
    patchVirtualHost(host, tableOf(key), set, context),
  );
  const more = [...routes.values()].flatMap(({ name, vhds }) =>
    vhds
      ? addedVirtualHosts(name, set, context).map((host): [string, VirtualHost] => [`${name}/${host.name}`, host])
      : [],
  );
  return withAdded(kept, set, "virtual-hosts", more);
}

/** Undefined: left out. `change` must read nothing but the value, the key, and what `set` and `what` stand for. */
function mapValues<V extends object>(
  map: ReadonlyMap<string, V>,
  set: PatchSet,
  what: string,
  change: (value: V, key: string) => V | undefined,
): ReadonlyMap<string, V> {
  return memo(map, `patched ${what}`, [set], () => {
    let changed = false;
    const entries = [...map].flatMap(([key, value]): [string, V][] => {
      const next = memo(value, `patched ${what} ${key}`, [set], () => change(value, key));
      changed ||= next !== value;
      return next === undefined ? [] : [[key, next]];
    });
    return changed ? new Map(entries) : map;
  });
}

const withAdded = <V>(
  map: ReadonlyMap<string, V>,
  set: PatchSet,
  what: string,
  more: readonly (readonly [string, V])[],
): ReadonlyMap<string, V> =>
  more.length === 0
    ? map
    : memo(map, `added ${what} ${more.map(([name]) => name).join(" ")}`, [set], () => new Map([...map, ...more]));
