import type { Fault } from "../../contract/faults.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import type { HTTPFaultInjection, HTTPRoute } from "../kinds/index.ts";
import { describeMatch } from "./describe.ts";
import { limitMatch } from "./fault-limit.ts";
import { carriers, copyOf, type FaultRecord, isLimited, readRecords } from "./fault-record.ts";
import type { VirtualService } from "./service-host.ts";

/** Every fault in the VirtualServices, those that Limpid injected and those written by hand, in the objects' order. */
export const listFaults = (virtualServices: readonly VirtualService[]): Fault[] => virtualServices.flatMap(faultsOf);

/** Injected faults whose time is over, for `removeFault`; also those whose rules are gone, so that their records go too. */
export function expiredFaults(
  virtualServices: readonly VirtualService[],
  nowMs: number,
): { virtualService: VirtualService; ids: string[] }[] {
  return virtualServices.flatMap((virtualService) => {
    const ids = Object.entries(readRecords(virtualService).faults)
      .filter(([, record]) => record.endsAt !== null && record.endsAt <= nowMs)
      .map(([id]) => id);
    return ids.length > 0 ? [{ virtualService, ids }] : [];
  });
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

function faultsOf(virtualService: VirtualService): Fault[] {
  const records = readRecords(virtualService);
  const rules = virtualService.spec.http ?? [];
  const { namespace, name } = virtualService.metadata;
  const injected = new Map(
    Object.entries(records.faults).map(([id, record]) => {
      const own = isLimited(record)
        ? rules.filter((rule) => copyOf(rule, records)?.id === id)
        : carriers(rules, records, record);
      return [id, new Set(own)];
    }),
  );
  const faults = Object.entries(records.faults)
    .filter(([id]) => (injected.get(id)?.size ?? 0) > 0)
    .map(([id, record]) => fromRecord(virtualService, id, record));
  const isInjected = (rule: HTTPRoute) => [...injected.values()].some((own) => own.has(rule));
  rules.forEach((rule, index) => {
    if (rule.fault === undefined || isInjected(rule)) return;
    faults.push({
      id: `${namespace}/${name}/http-${index}`,
      namespace,
      service: virtualService.spec.hosts[0]?.split(".")[0] ?? name,
      virtualService: name,
      delay: delayOf(rule.fault),
      abort: abortOf(rule.fault),
      matches: (rule.match ?? []).map(describeMatch),
      author: null,
      startedAt: null,
      endsAt: null,
    });
  });
  return faults;
}

function fromRecord(virtualService: VirtualService, id: string, record: FaultRecord): Fault {
  const { namespace, name } = virtualService.metadata;
  return {
    id: `${namespace}/${name}/${id}`,
    namespace: record.namespace,
    service: record.service,
    virtualService: name,
    delay: record.delay,
    abort: record.abort,
    matches: isLimited(record) ? [describeMatch(limitMatch(record))] : [],
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

/** gRPC's own status comes in an answer of HTTP status 200. */
function abortOf({ abort }: HTTPFaultInjection): Fault["abort"] {
  if (abort === undefined) return null;
  return { percentage: abort.percentage?.value ?? 0, httpStatus: abort.httpStatus ?? 200 };
}
