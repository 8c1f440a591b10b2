import type { Metadata } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { ProxyResources } from "../translate/resources.ts";

/** Config paths (`/apis/networking.istio.io/v1/namespaces/…`) that a proxy's resources were made from. */
export function originsOf(resources: ProxyResources): ReadonlySet<string>[] {
  return [
    cached(resources.clusters, (cluster) => originOf(cluster.metadata)),
    cached(resources.virtualHosts, virtualHostOrigins),
    cached(resources.routes, (route) => route.virtualHosts.flatMap(virtualHostOrigins)),
  ];
}

const virtualHostOrigins = (host: VirtualHost): string[] =>
  [host.metadata, ...host.routes.map((route) => route.metadata)].flatMap(originOf);

/** A delegate's rule comes of two objects, of which the delegate is the first. */
function originOf(metadata: Metadata | undefined): string[] {
  const { config, root } = metadata?.filterMetadata.istio ?? {};
  return [config, root].filter((path) => typeof path === "string");
}

/** Maps that did not change are the same objects. */
const cache = new WeakMap<object, ReadonlySet<string>>();

function cached<T>(map: ReadonlyMap<string, T>, origins: (message: T) => string[]): ReadonlySet<string> {
  const known = cache.get(map);
  if (known) return known;
  const found = new Set([...map.values()].flatMap(origins));
  cache.set(map, found);
  return found;
}

/** The path that translation writes for an object of this kind; undefined for kinds that leave no trace in resources. */
export function configPathOf(key: { kind: string; namespace: string; name: string }): string | undefined {
  const kind = tracedKinds[key.kind];
  return kind && `/apis/networking.istio.io/v1/namespaces/${key.namespace}/${kind}/${key.name}`;
}

const tracedKinds: Record<string, string | undefined> = {
  VirtualService: "virtual-service",
  DestinationRule: "destination-rule",
};

/**
 * The config path of what a proxy complains of: of the very route, where its words name one (`virtual_hosts[0].routes[2]`), else the
 * first that the resource says.
 */
export function originIn(message: object, detail: string): string | undefined {
  const { virtualHosts, routes, metadata } = message as Partial<
    Pick<RouteConfiguration, "virtualHosts"> & Pick<VirtualHost, "routes" | "metadata">
  >;
  const host = virtualHosts?.[indexIn(detail, "virtual_hosts") ?? 0];
  if (host !== undefined) return originIn(host, detail);
  const route = routes?.[indexIn(detail, "routes") ?? 0];
  return [...originOf(route?.metadata), ...originOf(metadata)][0];
}

function indexIn(detail: string, list: string): number | undefined {
  const found = new RegExp(`\\b${list}\\[(\\d+)\\]`).exec(detail)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The object that a config path names; undefined where it names none of ours. */
export function objectAt(path: string): { kind: string; namespace: string; name: string } | undefined {
  const [, namespace, word, name] = /\/namespaces\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const kind = Object.keys(tracedKinds).find((one) => tracedKinds[one] === word);
  return namespace && name && kind ? { kind, namespace, name } : undefined;
}
