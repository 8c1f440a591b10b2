import { conditionsOf } from "../../contract/conditions.ts";
import type { Fault, FaultSource } from "../../contract/faults.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import type { HTTPFaultInjection, HTTPRoute } from "../kinds/index.ts";
import { describeMatch } from "./describe.ts";
import { limitMatch } from "./fault-limit.ts";
import { carriers, copyOf, type FaultRecord, type FaultRecords, isLimited, readRecords } from "./fault-record.ts";
import { reachOf, type ServiceRef, type VirtualService } from "./service-host.ts";

/** `services`: of the registry, so that a fault can name the one whose requests it hits. Every fault in the VirtualServices, those that Limpid injected and those written by hand, in the objects' order. */
export function listFaults(virtualServices: readonly VirtualService[], services: readonly ServiceRef[] = []): Fault[] {
  const registry = new Map(services.map((service) => [service.hostname, service]));
  const faults: Fault[] = [];
  const injected = new Map<string, Fault>();
  const reach = reachOf(virtualServices);
  for (const virtualService of virtualServices) {
    for (const fault of faultsOf(virtualService, reach(virtualService), registry)) {
      // One that was put into several objects at once is one fault.
      const id = fault.author === null ? undefined : fault.id.split("/")[2];
      const twin = id === undefined ? undefined : injected.get(id);
      if (twin) {
        twin.through = [...new Set([...twin.through, ...fault.through])];
        twin.hosts = [...new Set([...twin.hosts, ...fault.hosts])];
        continue;
      }
      if (id !== undefined) injected.set(id, fault);
      faults.push(fault);
    }
  }
  return faults;
}

export interface ExpiredFaults {
  virtualService: VirtualService;
  ids: string[];
  /** Whose faults they are; a gateway's VirtualService has another name. */
  services: string[];
}

/** Injected faults whose time is over, for `removeFault`; also those whose rules are gone, so that their records go too. */
export function expiredFaults(virtualServices: readonly VirtualService[], nowMs: number): ExpiredFaults[] {
  return virtualServices.flatMap((virtualService) => {
    const over = Object.entries(readRecords(virtualService).faults).filter(
      ([, { endsAt }]) => endsAt !== null && endsAt <= nowMs,
    );
    const services = new Set(over.map(([, { service }]) => service));
    return over.length > 0 ? [{ virtualService, ids: over.map(([id]) => id), services: [...services] }] : [];
  });
}

/** The rules of injected faults that end by themselves, by their place, and the fault's id. */
export function fusedRules(virtualService: VirtualService): ReadonlyMap<number, string> {
  const records = readRecords(virtualService);
  const fused = Object.entries(records.faults).filter(([, { endsAt }]) => endsAt !== null);
  if (fused.length === 0) return new Map();
  const rules = virtualService.spec.http ?? [];
  const places = fused.flatMap(([id, record]) =>
    [...rulesOf(virtualService, id, record, records)].map((rule) => [rules.indexOf(rule), id] as const),
  );
  return new Map(places);
}

/** When the next injected fault ends, in Unix milliseconds. */
export function nextFaultEnd(virtualServices: readonly VirtualService[]): number | undefined {
  const ends = virtualServices.flatMap((virtualService) =>
    Object.values(readRecords(virtualService).faults).flatMap((record) => record.endsAt ?? []),
  );
  return ends.length > 0 ? Math.min(...ends) : undefined;
}

/** Takes `<namespace>/<virtual service>/<id>` apart. */
export function parseFaultId(id: string): { namespace: string; virtualService: string; id: string } | undefined {
  const [namespace, virtualService, short, extra] = id.split("/");
  if (!namespace || !virtualService || !short || extra !== undefined) return undefined;
  return { namespace, virtualService, id: short };
}

type Registry = ReadonlyMap<string, ServiceRef>;

type Reach = ReturnType<ReturnType<typeof reachOf>>;

function faultsOf(virtualService: VirtualService, reach: Reach, registry: Registry): Fault[] {
  const records = readRecords(virtualService);
  const rules = virtualService.spec.http ?? [];
  const { namespace, name } = virtualService.metadata;
  const injected = new Map(
    Object.entries(records.faults).map(([id, record]) => [id, rulesOf(virtualService, id, record, records)]),
  );
  const faults = Object.entries(records.faults)
    .filter(([id]) => (injected.get(id)?.size ?? 0) > 0)
    .map(([id, record]) => fromRecord(virtualService, { id, record, reach }, registry));
  const isInjected = (rule: HTTPRoute) => [...injected.values()].some((own) => own.has(rule));
  rules.forEach((rule, index) => {
    if (rule.fault === undefined || isInjected(rule)) return;
    faults.push({
      id: `${namespace}/${name}/http-${index}`,
      ...placeOf(virtualService, reach, victimOf(virtualService, reach.hosts, rule, registry)),
      virtualService: name,
      delay: delayOf(rule.fault),
      abort: abortOf(rule.fault),
      matches: (rule.match ?? []).map(describeMatch),
      conditions: (rule.match ?? []).map(conditionsOf),
      source: sourceOf(rule, namespace),
      author: null,
      startedAt: null,
      endsAt: null,
    });
  });
  return faults;
}

/** The rules that have an injected fault: copies that it is limited to, or those that it was put into. */
function rulesOf({ metadata, spec }: VirtualService, id: string, record: FaultRecord, records: FaultRecords) {
  const rules = spec.http ?? [];
  return isLimited(record)
    ? new Set(rules.filter((rule) => copyOf(rule, records)?.id === id))
    : carriers(rules, records, record, metadata.namespace);
}

/** Whose requests a rule is about: the service that callers name, else, behind a gateway, the one service that the rule sends to. */
function victimOf(
  { metadata }: VirtualService,
  hosts: readonly string[],
  rule: HTTPRoute,
  registry: Registry,
): ServiceRef | undefined {
  const find = (host: string): ServiceRef | undefined =>
    registry.get(host) ?? [...shortNames(host, metadata.namespace)].flatMap((name) => registry.get(name) ?? [])[0];
  const called = hosts.length === 1 ? find(hosts[0] ?? "") : undefined;
  if (called !== undefined) return called;
  const targets = new Set((rule.route ?? []).map(({ destination }) => destination.host));
  return targets.size === 1 ? find([...targets][0] ?? "") : undefined;
}

/** What a Kubernetes service's short name may stand for. */
function* shortNames(host: string, namespace: string): Generator<string> {
  if (!host.includes(".")) yield `${host}.${namespace}.svc.cluster.local`;
  else if (host.endsWith(".svc")) yield `${host}.cluster.local`;
  else yield `${host}.svc.cluster.local`;
}

/** The caller that each of a rule's matches asks for. Istio: source labels without a namespace are of the rule's own. */
function sourceOf({ match = [] }: HTTPRoute, namespace: string): FaultSource | null {
  const sources = match.map(({ sourceLabels: { app, version } = {}, sourceNamespace }) =>
    app === undefined ? null : { namespace: sourceNamespace ?? namespace, app, version: version ?? null },
  );
  const [first = null] = sources;
  return first !== null && sources.every((source) => JSON.stringify(source) === JSON.stringify(first)) ? first : null;
}

type Place = Pick<Fault, "namespace" | "service" | "hostname" | "hosts" | "through">;

function placeOf({ metadata }: VirtualService, { hosts, through }: Reach, service: ServiceRef | undefined): Place {
  return {
    namespace: service?.namespace ?? metadata.namespace,
    service: service?.name ?? hosts[0] ?? metadata.name,
    hostname: service?.hostname ?? null,
    hosts,
    through: [...through],
  };
}

function fromRecord(
  virtualService: VirtualService,
  { id, record, reach }: { id: string; record: FaultRecord; reach: Reach },
  registry: Registry,
): Fault {
  const { namespace, name } = virtualService.metadata;
  const known = [...registry.values()].find(
    (it) => it.namespace === record.namespace && (it.name === record.service || it.hostname === record.service),
  );
  const limits = isLimited(record) ? [limitMatch(record)] : [];
  return {
    id: `${namespace}/${name}/${id}`,
    ...placeOf(virtualService, reach, known),
    namespace: record.namespace,
    service: record.service,
    virtualService: name,
    delay: record.delay,
    abort: record.abort && { ...record.abort, grpcStatus: null },
    matches: limits.map(describeMatch),
    conditions: limits.map(conditionsOf),
    source: record.source ?? null,
    author: record.author,
    startedAt: record.startedAt,
    endsAt: record.endsAt,
  };
}

/** A fault without a percentage hits nothing. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection-Delay */
function delayOf({ delay }: HTTPFaultInjection): Fault["delay"] {
  if (delay === undefined) return null;
  return {
    percentage: delay.percentage?.value ?? delay.percent ?? 0,
    fixedDelayMs: parseGoDuration(delay.fixedDelay ?? "0") ?? 0,
  };
}

function abortOf({ abort }: HTTPFaultInjection): Fault["abort"] {
  if (abort === undefined) return null;
  const { percentage, httpStatus = null, grpcStatus = null } = abort;
  return { percentage: percentage?.value ?? 0, httpStatus, grpcStatus };
}
