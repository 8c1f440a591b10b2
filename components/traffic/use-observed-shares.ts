"use client";
import { ServiceMetrics } from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { useLive } from "../lib/live.ts";
import { type ObservedShares, observedSince } from "./observed-shares.ts";

/** What traffic does now, read every second: the thin bar has to follow the thick one. */
export function useObservedShares(
  service: { namespace: string; name: string },
  changedAt: number | null,
): ObservedShares | undefined {
  const { data } = useLive({
    queryKey: ["observed", service],
    read: (signal) =>
      getJson(
        ServiceMetrics,
        `/api/services/${encodeURIComponent(service.namespace)}/${encodeURIComponent(service.name)}/metrics?window=10`,
        signal,
      ),
    everyMs: 1000,
  });
  return data && observedSince(data, changedAt);
}
