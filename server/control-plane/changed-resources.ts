import type { ProxyResources } from "../translate/resources.ts";

/** What of `after` a proxy that holds `before` would be sent; nothing where both are the same objects. */
export const changedResources = (before: ProxyResources, after: ProxyResources): ProxyResources => ({
  listeners: changed(before.listeners, after.listeners),
  routes: changed(before.routes, after.routes),
  virtualHosts: changed(before.virtualHosts, after.virtualHosts),
  clusters: changed(before.clusters, after.clusters),
  endpoints: changed(before.endpoints, after.endpoints),
  extensionConfigs: changed(before.extensionConfigs, after.extensionConfigs),
  runtimes: changed(before.runtimes, after.runtimes),
});

function changed<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  if (before === after) return new Map();
  return new Map([...after].filter(([name, message]) => before.get(name) !== message));
}
