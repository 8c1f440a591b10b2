import type { Signals, WorkloadItem } from "../../server/contract/index.ts";

export const workloadKey = ({ namespace, name }: Pick<WorkloadItem, "namespace" | "name">): string =>
  `${namespace}/${name}`;

const badness: Record<WorkloadItem["health"], number> = { failing: 3, degraded: 2, healthy: 1, idle: 0 };

/** What is in trouble comes first, then what is busy. */
export const worstFirst = (a: WorkloadItem, b: WorkloadItem): number =>
  badness[b.health] - badness[a.health] ||
  (b.inbound?.errorShare ?? 0) - (a.inbound?.errorShare ?? 0) ||
  (b.inbound?.requestRate ?? 0) - (a.inbound?.requestRate ?? 0) ||
  (workloadKey(a) < workloadKey(b) ? -1 : 1);

/** Of what was not asked. */
export const silent: Signals = {
  requestRate: 0,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: null,
  latencyMsP90: null,
  latencyMsP95: null,
  latencyMsP99: null,
};
