import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { compare, resolveHost } from "./hostname.ts";
import { type Protocol, parseProtocol, portProtocol } from "./protocol.ts";
import type { ServiceEntrySpec, ServiceSpec } from "./specs.ts";
import { isPublic } from "./visibility.ts";

export type TrafficDistribution = "PreferSameZone" | "PreferSameNode";

export type Resolution = "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "NONE";

/**
 * One hostname of one namespace, from a Service or ServiceEntries; where its endpoints are is kept apart, in `ServiceEndpoints`. Other
 * namespaces may have the hostname too: whose a client calls says `visibleServices`.
 */
export interface Service {
  /** Its place in the registry: unique, as the hostname alone is not. */
  readonly key: string;
  readonly hostname: string;
  readonly namespace: string;
  /** The resource's name; several hostnames of one ServiceEntry share it. */
  readonly name: string;
  readonly kind: "Service" | "ServiceEntry";
  readonly external: boolean;
  readonly resolution: Resolution;
  readonly ports: readonly ServicePort[];
  /** Virtual IPs by which it may be called too. */
  readonly addresses: readonly string[];
  readonly exportTo: readonly string[];
  /** Which endpoints a client is to prefer; undefined: any. */
  readonly trafficDistribution: TrafficDistribution | undefined;
  /** The resource that named it: of several the first. */
  readonly source: ConfigObject;
  /** What each resource says of the hostname, where there are several; none: the service is all of one. */
  readonly parts: readonly Service[];
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** A number, a name that the workload's `ports` resolve, or the same as `port`. */
  readonly targetPort: number | string | undefined;
}

/** Service: the sole hostname is `<name>.<namespace>.svc.<domain>`. */
export function servicesOf(object: ConfigObject, domain: string): readonly Service[] {
  return memo(object, "services", [domain], () =>
    object.kind === "Service" ? [fromService(object, domain)] : fromServiceEntry(object, domain),
  );
}

/** The resources that make a service up, the one that named it first. */
export const partsOf = (service: Service): readonly Service[] => (service.parts.length > 0 ? service.parts : [service]);

/** The order in which Istio merges resources: by creation time, then name, then namespace. */
export function olderFirst(a: ConfigObject, b: ConfigObject): number {
  return (
    compare(a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? "") ||
    compare(a.metadata.name, b.metadata.name) ||
    compare(a.metadata.namespace, b.metadata.namespace)
  );
}

function fromService(object: ConfigObject, domain: string): Service {
  const spec = object.spec as ServiceSpec;
  const { name, namespace } = object.metadata;
  const hostname = resolveHost(name, namespace, domain);
  const exportTo = (object.metadata.annotations?.["networking.istio.io/exportTo"] ?? "")
    .split(",")
    .map((to) => to.trim())
    .filter((to) => to !== "");
  return {
    key: keyOf(namespace, hostname, exportTo),
    hostname,
    namespace,
    name,
    kind: "Service",
    external: false,
    resolution: "STATIC",
    ports: (spec.ports ?? []).map((port) => ({
      name: port.name ?? "",
      port: port.port,
      protocol: portProtocol(port),
      targetPort: port.targetPort,
    })),
    addresses: spec.clusterIP && spec.clusterIP !== "None" ? [spec.clusterIP] : [],
    exportTo,
    trafficDistribution: trafficDistribution(object),
    source: object,
    parts: [],
  };
}

function fromServiceEntry(object: ConfigObject, domain: string): readonly Service[] {
  const spec = object.spec as unknown as ServiceEntrySpec;
  const ports = (spec.ports ?? []).map((port) => ({
    name: port.name,
    port: port.number,
    protocol: parseProtocol(port.protocol),
    targetPort: port.targetPort,
  }));
  const { namespace } = object.metadata;
  const exportTo = spec.exportTo ?? [];
  const hostnames = [...new Set(spec.hosts.map((host) => resolveHost(host, namespace, domain)))];
  return hostnames.map((hostname) => ({
    key: keyOf(namespace, hostname, exportTo),
    hostname,
    namespace,
    name: object.metadata.name,
    kind: "ServiceEntry",
    external: (spec.location ?? "MESH_EXTERNAL") === "MESH_EXTERNAL",
    resolution: spec.resolution ?? "NONE",
    ports,
    // A CIDR range cannot be a Host header.
    addresses: (spec.addresses ?? []).filter((address) => !address.includes("/")),
    exportTo,
    trafficDistribution: trafficDistribution(object),
    source: object,
    parts: [],
  }));
}

/** The field, else Istio's annotation in any case of letters. https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-distribution */
function trafficDistribution({ spec, metadata }: ConfigObject): TrafficDistribution | undefined {
  const said = spec.trafficDistribution ?? metadata.annotations?.["networking.istio.io/traffic-distribution"] ?? "";
  switch (String(said).toLowerCase()) {
    case "preferclose":
    case "prefersamezone":
      return "PreferSameZone";
    case "prefersamenode":
      return "PreferSameNode";
    default:
      return undefined;
  }
}

/** Resources that are seen by different namespaces are different services. */
function keyOf(namespace: string, hostname: string, exportTo: readonly string[]): string {
  const seenBy = isPublic(exportTo) ? "" : ` (${[...exportTo].sort(compare).join()})`;
  return `${namespace}/${hostname}${seenBy}`;
}
