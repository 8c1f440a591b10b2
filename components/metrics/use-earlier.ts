"use client";
import type { MetricResult } from "../../server/contract/index.ts";
import { type Comparison, distanceSec, earlier, type TimeRange } from "../ui/time-range.ts";
import { type MetricQuery, useMetric } from "./metric-queries.ts";
import type { Earlier } from "./metric-view.tsx";

/** The same metric in the time that the shown one is compared with. It moves on with whole steps of the shown one. */
export function useEarlier(
  query: MetricQuery,
  range: TimeRange,
  comparison: Comparison | null,
  shown: MetricResult | undefined,
): Earlier | undefined {
  const endMs = shown ? shown.fromMs + (shown.groups[0]?.values.length ?? 0) * shown.stepSec * 1000 : 0;
  const other = earlier(range, comparison ?? "before", endMs);
  const { data } = useMetric(query, other, comparison !== null && endMs > 0);
  return comparison && data ? { result: data, distanceSec: distanceSec(comparison, range) } : undefined;
}
