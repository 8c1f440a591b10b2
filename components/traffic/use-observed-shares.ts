"use client";
import { ServiceMetrics } from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { useLive } from "../lib/live.ts";

/** Each version's share of the last 10 s, 0..1, read every second: the thin bar has to follow the thick one. */
export const useObservedShares = (service: { namespace: string; name: string }): Record<string, number> | undefined =>
  useLive({
    queryKey: ["observed", service],
    read: (signal) =>
      getJson(
        ServiceMetrics,
        `/api/services/${encodeURIComponent(service.namespace)}/${encodeURIComponent(service.name)}/metrics?window=10`,
        signal,
      ),
    everyMs: 1000,
  }).data?.observedShares;
