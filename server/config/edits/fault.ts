import type { FaultRequest } from "../../contract/faults.ts";
import { told } from "../../contract/index.ts";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import { matchHeaderError } from "../kinds/fields.ts";
import type { HTTPRoute } from "../kinds/index.ts";
import { virtualService as virtualServiceKind } from "../kinds/virtual-service.ts";
import { sameJson } from "../plan-commit.ts";
import { type Limit, limitMatches, limitText } from "./fault-limit.ts";
import {
  carriers,
  copyName,
  copyOf,
  type FaultRecord,
  type FaultRecords,
  isLimited,
  isRuleOf,
  keyedRules,
  readRecords,
  toIstioFault,
  withRecords,
} from "./fault-record.ts";
import { isHostOf, type ServiceRef, shortHost, type VirtualService } from "./service-host.ts";

export interface FaultOrigin {
  /** Letters and digits; new. */
  id: string;
  /** Unix milliseconds. */
  now: number;
  author: string;
}

/** A VirtualService by which the service is entered, and which may be for others, too: only rules that send to it alone get the fault. */
export interface FaultEntrance {
  /** The gateways that are meant, where the VirtualService is in force at others, too. */
  gateways?: readonly string[];
}

/**
 * The VirtualService with the fault in it; made when there is none. Without a limit every rule that has no fault gets this one; for a
 * header or a caller, copies of the rules that also ask for it go before them. A fault that is there already stays.
 * Errors have the paths of the request.
 */
export function injectFault(
  current: VirtualService | undefined,
  service: ServiceRef,
  request: Pick<FaultRequest, "delay" | "abort" | "header" | "source" | "durationSec">,
  origin: FaultOrigin,
  entrance?: FaultEntrance,
): Result<VirtualService, FieldError> {
  const base = current ?? plainVirtualService(service);
  const records = readRecords(base);
  const record: FaultRecord = {
    service: service.name,
    namespace: service.namespace,
    delay: request.delay,
    abort: request.abort,
    header: request.header === null ? null : { ...request.header, name: request.header.name.toLowerCase() },
    ...(request.source && { source: request.source }),
    ...(entrance && { hostname: service.hostname }),
    ...(entrance?.gateways && { gateways: [...entrance.gateways] }),
    author: origin.author,
    startedAt: origin.now,
    endsAt: request.durationSec === null ? null : origin.now + request.durationSec * 1_000,
  };
  const refusal = refuse(base, service, records, record, origin.id);
  const { namespace } = base.metadata;
  if (refusal !== undefined) return fail(refusal);
  const rules = base.spec.http ?? [];
  const changed = isLimited(record)
    ? prependCopies(rules, records, record, origin.id, namespace)
    : setOnRules(rules, records, record, namespace);
  if (!changed.ok) return changed;
  const next: FaultRecords = { ...records, faults: { ...records.faults, [origin.id]: record } };
  if (current === undefined) next.created = true;
  return virtualServiceKind.parse(withRecords({ ...base, spec: { ...base.spec, http: changed.value } }, next));
}

/** Takes faults out again, whatever else was changed meanwhile: by Limpid's id, or `http-<index>` for one that was written by hand. */
export function removeFault(current: VirtualService, ...ids: string[]): Result<VirtualService | undefined, FieldError> {
  const records = readRecords(current);
  let rules = current.spec.http ?? [];
  const faults = { ...records.faults };
  for (const id of ids) {
    const record = Object.hasOwn(faults, id) ? faults[id] : undefined;
    if (record !== undefined) {
      rules = withoutRecorded(rules, records, id, record, current.metadata.namespace);
      delete faults[id];
      continue;
    }
    const index = /^http-(\d+)$/.exec(id)?.[1];
    // By the index in what was given, which the removal of copies above may have shifted.
    const byHand = index === undefined ? undefined : current.spec.http?.[Number(index)];
    if (byHand?.fault === undefined)
      return fail({ path: "id", ...told("no-fault", { id, object: current.metadata.name }) });
    rules = rules.map((rule) => (rule === byHand ? withoutFault(rule) : rule));
  }
  const next = withRecords({ ...current, spec: { ...current.spec, http: rules } }, { ...records, faults });
  const isLast = Object.keys(faults).length === 0;
  return ok(isLast && records.created && isPlain(rules) ? undefined : next);
}

function refuse(
  base: VirtualService,
  service: ServiceRef,
  records: FaultRecords,
  record: FaultRecord,
  id: string,
): FieldError | undefined {
  const path = "service";
  if (Object.hasOwn(records.faults, id)) return { path: "id", ...told("fault-there", { id }) };
  const others = (base.spec.hosts ?? []).filter((host) => !isHostOf(host, base.metadata.namespace, service));
  if (others.length > 0 && record.hostname === undefined) {
    return { path, ...told("fault-hosts", { name: base.metadata.name, hosts: others.join(", ") }) };
  }
  if (service.layer === "tcp") return { path, ...told("fault-connections", { name: service.name }) };
  if (base.spec.http === undefined) {
    return { path, ...told("fault-tcp", { name: base.metadata.name }) };
  }
  const badHeader = record.header === null ? undefined : matchHeaderError(record.header.name);
  if (badHeader !== undefined) return { path: "header.name", ...badHeader };
  const limitOf = ({ header, source, gateways }: FaultRecord): Limit => ({ header, source, gateways });
  const same = Object.entries(records.faults).find(
    ([, other]) => isLimited(record) && sameJson(limitOf(other), limitOf(record)) && other.hostname === record.hostname,
  );
  if (same !== undefined) {
    const id = same[0];
    if (record.header !== null) return { path: "header", ...told("fault-same-header", { id }) };
    if (record.source) return { path: "source", ...told("fault-same-caller", { id }) };
    return { path: "through", ...told("fault-same-gateway", { id }) };
  }
  return undefined;
}

function setOnRules(
  rules: HTTPRoute[],
  records: FaultRecords,
  record: FaultRecord,
  namespace: string,
): Result<HTTPRoute[], FieldError> {
  const fault = toIstioFault(record);
  const isFree = (rule: HTTPRoute) =>
    rule.fault === undefined && isRuleOf(rule, record, namespace) && copyOf(rule, records) === undefined;
  if (!rules.some(isFree)) {
    const why = rules.some((rule) => rule.fault !== undefined)
      ? told("fault-everywhere", {})
      : told("fault-no-route", {});
    return fail({ path: "service", ...why });
  }
  const kept = [...keyedRules(rules, records)].flatMap(([rule, key]) => (sameJson(rule.fault, fault) ? [key] : []));
  if (kept.length > 0) record.kept = kept;
  return ok(rules.map((rule) => (isFree(rule) ? { fault, ...rule } : rule)));
}

function prependCopies(
  rules: HTTPRoute[],
  records: FaultRecords,
  record: FaultRecord,
  id: string,
  namespace: string,
): Result<HTTPRoute[], FieldError> {
  const sources = rules.filter((rule) => copyOf(rule, records) === undefined);
  const copies = sources.flatMap((rule, index): HTTPRoute[] => {
    // An answer without a route can't have a fault, nor may another service's; but it keeps its place before the rules after it.
    const match = limitMatches(rule, record);
    if (match === undefined) return [];
    const copy: HTTPRoute = { ...rule, name: copyName(id, index), match };
    if (isRuleOf(rule, record, namespace)) copy.fault = toIstioFault(record);
    return [copy];
  });
  if (!copies.some((copy) => copy.fault !== undefined)) {
    return fail({
      path: record.header !== null ? "header" : record.source ? "source" : "through",
      ...told("fault-no-match", { what: limitText(record) }),
    });
  }
  return ok([...copies, ...rules]);
}

function withoutRecorded(
  rules: HTTPRoute[],
  records: FaultRecords,
  id: string,
  record: FaultRecord,
  namespace: string,
): HTTPRoute[] {
  if (isLimited(record)) return rules.filter((rule) => copyOf(rule, records)?.id !== id);
  const carrying = carriers(rules, records, record, namespace);
  return rules.map((rule) => (carrying.has(rule) ? withoutFault(rule) : rule));
}

function withoutFault(rule: HTTPRoute): HTTPRoute {
  const { fault: _, ...rest } = rule;
  return rest;
}

/** What a service without a VirtualService does, as a VirtualService. */
export function plainVirtualService(service: ServiceRef): VirtualService {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: service.ruleNames?.virtualService ?? service.name, namespace: service.namespace },
    spec: { hosts: [shortHost(service)], [service.layer ?? "http"]: plainRules(service) },
  };
}

/** Everything to the service, to all of its versions alike. */
export const plainRules = (service: ServiceRef) => [{ route: [{ destination: { host: shortHost(service) } }] }];

const isPlain = (rules: HTTPRoute[]): boolean =>
  rules.length === 1 &&
  rules.every((rule) => {
    const { route = [], ...rest } = rule;
    const only = route[0];
    return (
      Object.keys(rest).length === 0 &&
      route.length === 1 &&
      only?.destination.subset === undefined &&
      only?.headers === undefined
    );
  });
