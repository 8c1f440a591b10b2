import { withoutZeroValues } from "../../../config/kinds/zero-values.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import { memo } from "../../../lib/memo.ts";
import type { Gateway } from "../../../model/gateways.ts";
import { covers, isWildcard, resolveHost } from "../../../model/hostname.ts";
import { type Labels, matchesLabels } from "../../../model/labels.ts";
import { type Mesh, updateMesh } from "../../../model/mesh.ts";
import { isTcp } from "../../../model/protocol.ts";
import type { Service } from "../../../model/service.ts";
import type { DestinationRuleSpec, Subset } from "../../../model/specs.ts";

/** What the checks ask of a mesh. */
export interface Facts {
  readonly mesh: Mesh;
  objects(kind: string): Iterable<ConfigObject>;
  /** Fully qualified, as a resource of the namespace means it. */
  resolve(host: string, namespace: string): string;
  /** Whether a Service or a ServiceEntry has the host, or a wildcard that covers it; a wildcard: whether it covers one. */
  isKnown(host: string): boolean;
  /** The subsets that DestinationRules of any namespace give a host; the first of a name counts. */
  subsets(host: string): ReadonlyMap<string, Subset>;
  /** Hostnames of the registry, whoever sees them. */
  hostnames(): Iterable<string>;
  /** Labels of the host's endpoints in all namespaces that have it, one entry per endpoint and port; empty when it has none. */
  endpoints(host: string): readonly Labels[];
  gateway(key: string): Gateway | undefined;
  /** What a Service or ServiceEntry makes. */
  servicesOf(object: ConfigObject): readonly Service[];
  /** Services with a port of this number that is neither HTTP nor TLS. */
  tcpServices(port: number): readonly Service[];
}

/** The mesh with the changes in it; the same one when it has them already, as after a commit. */
export function meshWith(mesh: Mesh, changes: readonly ConfigChange[]): Mesh {
  const hasAll = changes.every(({ key, after }) => {
    const known = mesh.objects.get(key.kind)?.get(`${key.namespace}/${key.name}`);
    return after === undefined ? known === undefined : known === withoutZeroValues(after);
  });
  return hasAll ? mesh : updateMesh(mesh, changes, mesh.revision);
}

export function factsOf(mesh: Mesh): Facts {
  const { domain } = mesh.options;
  return {
    mesh,
    objects: (kind) => mesh.objects.get(kind)?.values() ?? [],
    resolve: (host, namespace) => resolveHost(host, namespace, domain),
    hostnames: () => byHostname(mesh).keys(),
    isKnown: (host) => isKnown(mesh, host),
    subsets: (host) => subsetsOf(mesh, host),
    endpoints: (host) => endpointLabels(mesh, host),
    servicesOf: (object) => byResource(mesh).get(formatKey(keyOf(object))) ?? [],
    tcpServices: (port) => byTcpPort(mesh).get(port) ?? [],
    gateway: (key) => mesh.gateways.find((gateway) => gateway.key === key),
  };
}

/** How many of a host's endpoints a subset stands for. Without a subset, or with one that nobody knows the labels of: all, or none. */
export function countEndpoints(facts: Facts, host: string, subset: string | undefined): number {
  const endpoints = facts.endpoints(host);
  if (!subset) return endpoints.length;
  const labels = facts.subsets(host).get(subset)?.labels;
  if (!facts.subsets(host).has(subset)) return 0;
  return endpoints.filter((own) => matchesLabels(labels ?? {}, own)).length;
}

function isKnown(mesh: Mesh, host: string): boolean {
  const hostnames = byHostname(mesh);
  if (hostnames.has(host)) return true;
  const wildcards = memo(mesh.services, "wildcards", [], () => [...hostnames.keys()].filter(isWildcard));
  if (wildcards.some((wildcard) => covers(wildcard, host))) return true;
  return isWildcard(host) && [...hostnames.keys()].some((known) => covers(host, known));
}

/** Several namespaces may have one host; which of them a client means is its affair, and here any of them will do. */
const byHostname = ({ services }: Mesh): ReadonlyMap<string, readonly Service[]> =>
  memo(services, "by hostname", [], () => Map.groupBy(services.values(), ({ hostname }) => hostname));

const endpointLabels = (mesh: Mesh, host: string): Labels[] =>
  (byHostname(mesh).get(host) ?? [])
    .flatMap(({ key }) => [...(mesh.endpoints.get(key)?.byPort.values() ?? [])].flat())
    .map(({ labels }) => labels);

const byResource = ({ services }: Mesh): ReadonlyMap<string, readonly Service[]> =>
  memo(services, "by resource", [], () =>
    Map.groupBy(services.values(), ({ kind, namespace, name }) => formatKey({ kind, namespace, name })),
  );

const byTcpPort = ({ services }: Mesh): ReadonlyMap<number, readonly Service[]> =>
  memo(services, "by TCP port", [], () => {
    const index = new Map<number, Service[]>();
    for (const service of services.values()) {
      for (const { port, protocol } of service.ports) {
        if (isTcp(protocol)) index.set(port, [...(index.get(port) ?? []), service]);
      }
    }
    return index;
  });

interface SubsetIndex {
  exact: ReadonlyMap<string, Map<string, Subset>>;
  wildcard: readonly (readonly [string, Map<string, Subset>])[];
}

function subsetsOf(mesh: Mesh, host: string): ReadonlyMap<string, Subset> {
  const { exact, wildcard } = memo(mesh.destinationRules, "subsets", [mesh.options.domain], () => indexSubsets(mesh));
  const own = exact.get(host);
  const wide = wildcard.filter(([pattern]) => covers(pattern, host));
  if (wide.length === 0) return own ?? none;
  return new Map([...wide.flatMap(([, subsets]) => [...subsets]), ...(own ?? [])]);
}

const none: ReadonlyMap<string, Subset> = new Map();

function indexSubsets(mesh: Mesh): SubsetIndex {
  const hosts = new Map<string, Map<string, Subset>>();
  for (const { metadata, spec } of mesh.objects.get("DestinationRule")?.values() ?? []) {
    const { host, subsets = [] } = spec as unknown as DestinationRuleSpec;
    const name = resolveHost(host, metadata.namespace, mesh.options.domain);
    const known = hosts.get(name) ?? new Map<string, Subset>();
    hosts.set(name, known);
    for (const subset of subsets) if (!known.has(subset.name)) known.set(subset.name, subset);
  }
  return { exact: hosts, wildcard: [...hosts].filter(([host]) => isWildcard(host)) };
}
