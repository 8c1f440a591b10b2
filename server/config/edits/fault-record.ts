import { z } from "zod";
import type { HTTPFaultInjection, HTTPRoute } from "../kinds/index.ts";
import { sameJson } from "../plan-commit.ts";
import { isHostOf, type VirtualService } from "./service-host.ts";

export const faultsAnnotation = "limpid.dev/faults";

/** What Limpid has to know about a fault that it injected, beyond Istio's own fields. */
const FaultRecord = z.object({
  service: z.string(),
  namespace: z.string(),
  delay: z.object({ percentage: z.number(), fixedDelayMs: z.number() }).nullable(),
  abort: z.object({ percentage: z.number(), httpStatus: z.number() }).nullable(),
  header: z.object({ name: z.string(), exact: z.string() }).nullable(),
  source: z.object({ namespace: z.string(), app: z.string(), version: z.string().nullable() }).optional(),
  /** Gateways that it is limited to, where the VirtualService is in force elsewhere, too. */
  gateways: z.array(z.string()).optional(),
  /** In a VirtualService that is for several services: the host of this one, whose rules alone have the fault. */
  hostname: z.string().optional(),
  author: z.string(),
  startedAt: z.number(),
  endsAt: z.number().nullable(),
  /** Rules that had this very fault before, by the keys of `keyedRules`: they are somebody else's. */
  kept: z.array(z.string()).optional(),
});
export type FaultRecord = z.infer<typeof FaultRecord>;

const FaultRecords = z.object({
  faults: z.record(z.string(), FaultRecord),
  /** The VirtualService was made for a fault, and goes with the last one if nobody has changed it. */
  created: z.literal(true).optional(),
});
export type FaultRecords = z.infer<typeof FaultRecords>;

/** The records in the annotation; one that can't be read counts as none. */
export function readRecords(virtualService: VirtualService): FaultRecords {
  const text = virtualService.metadata.annotations?.[faultsAnnotation];
  if (text === undefined) return { faults: {} };
  try {
    const parsed = FaultRecords.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : { faults: {} };
  } catch {
    return { faults: {} };
  }
}

/** Whether something is written in it of faults that Limpid put there. */
export const hasRecords = ({ metadata }: Pick<VirtualService, "metadata">): boolean =>
  metadata.annotations?.[faultsAnnotation] !== undefined;

/** Whether Limpid put the fault of this id into it. */
export const hasFault = (virtualService: VirtualService, id: string): boolean =>
  Object.hasOwn(readRecords(virtualService).faults, id);

/** The object with other records; without any, also without a trace of them. */
export function withRecords(virtualService: VirtualService, records: FaultRecords): VirtualService {
  const { [faultsAnnotation]: _, ...others } = virtualService.metadata.annotations ?? {};
  const annotations =
    Object.keys(records.faults).length > 0 ? { ...others, [faultsAnnotation]: JSON.stringify(records) } : others;
  const { annotations: __, ...metadata } = virtualService.metadata;
  return {
    ...virtualService,
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
  };
}

/** Whether it hits some requests of a rule only, and so lives in copies of the rules. */
export const isLimited = ({ header, source, gateways }: Pick<FaultRecord, "header" | "source" | "gateways">): boolean =>
  header !== null || source !== undefined || gateways !== undefined;

/** Whether all that a rule does is to send to the record's service. Without a host of its own any rule with a route is meant, or with a delegate, whose rules take the fault over. */
export function isRuleOf({ route = [], delegate }: HTTPRoute, record: FaultRecord, namespace: string): boolean {
  const { hostname } = record;
  if (route.length === 0) return delegate !== undefined && hostname === undefined;
  if (hostname === undefined) return true;
  const service = { namespace: record.namespace, name: record.service, hostname };
  return route.every(({ destination }) => isHostOf(destination.host, namespace, service));
}

export const copyName = (id: string, index: number): string => `limpid-fault-${id}-${index}`;

/** The recorded fault that a rule is a limited copy for, and the position of its source among the rules that are none. */
export function copyOf(rule: HTTPRoute, records: FaultRecords): { id: string; source: number } | undefined {
  const [, id, source] = /^limpid-fault-(.+)-(\d+)$/.exec(rule.name ?? "") ?? [];
  if (id === undefined || !Object.hasOwn(records.faults, id)) return undefined;
  return { id, source: Number(source) };
}

/** The rules that are no copies, each with a key that lasts when its weights, timeouts or faults change: name, match, and which one of those alike. */
export function keyedRules(rules: readonly HTTPRoute[], records: FaultRecords): Map<HTTPRoute, string> {
  const counts = new Map<string, number>();
  const keys = new Map<HTTPRoute, string>();
  for (const rule of rules) {
    if (copyOf(rule, records) !== undefined) continue;
    const alike = JSON.stringify([rule.name ?? null, rule.match ?? []]);
    const count = counts.get(alike) ?? 0;
    counts.set(alike, count + 1);
    keys.set(rule, `${count} ${alike}`);
  }
  return keys;
}

/**
 * The rules that have a recorded fault without a limit. A fault that somebody changed since is theirs, and so is one from before.
 * `namespace`: of the VirtualService.
 */
export function carriers(
  rules: readonly HTTPRoute[],
  records: FaultRecords,
  record: FaultRecord,
  namespace: string,
): Set<HTTPRoute> {
  const fault = toIstioFault(record);
  const kept = new Set(record.kept);
  const keyed = [...keyedRules(rules, records)];
  const isCarrier = (rule: HTTPRoute, key: string): boolean =>
    sameJson(rule.fault, fault) && !kept.has(key) && isRuleOf(rule, record, namespace);
  return new Set(keyed.filter(([rule, key]) => isCarrier(rule, key)).map(([rule]) => rule));
}

/** The fault as Istio writes it. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection */
export function toIstioFault(record: Pick<FaultRecord, "delay" | "abort">): HTTPFaultInjection {
  const fault: HTTPFaultInjection = {};
  if (record.delay !== null) {
    const { percentage, fixedDelayMs } = record.delay;
    fault.delay = { percentage: { value: percentage }, fixedDelay: formatDelay(fixedDelayMs) };
  }
  if (record.abort !== null) {
    fault.abort = { percentage: { value: record.abort.percentage }, httpStatus: record.abort.httpStatus };
  }
  return fault;
}

const formatDelay = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);
