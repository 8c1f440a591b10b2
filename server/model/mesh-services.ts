import { type HealthThresholds, healthAnnotations, usualThresholds } from "../config/health-annotations.ts";
import { memo } from "../lib/memo.ts";
import { findDestinationRule, selectedRules } from "./destination-rules.ts";
import type { Endpoint } from "./endpoints.ts";
import { foundOf } from "./health-checks.ts";
import { compare, covers } from "./hostname.ts";
import type { Mesh } from "./mesh.ts";
import type { Service } from "./service.ts";
import type { Subset } from "./specs.ts";
import { meshGateway, originOf } from "./virtual-service.ts";

/** A service for people: the dashboard's `MeshService` (server/contract/services.ts), which the model may not import. */
export interface MeshService {
  namespace: string;
  name: string;
  hostname: string;
  external: boolean;
  ports: { name: string; port: number; protocol: string }[];
  versions: ServiceVersion[];
  /** `<namespace>/<name>` of those that stand for its host in the mesh or send requests to it, oldest first, each before its delegates. */
  virtualServices: string[];
  /** `<namespace>/<name>` of the rule that the service's own namespace sees, and of those for some of its workloads. */
  destinationRules: string[];
  /** What its health is judged by, where annotations say so; shares, and milliseconds. */
  thresholds?: HealthThresholds;
}

export interface ServiceVersion {
  version: string;
  subset: string | null;
  workloads: string[];
  /** Canonical names of its workloads, by which telemetry knows them. */
  apps: string[];
  /** `health`: what probes found; absent where there are none. */
  endpoints: { address: string; port: number; workload: string; health?: "healthy" | "unhealthy"; group?: string }[];
}

/** Ordered by namespace and name. */
export function meshServices(mesh: Mesh): MeshService[] {
  return [...mesh.services.values()]
    .map((service) => describe(mesh, service))
    .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name) || compare(a.hostname, b.hostname));
}

function describe(mesh: Mesh, service: Service): MeshService {
  const { hostname, namespace } = service;
  const rule = findDestinationRule(mesh.destinationRules, hostname, namespace, namespace, mesh.options.rootNamespace);
  const endpoints = [...(mesh.endpoints.get(service.key)?.byPort.values() ?? [])].flat();
  const routed = mesh.virtualServices.all.flatMap((it) => {
    const leads = (rule: { route?: readonly { destination: { host: string } }[] | undefined }) =>
      rule.route?.some((route) => route.destination.host === hostname) ?? false;
    // At a gateway a host is what outside callers ask for: "*" there is not every service.
    const isFor = it.gateways.includes(meshGateway) && it.hosts.some((host) => covers(host, hostname));
    const delegated = it.http.flatMap((rule, place) => {
      const { source, root } = originOf(it, place);
      return root !== undefined && (isFor || leads(rule)) ? [source] : [];
    });
    return isFor || [...it.http, ...it.tcp, ...it.tls].some(leads) ? [it.source, ...delegated] : [];
  });
  return {
    namespace,
    name: service.name,
    hostname,
    external: service.external,
    ports: service.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    versions: versionsOf(endpoints, rule?.subsets ?? [], (endpoint) => foundOf(mesh, service, endpoint)),
    virtualServices: [...new Set(routed.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))],
    destinationRules: [...(rule ? [rule] : []), ...selectedRules(mesh.destinationRules, namespace, hostname)].map(
      (it) => `${it.namespace}/${it.name}`,
    ),
    ...thresholdsOf(mesh, service),
  };
}

/** Its own word goes before that of the mesh, figure by figure. */
function thresholdsOf({ settings }: Mesh, { source }: Service): { thresholds?: HealthThresholds } {
  const own = memo(source, "health", [], () => healthAnnotations(source.metadata.annotations).thresholds);
  const said = { ...settings.health, ...own };
  return Object.keys(said).length === 0 ? {} : { thresholds: { ...usualThresholds, ...said } };
}

function versionsOf(
  endpoints: readonly Endpoint[],
  subsets: readonly Subset[],
  healthOf: (endpoint: Endpoint) => boolean | undefined,
): ServiceVersion[] {
  const byVersion = Map.groupBy(endpoints, (endpoint) => endpoint.workload.canonicalRevision);
  return [...byVersion]
    .sort(([a], [b]) => compare(a, b))
    .map(([version, members]) => ({
      version,
      subset: subsetFor(subsets, version),
      workloads: [...new Set(members.map((it) => it.workload.name))].sort(compare),
      apps: [...new Set(members.map((it) => it.workload.canonicalService))].sort(compare),
      endpoints: members.map((it) => {
        const [{ address, port }, healthy] = [it, healthOf(it)];
        const found = healthy === undefined ? {} : { health: healthy ? ("healthy" as const) : ("unhealthy" as const) };
        const { name, group } = it.workload;
        return { address, port, workload: name, ...found, ...(group && { group }) };
      }),
    }));
}

/** The subset that selects exactly this version, by the `version` label alone. */
function subsetFor(subsets: readonly Subset[], version: string): string | null {
  const found = subsets.find((subset) => {
    const labels = Object.entries(subset.labels ?? {});
    return labels.length === 1 && labels[0]?.[0] === "version" && labels[0][1] === version;
  });
  return found?.name ?? null;
}
