import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { compare } from "./hostname.ts";
import { olderFirst, type Service, type ServicePort, servicesOf } from "./service.ts";
import { isPublic, nearestFirst } from "./visibility.ts";

/** Every service of the mesh by key, in order of hostname, then namespace. */
export type ServiceRegistry = ReadonlyMap<string, Service>;

/** Services that somebody sees, by hostname, sorted: what a hostname means to one client. */
export type VisibleServices = ReadonlyMap<string, Service>;

/** Resources of one namespace that claim one hostname for the same clients become one service. */
export function indexServices(objects: Iterable<ConfigObject>, domain: string): ServiceRegistry {
  const claims = Map.groupBy(
    [...objects].flatMap((object) => servicesOf(object, domain)),
    ({ key }) => key,
  );
  const services = [...claims.values()].flatMap((parts) => merge(parts.sort(byPrecedence)) ?? []);
  services.sort(
    (a, b) => compare(a.hostname, b.hostname) || compare(a.namespace, b.namespace) || compare(a.key, b.key),
  );
  return new Map(services.map((service) => [service.key, service]));
}

/** A Service before the ServiceEntries that claim its host, as nobody may take a name by being there before it. */
function byPrecedence(a: Service, b: Service): number {
  if (a.kind !== b.kind) return a.kind === "Service" ? -1 : 1;
  return olderFirst(a.source, b.source);
}

/**
 * The first has its say; ports, and for each port endpoints, add up (Istio's `appendSidecarServices` and its endpoint shards). One that
 * resolves its endpoints in another way has no part in it: a cluster has one way.
 */
function merge([first, ...others]: readonly Service[]): Service | undefined {
  const more = others.filter((it) => it.resolution === first?.resolution);
  if (!first || more.length === 0) return first;
  const parts = [first, ...more];
  return memo(first, "merged", more, () => {
    const ports = new Map<number, ServicePort>();
    for (const port of parts.flatMap((part) => part.ports)) if (!ports.has(port.port)) ports.set(port.port, port);
    const addresses = [...new Set(parts.flatMap((part) => part.addresses))];
    return { ...first, ports: [...ports.values()], addresses, parts };
  });
}

/**
 * What a client of a namespace means by each hostname. Of several namespaces' services that it sees, its own's goes first, then a
 * Service's, then the nearest and oldest (Istio's `selectServices`). Namespaces to which nothing of it is special share one map.
 * `isAsked` takes some of them only, and is remembered by the caller.
 */
export function visibleServices(
  registry: ServiceRegistry,
  namespace: string,
  isAsked?: (service: Service) => boolean,
): VisibleServices {
  if (isAsked) return askedServices(registry, namespace, isAsked);
  return memo(registry, `visible ${namespace}`, [], () => {
    const { byHostname, contested } = hostnamesOf(registry);
    const choices = new Map(contested.map((host) => [host, choose(byHostname.get(host) ?? [], namespace)]));
    const isSpecial = [...choices].some(([host, service]) => choose(byHostname.get(host) ?? [], "") !== service);
    if (namespace !== "" && !isSpecial) return visibleServices(registry, "");
    const visible = new Map<string, Service>();
    for (const [hostname, [first]] of byHostname) {
      const service = choices.has(hostname) ? choices.get(hostname) : first;
      if (service) visible.set(hostname, service);
    }
    return visible;
  });
}

/** Only of those that are asked for is one chosen. */
function askedServices(
  registry: ServiceRegistry,
  namespace: string,
  isAsked: (service: Service) => boolean,
): VisibleServices {
  const visible = new Map<string, Service>();
  for (const [hostname, all] of hostnamesOf(registry).byHostname) {
    const service = choose(all.filter(isAsked), namespace);
    if (service) visible.set(hostname, service);
  }
  return visible;
}

interface Hostnames {
  byHostname: ReadonlyMap<string, readonly Service[]>;
  /** Those that don't mean the same to every client. */
  contested: readonly string[];
}

const hostnamesOf = (registry: ServiceRegistry): Hostnames =>
  memo(registry, "hostnames", [], () => {
    const byHostname = Map.groupBy(registry.values(), ({ hostname }) => hostname);
    const contested = [...byHostname].filter(([, all]) => all.length > 1 || all.some((it) => !isPublic(it.exportTo)));
    return { byHostname, contested: contested.map(([hostname]) => hostname) };
  });

function choose(all: readonly Service[], namespace: string): Service | undefined {
  const [first, ...others] = nearestFirst(
    [...all].sort((a, b) => olderFirst(a.source, b.source)),
    namespace,
  );
  if (!first) return undefined;
  const seen = [first, ...others];
  const own = seen.filter((it) => it.namespace === namespace);
  const pool = own.length > 0 ? own : seen;
  return pool.find(({ kind }) => kind === "Service") ?? pool[0];
}
