import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { compare } from "./hostname.ts";
import { canonicalRevision, canonicalService, type Labels, matchesLabels } from "./labels.ts";
import { groupOf, isReady } from "./registered-workloads.ts";
import { partsOf, type Service, type ServicePort } from "./service.ts";
import type { ServiceEntrySpec, ServiceSpec, WorkloadEntrySpec } from "./specs.ts";

export interface Endpoint {
  /** An IP address, or with DNS resolution a hostname. */
  readonly address: string;
  readonly port: number;
  readonly labels: Labels;
  /** 1 unless told otherwise. */
  readonly weight: number;
  /** `region/zone/subzone`, or empty. */
  readonly locality: string;
  readonly workload: Workload;
  /** False: its own probe says that it is not well, or has not said yet that it is; it gets nothing. */
  readonly ready: boolean;
}

export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  /** Empty: not known. */
  readonly serviceAccount: string;
  /** The WorkloadGroup that its proxy registered it for; undefined: somebody wrote the entry. */
  readonly group: string | undefined;
}

/** Per service port the endpoints, ordered by address and port. */
export interface ServiceEndpoints {
  readonly hostname: string;
  readonly byPort: ReadonlyMap<number, readonly Endpoint[]>;
}

/** WorkloadEntries by `<namespace>/<key>=<value>` of each of their labels, so that a selector need not walk them all. */
export type WorkloadIndex = ReadonlyMap<string, readonly ConfigObject[]>;

export function indexWorkloads(objects: Iterable<ConfigObject>): WorkloadIndex {
  const byLabel = new Map<string, ConfigObject[]>();
  const sorted = [...objects].sort((a, b) => compare(a.metadata.name, b.metadata.name));
  for (const object of sorted) {
    for (const [key, value] of Object.entries(labelsOf(object))) {
      push(byLabel, `${object.metadata.namespace}/${key}=${value}`, object);
    }
  }
  return byLabel;
}

/** The endpoints of one hostname; the same object as before while every endpoint is. */
export function endpointsOf(service: Service, workloads: WorkloadIndex): ServiceEndpoints {
  const byPort = new Map(service.ports.map((port) => [port.port, resolvePort(service, port, workloads)]));
  const deps = [...byPort].flatMap(([port, endpoints]) => [port, ...endpoints]);
  return memo(service, "endpoints", deps, () => ({ hostname: service.hostname, byPort }));
}

/** Of every resource that has the port. */
function resolvePort(service: Service, port: ServicePort, workloads: WorkloadIndex): readonly Endpoint[] {
  const endpoints = partsOf(service).flatMap((part) =>
    part.ports.filter((own) => own.port === port.port).flatMap((own) => partEndpoints(part, own, workloads)),
  );
  endpoints.sort((a, b) => compare(a.address, b.address) || a.port - b.port);
  const several = service.parts.length > 0;
  // Two resources may name one workload, and it must not count twice.
  return several ? endpoints.filter((it, index) => !isSame(it, endpoints[index - 1])) : endpoints;
}

const isSame = (a: Endpoint, b: Endpoint | undefined): boolean => a.address === b?.address && a.port === b.port;

const partEndpoints = (part: Service, port: ServicePort, workloads: WorkloadIndex): readonly Endpoint[] =>
  part.kind === "Service"
    ? selected(part, (part.source.spec as ServiceSpec).selector, port, workloads)
    : entryEndpoints(part, port, workloads);

/** A Service without a selector has no endpoints of its own. */
function selected(
  service: Service,
  selector: Labels | undefined,
  port: ServicePort,
  workloads: WorkloadIndex,
): readonly Endpoint[] {
  const first = Object.entries(selector ?? {})[0];
  if (!selector || !first) return [];
  const candidates = workloads.get(`${service.namespace}/${first[0]}=${first[1]}`) ?? [];
  return candidates
    .filter((workload) => matchesLabels(selector, labelsOf(workload)))
    .flatMap((workload) => fromWorkload(workload, port) ?? []);
}

function entryEndpoints(service: Service, port: ServicePort, workloads: WorkloadIndex): readonly Endpoint[] {
  const spec = service.source.spec as unknown as ServiceEntrySpec;
  if (spec.workloadSelector) return selected(service, spec.workloadSelector.labels, port, workloads);
  if (spec.endpoints?.length) {
    return spec.endpoints.flatMap(
      (entry) =>
        memo(entry, `endpoint|${service.hostname}|${portKey(port)}`, [], () =>
          toEndpoint(entry, entry.labels ?? {}, { name: service.hostname, namespace: service.namespace }, port),
        ) ?? [],
    );
  }
  // Without endpoints the host itself is what DNS is asked for. https://istio.io/latest/docs/reference/config/networking/service-entry/#ServiceEntry-Resolution
  if (service.resolution === "STATIC" || service.hostname.startsWith("*")) return [];
  const own = { address: service.hostname };
  return [
    memo(service, `endpoint|${portKey(port)}`, [], () =>
      toEndpoint(own, {}, { name: service.hostname, namespace: service.namespace }, port),
    ),
  ].flatMap((endpoint) => endpoint ?? []);
}

function fromWorkload(object: ConfigObject, port: ServicePort): Endpoint | undefined {
  return memo(object, `endpoint|${portKey(port)}`, [], () =>
    toEndpoint(
      object.spec as WorkloadEntrySpec,
      labelsOf(object),
      {
        name: labelsOf(object)["service.istio.io/workload-name"] || object.metadata.name,
        namespace: object.metadata.namespace,
        group: groupOf(object),
        ready: isReady(object),
      },
      port,
    ),
  );
}

function toEndpoint(
  entry: WorkloadEntrySpec,
  labels: Labels,
  {
    name,
    namespace,
    group,
    ready = true,
  }: { name: string; namespace: string; group?: string | undefined; ready?: boolean },
  port: ServicePort,
): Endpoint | undefined {
  const number = targetPort(port, entry.ports ?? {});
  if (number === undefined || !entry.address) return undefined;
  return {
    address: entry.address,
    port: number,
    labels,
    weight: entry.weight || 1,
    locality: entry.locality ?? "",
    workload: {
      name,
      namespace,
      canonicalService: canonicalService(labels, name),
      canonicalRevision: canonicalRevision(labels),
      serviceAccount: entry.serviceAccount ?? "",
      group,
    },
    ready,
  };
}

/** The endpoint's port map by the service port's name, else `targetPort`, else the same port. https://istio.io/latest/docs/reference/config/networking/workload-entry/#WorkloadEntry */
function targetPort(port: ServicePort, ports: Readonly<Record<string, number>>): number | undefined {
  const named = ports[port.name];
  if (named !== undefined) return named;
  if (port.targetPort === undefined) return port.port;
  if (typeof port.targetPort === "number") return port.targetPort;
  return ports[port.targetPort] ?? (/^\d+$/.test(port.targetPort) ? Number(port.targetPort) : undefined);
}

/** Labels of a WorkloadEntry stand in its spec; those of its metadata count where the spec has none. */
export const labelsOf = (object: ConfigObject): Labels =>
  memo(object, "labels", [], () => ({ ...object.metadata.labels, ...(object.spec as WorkloadEntrySpec).labels }));

const portKey = (port: ServicePort): string => `${port.name}|${port.port}|${port.targetPort ?? ""}`;

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
