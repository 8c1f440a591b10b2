import type { Destination, VirtualServiceSpec } from "../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../config/object.ts";
import { covers, isWildcard, resolveHost } from "../../model/hostname.ts";

const domain = "cluster.local";
const maxWarnings = 10;

/**
 * What is valid and yet hardly meant, of these objects among all that are stored: what Istio answers with 503, or takes no notice of. At
 * most ten. https://istio.io/latest/docs/ops/common-problems/network-issues/
 */
export function warningsOf(objects: readonly ConfigObject[], stored: readonly ConfigObject[]): string[] {
  const routes = objects.filter((object) => object.kind === "VirtualService");
  if (routes.length === 0) return [];
  const known = indexOf(stored);
  const found: string[] = [];
  for (const object of routes) {
    const spec = object.spec as unknown as VirtualServiceSpec;
    const name = objects.length > 1 ? `VirtualService ${object.metadata.name}: ` : "";
    for (const text of [...sharedHosts(object, spec, known), ...deadEnds(object, spec, known)]) {
      if (found.push(name + text) === maxWarnings) return found;
    }
  }
  return found;
}

interface Known {
  hosts: ReadonlySet<string>;
  wildcards: readonly string[];
  /** Names of subsets, by the host of their DestinationRules. */
  subsets: ReadonlyMap<string, ReadonlySet<string>>;
  /** VirtualServices for sidecars, by host. */
  routes: ReadonlyMap<string, readonly ConfigObject[]>;
}

function indexOf(stored: readonly ConfigObject[]): Known {
  const hosts = stored.flatMap(hostsOf);
  const subsets = new Map<string, Set<string>>();
  const routes = new Map<string, ConfigObject[]>();
  for (const object of stored) {
    const { kind, metadata, spec } = object;
    if (kind === "DestinationRule") {
      const host = resolveHost(String(spec.host), metadata.namespace, domain);
      const names = Array.isArray(spec.subsets) ? spec.subsets.map((it: { name?: unknown }) => String(it.name)) : [];
      subsets.set(host, new Set([...(subsets.get(host) ?? []), ...names]));
    }
    if (kind !== "VirtualService") continue;
    for (const host of sidecarHosts(object)) routes.set(host, [...(routes.get(host) ?? []), object]);
  }
  return { hosts: new Set(hosts), wildcards: hosts.filter(isWildcard), subsets, routes };
}

function hostsOf({ kind, metadata, spec }: ConfigObject): string[] {
  if (kind === "Service") return [`${metadata.name}.${metadata.namespace}.svc.${domain}`];
  if (kind !== "ServiceEntry" || !Array.isArray(spec.hosts)) return [];
  return spec.hosts.map((host) => String(host).toLowerCase());
}

function sidecarHosts({ metadata, spec }: ConfigObject): string[] {
  const { gateways, hosts } = spec as unknown as VirtualServiceSpec;
  return (gateways ?? ["mesh"]).includes("mesh")
    ? hosts.map((host) => resolveHost(host, metadata.namespace, domain))
    : [];
}

/** Sidecars follow one VirtualService for a host; only gateways merge several. */
function* sharedHosts(object: ConfigObject, spec: VirtualServiceSpec, { routes }: Known): Generator<string> {
  const own = formatKey(keyOf(object));
  for (const [index, host] of sidecarHosts({ ...object, spec: { ...spec } }).entries()) {
    const rival = routes.get(host)?.find((other) => formatKey(keyOf(other)) !== own);
    if (!rival) continue;
    const { namespace, name } = rival.metadata;
    yield `spec.hosts[${index}]: VirtualService ${namespace}/${name} has the host ${host}, too; sidecars follow the older of the two`;
  }
}

function* deadEnds({ metadata }: ConfigObject, spec: VirtualServiceSpec, known: Known): Generator<string> {
  for (const { path, destination } of destinationsOf(spec)) {
    const host = resolveHost(destination.host, metadata.namespace, domain);
    const { subset } = destination;
    if (!known.hosts.has(host) && !known.wildcards.some((wildcard) => covers(wildcard, host))) {
      yield `${path}.host: no Service or ServiceEntry has the host ${host}; what goes there is answered 503`;
    } else if (subset && !hasSubset(known, host, subset)) {
      yield `${path}.subset: no DestinationRule of ${host} has the subset ${subset}; what goes there is answered 503`;
    }
  }
}

function hasSubset({ subsets }: Known, host: string, subset: string): boolean {
  if (subsets.get(host)?.has(subset)) return true;
  return [...subsets].some(([pattern, names]) => isWildcard(pattern) && covers(pattern, host) && names.has(subset));
}

function* destinationsOf(spec: VirtualServiceSpec): Generator<{ path: string; destination: Destination }> {
  for (const [rule, http] of (spec.http ?? []).entries()) {
    for (const [index, { destination }] of (http.route ?? []).entries()) {
      yield { path: `spec.http[${rule}].route[${index}].destination`, destination };
    }
    for (const [index, { destination }] of (http.mirrors ?? []).entries()) {
      yield { path: `spec.http[${rule}].mirrors[${index}].destination`, destination };
    }
    if (http.mirror) yield { path: `spec.http[${rule}].mirror`, destination: http.mirror };
  }
}

/** The `Warning` header that kubectl prints: https://kubernetes.io/blog/2020/09/03/warnings/ */
export const warningHeader = (warnings: readonly string[]): Record<string, string> =>
  warnings.length === 0
    ? {}
    : { warning: warnings.map((text) => `299 - "${text.replace(/[\\"]/g, "\\$&")}"`).join(", ") };
