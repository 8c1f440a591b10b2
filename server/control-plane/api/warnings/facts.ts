import { withoutZeroValues } from "../../../config/kinds/zero-values.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import { memo } from "../../../lib/memo.ts";
import { findDestinationRule, selectedRules } from "../../../model/destination-rules.ts";
import type { Gateway } from "../../../model/gateways.ts";
import { covers, isWildcard, resolveHost } from "../../../model/hostname.ts";
import { type Labels, matchesLabels } from "../../../model/labels.ts";
import { type Mesh, updateMesh } from "../../../model/mesh.ts";
import { isTcp } from "../../../model/protocol.ts";
import { visibleServices } from "../../../model/registry.ts";
import type { Service } from "../../../model/service.ts";
import type { Subset } from "../../../model/specs.ts";
import {
  gatewayName,
  isDelegate,
  meshGateway,
  rootsOf,
  type VirtualService,
  virtualServicesAmong,
} from "../../../model/virtual-service.ts";
import type { GatewayProxy } from "../context.ts";

/** A gateway proxy, as far as checks ask of it. */
export type GatewayClient = Pick<GatewayProxy, "namespace" | "labels">;

/** What the checks ask of a mesh. What a host means they ask of the model, as translation does: it depends on the namespace of the client, `viewer`. */
export interface Facts {
  readonly mesh: Mesh;
  /** Gateway proxies that are connected; undefined where nobody knows them. */
  readonly gatewayProxies: readonly GatewayClient[] | undefined;
  objects(kind: string): Iterable<ConfigObject>;
  /** Fully qualified, as a resource of the namespace means it. */
  resolve(host: string, namespace: string): string;
  /** What a client's call to the host, or a route's destination, is: no wildcard stands for it. */
  service(host: string, viewer: string): Service | undefined;
  /** Services that a client sees and that a host, exact or wildcard, takes in. */
  covered(host: string, viewer: string): readonly Service[];
  /** All that have the hostname, whoever sees them. */
  anywhere(host: string): readonly Service[];
  /** The subsets of the DestinationRule that is in force for the namespace's clients, and of those that are for some of them. */
  subsets(host: string, viewer: string): ReadonlyMap<string, Subset>;
  /** Hostnames of the registry, whoever sees them. */
  hostnames(): Iterable<string>;
  /** Labels of the service's endpoints, one entry per endpoint and port; empty when there are none. */
  endpoints(host: string, viewer: string): readonly Labels[];
  gateway(key: string): Gateway | undefined;
  /** As the model has it; undefined for one without hosts, which is nothing by itself. */
  virtualService(key: { namespace: string; name: string }): VirtualService | undefined;
  /** The VirtualService of a key as it is written. */
  delegate(key: string): ConfigObject | undefined;
  /** Those that hand over to a VirtualService without hosts. */
  rootsOf(delegate: ConfigObject): readonly ConfigObject[];
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

/** The mesh as it was before changes that it has in it. */
export const meshWithout = (mesh: Mesh, changes: readonly ConfigChange[]): Mesh =>
  updateMesh(mesh, changes.map(inverse), mesh.revision);

function inverse({ key, before, after }: ConfigChange): ConfigChange {
  if (before === undefined) return { type: "DELETED", key, ...(after && { before: after }) };
  return { type: after === undefined ? "ADDED" : "MODIFIED", key, before: after, after: before } as ConfigChange;
}

export function factsOf(mesh: Mesh, gatewayProxies: readonly GatewayClient[] | undefined): Facts {
  const { domain, rootNamespace } = mesh.options;
  const service = (host: string, viewer: string) => visibleServices(mesh.services, viewer).get(host);
  return {
    mesh,
    gatewayProxies,
    objects: (kind) => mesh.objects.get(kind)?.values() ?? [],
    resolve: (host, namespace) => resolveHost(host, namespace, domain),
    service,
    covered: (host, viewer) => coveredBy(mesh, host, viewer),
    anywhere: (host) => byHostname(mesh).get(host) ?? [],
    hostnames: () => byHostname(mesh).keys(),
    subsets(host, viewer) {
      const namespace = service(host, viewer)?.namespace;
      const rule = findDestinationRule(mesh.destinationRules, host, namespace, viewer, rootNamespace);
      // Clients that are selected may have others: which of them a route is for isn't told here.
      const selected = selectedRules(mesh.destinationRules, viewer, host).toReversed();
      const subsets = [...selected, ...(rule ? [rule] : [])].flatMap((one) => one.subsets);
      return new Map(subsets.map((subset) => [subset.name, subset]));
    },
    endpoints: (host, viewer) => endpointLabels(mesh, service(host, viewer)),
    virtualService: (key) => virtualServiceOf(mesh, key),
    delegate: (key) => mesh.objects.get("VirtualService")?.get(key),
    rootsOf: ({ metadata: { namespace, name } }) =>
      rootsOf(mesh.objects.get("VirtualService") ?? new Map(), `${namespace}/${name}`),
    servicesOf: (object) => byResource(mesh).get(formatKey(keyOf(object))) ?? [],
    tcpServices: (port) => byTcpPort(mesh).get(port) ?? [],
    gateway: (key) => mesh.gateways.find((gateway) => gateway.key === key),
  };
}

/** How many of a host's endpoints a subset stands for, to clients of a namespace. Without a subset all; of one that nobody knows none. */
export function countEndpoints(facts: Facts, host: string, subset: string | undefined, viewer: string): number {
  const endpoints = facts.endpoints(host, viewer);
  if (!subset) return endpoints.length;
  const found = facts.subsets(host, viewer).get(subset);
  return found ? endpoints.filter((own) => matchesLabels(found.labels ?? {}, own)).length : 0;
}

/**
 * The namespaces whose clients follow a VirtualService: its own, where it is for the mesh, and those of the proxies that serve its gateways; of a
 * gateway that nobody serves yet its own. A delegate is followed where its roots are.
 */
export function viewersOf(object: ConfigObject, facts: Facts): string[] {
  const { kind, metadata, spec } = object;
  if (kind === "VirtualService" && isDelegate(object)) {
    const viewers = facts.rootsOf(object).flatMap((root) => viewersOf(root, facts));
    return viewers.length > 0 ? [...new Set(viewers)] : [metadata.namespace];
  }
  const { gateways = [] } = spec as { gateways?: string[] };
  if (kind !== "VirtualService" || gateways.length === 0) return [metadata.namespace];
  const viewers = gateways.flatMap((name) => {
    if (name === meshGateway) return [metadata.namespace];
    const gateway = facts.gateway(gatewayName(name, metadata.namespace));
    if (gateway === undefined) return [];
    const serving = (facts.gatewayProxies ?? []).filter(({ labels }) => matchesLabels(gateway.selector, labels));
    return serving.length > 0 ? serving.map(({ namespace }) => namespace) : [gateway.namespace];
  });
  return viewers.length > 0 ? [...new Set(viewers)] : [metadata.namespace];
}

function coveredBy(mesh: Mesh, host: string, viewer: string): readonly Service[] {
  const visible = visibleServices(mesh.services, viewer);
  if (!isWildcard(host)) return [visible.get(host) ?? []].flat();
  return [...visible.values()].filter(({ hostname }) => covers(host, hostname));
}

const byHostname = ({ services }: Mesh): ReadonlyMap<string, readonly Service[]> =>
  memo(services, "by hostname", [], () => Map.groupBy(services.values(), ({ hostname }) => hostname));

const endpointLabels = (mesh: Mesh, service: Service | undefined): Labels[] =>
  [...(mesh.endpoints.get(service?.key ?? "")?.byPort.values() ?? [])].flat().map(({ labels }) => labels);

function virtualServiceOf(
  mesh: Mesh,
  { namespace, name }: { namespace: string; name: string },
): VirtualService | undefined {
  const objects = mesh.objects.get("VirtualService");
  return objects && virtualServicesAmong(objects, mesh.options.domain).get(`${namespace}/${name}`);
}

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
