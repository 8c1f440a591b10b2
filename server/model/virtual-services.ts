import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { covers, isWildcard, narrowerFirst, resolveHost } from "./hostname.ts";
import { olderFirst } from "./service.ts";
import type {
  Destination,
  HTTPMatchRequest,
  HTTPRoute,
  RouteDestination,
  TCPRoute,
  TLSRoute,
  VirtualServiceSpec,
} from "./specs.ts";
import { isVisible, nearestFirst } from "./visibility.ts";

/** The gateway name that stands for every sidecar. */
export const meshGateway = "mesh";

/** A VirtualService whose short names are resolved: hosts and destinations to FQDNs, gateways to `<namespace>/<name>`. */
export interface VirtualService {
  readonly name: string;
  readonly namespace: string;
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  readonly exportTo: readonly string[];
  readonly source: ConfigObject;
  readonly http: readonly HTTPRoute[];
  /** For ports that are neither HTTP nor TLS. */
  readonly tcp: readonly TCPRoute[];
  /** For HTTPS and TLS ports: passed through by server name. */
  readonly tls: readonly TLSRoute[];
}

export interface VirtualServiceIndex {
  /** Oldest first. */
  readonly all: readonly VirtualService[];
  /** By gateway, oldest first. */
  readonly byGateway: ReadonlyMap<string, readonly VirtualService[]>;
  /** Those bound to the mesh, by each exact host. */
  readonly exact: ReadonlyMap<string, readonly VirtualService[]>;
  /** Those bound to the mesh, by each wildcard host, narrowest first. */
  readonly wildcard: readonly WildcardHost[];
  /** Which labels and whether namespaces of sources are told apart: routes of proxies that agree in these are the same. */
  readonly sourceLabels: readonly string[];
}

interface WildcardHost {
  readonly host: string;
  readonly virtualService: VirtualService;
  readonly namespace: string;
  readonly exportTo: readonly string[];
}

export const indexVirtualServices = (objects: Iterable<ConfigObject>, domain: string): VirtualServiceIndex =>
  index([...objects].sort(olderFirst).map((object) => resolve(object, domain)));

/** As if there were no others. */
export const restrict = (of: VirtualServiceIndex, keep: (it: VirtualService) => boolean): VirtualServiceIndex =>
  index(of.all.filter(keep));

/** Oldest first. */
function index(all: readonly VirtualService[]): VirtualServiceIndex {
  const byGateway = new Map<string, VirtualService[]>();
  for (const virtualService of all) {
    for (const gateway of new Set(virtualService.gateways)) add(byGateway, gateway, virtualService);
  }
  const exact = new Map<string, VirtualService[]>();
  const wildcard: WildcardHost[] = [];
  for (const virtualService of byGateway.get(meshGateway) ?? []) {
    for (const host of new Set(virtualService.hosts)) {
      const { namespace, exportTo } = virtualService;
      if (isWildcard(host)) wildcard.push({ host, virtualService, namespace, exportTo });
      else add(exact, host, virtualService);
    }
  }
  // Stable: equally narrow ones keep the order of age.
  wildcard.sort((a, b) => narrowerFirst(a.host, b.host));
  return { all, byGateway, exact, wildcard, sourceLabels: sourceLabelsOf(all) };
}

/** Those of a gateway (or the mesh) that a client sees, in the order of their say. */
export const virtualServicesAt = (
  index: VirtualServiceIndex,
  gateway: string,
  clientNamespace: string,
): readonly VirtualService[] =>
  memo(index, `at ${gateway} ${clientNamespace}`, [], () =>
    nearestFirst(index.byGateway.get(gateway) ?? [], clientNamespace),
  );

/**
 * What may route a client's calls to a host, in the order of their say: those that name the host, nearest and oldest first, of which one
 * without a rule for the client gives way to the next; when there is none, the first of the narrowest wildcard.
 */
export function findVirtualServices(
  index: VirtualServiceIndex,
  host: string,
  clientNamespace: string,
): readonly VirtualService[] {
  const named = index.exact.get(host);
  // Most hosts have no rules, and are asked for with every change of some other's.
  if (!named && index.wildcard.length === 0) return none;
  const exact = nearestFirst(named ?? [], clientNamespace);
  if (exact.length > 0) return exact;
  const wildcards = index.wildcard.filter(
    (entry) => covers(entry.host, host) && isVisible(entry.exportTo, entry.namespace, clientNamespace),
  );
  const narrowest = wildcards.filter((entry) => entry.host === wildcards[0]?.host);
  return nearestFirst(narrowest, clientNamespace)
    .slice(0, 1)
    .map(({ virtualService }) => virtualService);
}

const none: readonly VirtualService[] = [];

const sourceLabelsOf = (all: readonly VirtualService[]): string[] =>
  [...new Set(all.flatMap((it) => sourceLabelKeys(it)))].sort();

export const sourceLabelKeys = (virtualService: VirtualService): readonly string[] =>
  memo(virtualService, "sourceLabels", [], () => [
    ...new Set(
      [...virtualService.http, ...virtualService.tcp, ...virtualService.tls]
        .flatMap((rule): { sourceLabels?: Record<string, string> }[] => rule.match ?? [])
        .flatMap((match) => Object.keys(match.sourceLabels ?? {})),
    ),
  ]);

function resolve(object: ConfigObject, domain: string): VirtualService {
  return memo(object, "virtual-service", [domain], () => {
    const spec = object.spec as unknown as VirtualServiceSpec;
    const { name, namespace } = object.metadata;
    const host = (it: string) => resolveHost(it, namespace, domain);
    return {
      name,
      namespace,
      hosts: spec.hosts.map(host),
      gateways: spec.gateways?.length ? spec.gateways.map((it) => gatewayName(it, namespace)) : [meshGateway],
      exportTo: spec.exportTo ?? [],
      source: object,
      http: (spec.http ?? []).map((http) => resolveRoute(http, namespace, host)),
      tcp: (spec.tcp ?? []).map((tcp) => resolveL4(tcp, namespace, host)),
      tls: (spec.tls ?? []).map((tls) => resolveL4(tls, namespace, host)),
    };
  });
}

function resolveRoute(http: HTTPRoute, namespace: string, host: (it: string) => string): HTTPRoute {
  const destination = (it: Destination): Destination => ({ ...it, host: host(it.host) });
  const match = (it: HTTPMatchRequest): HTTPMatchRequest =>
    it.gateways ? { ...it, gateways: it.gateways.map((name) => gatewayName(name, namespace)) } : it;
  return {
    ...http,
    ...(http.match && { match: http.match.map(match) }),
    ...(http.route && { route: http.route.map((it) => ({ ...it, destination: destination(it.destination) })) }),
    ...(http.mirror && { mirror: destination(http.mirror) }),
    ...(http.mirrors && { mirrors: http.mirrors.map((it) => ({ ...it, destination: destination(it.destination) })) }),
  };
}

function resolveL4<R extends TCPRoute | TLSRoute>(rule: R, namespace: string, host: (it: string) => string): R {
  const match = rule.match?.map((it) =>
    it.gateways ? { ...it, gateways: it.gateways.map((name) => gatewayName(name, namespace)) } : it,
  );
  const route = rule.route.map(
    (it): RouteDestination => ({ ...it, destination: { ...it.destination, host: host(it.destination.host) } }),
  );
  return { ...rule, ...(match && { match }), route };
}

/**
 * As `<namespace>/<name>`: `name` and `./name` are of the own namespace; `name.namespace`, with or without more after it, is the old way
 * to name another (Istio's `resolveGatewayName`).
 */
export function gatewayName(name: string, namespace: string): string {
  if (name === meshGateway) return name;
  if (name.includes("/")) return name.startsWith("./") ? `${namespace}${name.slice(1)}` : name;
  const [short, other = namespace] = name.split(".");
  return `${other}/${short}`;
}

function add<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
