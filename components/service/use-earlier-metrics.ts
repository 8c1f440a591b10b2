"use client";
import type { ServiceMetrics } from "../../server/contract/index.ts";
import { useServiceMetrics } from "../lib/queries.ts";
import { type Comparison, distanceSec, earlier, type TimeRange } from "../ui/time-range.ts";

export interface Compared {
  service: { namespace: string; name: string };
  range: TimeRange;
  comparison: Comparison | null;
}

/** The same service in the time that the shown one is compared with. It moves on with the shown one's steps. */
export function useEarlierMetrics(
  { service, range, comparison }: Compared,
  shown: ServiceMetrics,
): { metrics: ServiceMetrics; distanceSec: number } | undefined {
  const endMs = shown.fromMs + shown.windowSec * 1000;
  const other = earlier(range, comparison ?? "before", endMs);
  const { data } = useServiceMetrics({ ...service, ...other }, undefined, comparison !== null);
  return comparison && data ? { metrics: data, distanceSec: distanceSec(comparison, range) } : undefined;
}
