"use client";
import { MetricCatalog, type MetricFunction, MetricResult } from "../../server/contract/index.ts";
import { getJson, type Settled } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";
import type { TimeRange } from "../ui/time-range.ts";

const everyMs = 10_000;

export const useMetricCatalog = (initial?: Settled<MetricCatalog>): Live<MetricCatalog> =>
  useLive({
    queryKey: ["metric-catalog"],
    read: (signal) => getJson(MetricCatalog, "/api/metrics", signal),
    everyMs: 30_000,
    initial,
  });

export interface MetricQuery {
  name: string;
  fn?: MetricFunction | undefined;
  by?: readonly string[];
  service?: string | undefined;
  instance?: string | undefined;
  /** Only series that have these labels. */
  where?: Readonly<Record<string, string>> | undefined;
}

export const metricParams = (
  { name, fn, by = [], service, instance, where = {} }: MetricQuery,
  range: TimeRange,
): string => {
  const only = Object.entries(where).map(([label, value]) => `${label}=${value}`);
  const lists = { by: by.join(","), where: only.join(",") };
  const asked = { name, fn, ...lists, service, instance, window: String(range.windowSec) };
  const params = new URLSearchParams(Object.entries(asked).filter((entry): entry is [string, string] => !!entry[1]));
  if (range.at !== null) params.set("at", String(range.at));
  return params.toString();
};

export function useMetric(query: MetricQuery, range: TimeRange, enabled = true): Live<MetricResult> {
  const params = metricParams(query, range);
  return useLive({
    queryKey: ["metric", params],
    read: (signal) => getJson(MetricResult, `/api/metrics/query?${params}`, signal),
    everyMs: range.at === null ? everyMs : null,
    enabled,
  });
}
