"use client";
import {
  CanaryList,
  ChangeList,
  DesignList,
  FaultList,
  GatewayList,
  Graph,
  LoadList,
  OutboundMetrics,
  Overview,
  ProxyList,
  PushHistory,
  PushStatus,
  RateLimitUses,
  RestartList,
  RetentionList,
  Routing,
  Saturation,
  ServiceList,
  ServiceMetrics,
  WorkloadList,
  WorkloadMetrics,
} from "../../server/contract/index.ts";
import { getJson, type Settled } from "./api.ts";
import { type Live, useLive } from "./live.ts";

const pace = 2000;
const slow = 10_000;

type From<T> = Settled<T> | undefined;

/** Live while `at` is null; a moment of the past does not change, and is read once. */
export const useGraph = (query: Range, initial?: From<Graph>, enabled = true): Live<Graph> =>
  useLive({
    queryKey: ["graph", query],
    read: (signal) => getJson(Graph, `/api/graph?${stretch(query)}`, signal),
    everyMs: paceOf(query),
    initial,
    enabled,
  });

/** Without a range: the last minute, and the last hour as charts. */
export const useOverview = (initial?: From<Overview>, range: Range | null = null, enabled = true): Live<Overview> =>
  useLive({
    queryKey: ["overview", range],
    read: (signal) => getJson(Overview, `/api/overview${range ? `?${stretch(range)}` : ""}`, signal),
    everyMs: paceOf(range),
    initial,
    enabled,
  });

interface Range {
  windowSec: number;
  /** Its end, Unix milliseconds; null: now. */
  at: number | null;
}
const stretch = ({ windowSec, at }: Range): string => `window=${windowSec}${at === null ? "" : `&at=${at}`}`;
/** What is past does not change; what is long hardly does. */
const paceOf = (range: Range | null): number | null =>
  range === null ? pace : range.at !== null ? null : range.windowSec > 3600 ? slow : pace;

export const useServices = (
  windowSec: number,
  initial?: From<ServiceList>,
  enabled = true,
  at: number | null = null,
): Live<ServiceList> =>
  useLive({
    queryKey: ["services", windowSec, at],
    read: (signal) => getJson(ServiceList, `/api/services?${stretch({ windowSec, at })}`, signal),
    everyMs: paceOf({ windowSec, at }),
    initial,
    enabled,
  });

export const useDesigns = (initial?: From<DesignList>): Live<DesignList> =>
  useLive({
    queryKey: ["designs"],
    read: (signal) => getJson(DesignList, "/api/designs", signal),
    everyMs: slow,
    initial,
  });

const servicePath = (namespace: string, name: string) =>
  `/api/services/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

export const useServiceMetrics = (
  { namespace, name, windowSec, at = null }: { namespace: string; name: string; windowSec: number; at?: number | null },
  initial?: From<ServiceMetrics>,
  enabled = true,
): Live<ServiceMetrics> =>
  useLive({
    queryKey: ["metrics", { namespace, name, windowSec, at }],
    read: (signal) =>
      getJson(ServiceMetrics, `${servicePath(namespace, name)}/metrics?${stretch({ windowSec, at })}`, signal),
    everyMs: paceOf({ windowSec, at }),
    initial,
    enabled,
  });

export const useOutbound = (
  query: { namespace: string; app: string; workload?: string },
  range: Range,
  enabled = true,
): Live<OutboundMetrics> =>
  useLive({
    queryKey: ["outbound", query, range],
    read: (signal) =>
      getJson(OutboundMetrics, `/api/outbound?${new URLSearchParams({ ...query })}&${stretch(range)}`, signal),
    everyMs: paceOf(range),
    enabled,
  });

export const useSaturation = (at: number | null = null, initial?: From<Saturation>): Live<Saturation> =>
  useLive({
    queryKey: ["saturation", at],
    read: (signal) => getJson(Saturation, `/api/saturation${at === null ? "" : `?at=${at}`}`, signal),
    everyMs: at === null ? slow : null,
    initial,
  });

export const useRouting = (
  query: { namespace: string; name: string },
  initial?: From<Routing>,
  enabled = true,
): Live<Routing> =>
  useLive({
    queryKey: ["routing", query],
    read: (signal) => getJson(Routing, `${servicePath(query.namespace, query.name)}/routing`, signal),
    everyMs: slow,
    initial,
    enabled,
  });

export const useFaults = (initial?: From<FaultList>): Live<FaultList> =>
  useLive({
    queryKey: ["faults"],
    read: (signal) => getJson(FaultList, "/api/faults", signal),
    everyMs: pace,
    initial,
  });

export const useGateways = (initial?: From<GatewayList>): Live<GatewayList> =>
  useLive({
    queryKey: ["gateways"],
    read: (signal) => getJson(GatewayList, "/api/gateways", signal),
    everyMs: slow,
    initial,
  });

export const useWorkloads = (range: Range, initial?: From<WorkloadList>, enabled = true): Live<WorkloadList> =>
  useLive({
    queryKey: ["workloads", range],
    read: (signal) => getJson(WorkloadList, `/api/workloads?${stretch(range)}`, signal),
    everyMs: paceOf(range),
    initial,
    enabled,
  });

export const useWorkloadMetrics = (query: Range & { namespace: string; name: string }): Live<WorkloadMetrics> =>
  useLive({
    queryKey: ["workload-metrics", query],
    read: (signal) =>
      getJson(
        WorkloadMetrics,
        `/api/workloads/${encodeURIComponent(query.namespace)}/${encodeURIComponent(query.name)}/metrics?${stretch(query)}`,
        signal,
      ),
    everyMs: paceOf(query),
  });

export const useCanaries = (): Live<CanaryList> =>
  useLive({
    queryKey: ["canaries"],
    read: (signal) => getJson(CanaryList, "/api/canaries", signal),
    everyMs: pace,
  });

export const useProxies = (initial?: From<ProxyList>, enabled = true): Live<ProxyList> =>
  useLive({
    queryKey: ["proxies"],
    read: (signal) => getJson(ProxyList, "/api/proxies", signal),
    everyMs: pace,
    initial,
    enabled,
  });

/** One push, followed closely until it is complete. */
export const usePush = (
  revision: number | "latest",
  everyMs: number | null = pace,
  enabled = true,
): Live<PushStatus | null> =>
  useLive({
    queryKey: ["push", revision],
    read: (signal) => getJson(PushStatus.nullable(), `/api/pushes/${revision}`, signal),
    everyMs,
    enabled,
  });

export const usePushHistory = (initial?: From<PushHistory>): Live<PushHistory> =>
  useLive({
    queryKey: ["pushes"],
    read: (signal) => getJson(PushHistory, "/api/pushes", signal),
    everyMs: pace,
    initial,
  });

export const useRestarts = (): Live<RestartList> =>
  useLive({
    queryKey: ["restarts"],
    read: (signal) => getJson(RestartList, "/api/restarts", signal),
    everyMs: slow,
  });

export const useLoads = (): Live<LoadList> =>
  useLive({ queryKey: ["loads"], read: (signal) => getJson(LoadList, "/api/loads", signal), everyMs: pace });

export const useRateLimits = (): Live<RateLimitUses> =>
  useLive({
    queryKey: ["rate-limits"],
    read: (signal) => getJson(RateLimitUses, "/api/rate-limits", signal),
    everyMs: pace,
  });

/** Newest first. `sinceMs` is rounded to the minute, so that the key does not change with every render. */
export const useChanges = (query: { sinceMs: number; limit: number }, initial?: From<ChangeList>): Live<ChangeList> => {
  const sinceMs = Math.floor(query.sinceMs / 60_000) * 60_000;
  return useLive({
    queryKey: ["changes", query.limit, sinceMs],
    read: (signal) => getJson(ChangeList, `/api/changes?since=${sinceMs}&limit=${query.limit}`, signal),
    everyMs: pace,
    initial,
  });
};

/** The history as it is asked for by the page's form: parameters of `/api/changes`. */
export const useHistory = (asked: Readonly<Record<string, string>>, initial?: From<ChangeList>): Live<ChangeList> =>
  useLive({
    queryKey: ["changes", asked],
    read: (signal) => getJson(ChangeList, `/api/changes?${new URLSearchParams(asked)}`, signal),
    everyMs: pace,
    initial,
  });

export const retentionKey = ["retention"];

export const useRetention = (): Live<RetentionList> =>
  useLive({
    queryKey: retentionKey,
    read: (signal) => getJson(RetentionList, "/api/retention", signal),
    everyMs: slow,
  });
