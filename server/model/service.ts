import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { compare, resolveHost } from "./hostname.ts";
import { type Protocol, parseProtocol, portProtocol } from "./protocol.ts";
import type { ServiceEntrySpec, ServiceSpec } from "./specs.ts";

export type Resolution = "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "NONE";

/** One hostname of the registry, from a Service or a ServiceEntry; where its endpoints are is kept apart, in `ServiceEndpoints`. */
export interface Service {
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
  readonly source: ConfigObject;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** A number, a name that the workload's `ports` resolve, or the same as `port`. */
  readonly targetPort: number | string | undefined;
}

/** Service: the sole hostname is `<name>.<namespace>.svc.<domain>`. */
function servicesOf(object: ConfigObject, domain: string): readonly Service[] {
  return memo(object, "services", [domain], () =>
    object.kind === "Service" ? [fromService(object, domain)] : fromServiceEntry(object, domain),
  );
}

/** By hostname, sorted. Two resources that claim one hostname: the older keeps it, as Istio's docs have it for Services over ServiceEntries. */
export function indexServices(objects: Iterable<ConfigObject>, domain: string): ReadonlyMap<string, Service> {
  const all = [...objects].flatMap((object) => servicesOf(object, domain));
  all.sort((a, b) => compare(a.hostname, b.hostname) || byPrecedence(a, b));
  const index = new Map<string, Service>();
  for (const service of all) if (!index.has(service.hostname)) index.set(service.hostname, service);
  return index;
}

function byPrecedence(a: Service, b: Service): number {
  if (a.kind !== b.kind) return a.kind === "Service" ? -1 : 1;
  return olderFirst(a.source, b.source);
}

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
  return {
    hostname: resolveHost(name, namespace, domain),
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
    exportTo: (object.metadata.annotations?.["networking.istio.io/exportTo"] ?? "")
      .split(",")
      .map((to) => to.trim())
      .filter((to) => to !== ""),
    source: object,
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
  return spec.hosts.map((host) => ({
    hostname: resolveHost(host, object.metadata.namespace, domain),
    namespace: object.metadata.namespace,
    name: object.metadata.name,
    kind: "ServiceEntry",
    external: (spec.location ?? "MESH_EXTERNAL") === "MESH_EXTERNAL",
    resolution: spec.resolution ?? "NONE",
    ports,
    // A CIDR range cannot be a Host header.
    addresses: (spec.addresses ?? []).filter((address) => !address.includes("/")),
    exportTo: spec.exportTo ?? [],
    source: object,
  }));
}
