import { z } from "zod";
import { Gaps } from "./gaps.ts";

export const metricKinds = ["gauge", "counter", "histogram"] as const;
export const MetricKind = z.enum(metricKinds);
export type MetricKind = z.infer<typeof MetricKind>;

/** What can be asked of each kind; the first is what is shown unasked. */
export const metricFunctions = {
  gauge: ["sum", "avg", "max", "min"],
  counter: ["rate", "increase"],
  histogram: ["p95", "p50", "p90", "p99", "mean", "rate"],
} as const;
export const MetricFunction = z.enum([
  "sum",
  "avg",
  "max",
  "min",
  "rate",
  "increase",
  "p50",
  "p90",
  "p95",
  "p99",
  "mean",
]);
export type MetricFunction = z.infer<typeof MetricFunction>;

/** Of every series, beside its labels. */
export const seriesLabels = ["service", "instance"] as const;

/** One metric by its name, over all its series. */
export const MetricInfo = z.object({
  name: z.string(),
  kind: MetricKind,
  /** UCUM, as OTLP has it; empty where nobody said. */
  unit: z.string(),
  description: z.string(),
  /** Who told it: a proxy of itself, the supervisor of processes, or an application. */
  from: z.enum(["proxy", "process", "application"]),
  series: z.number(),
  services: z.array(z.string()),
  /** What it can be grouped by, beside `service` and `instance`. */
  labels: z.array(z.string()),
});
export type MetricInfo = z.infer<typeof MetricInfo>;

/** `GET /api/metrics`: every metric there is, by name. `full`: there are more series than are looked at. */
export const MetricCatalog = z.object({ metrics: z.array(MetricInfo), full: z.boolean() });
export type MetricCatalog = z.infer<typeof MetricCatalog>;

export const MetricGroup = z.object({
  /** The labels that it was grouped by; none: all together. */
  labels: z.record(z.string(), z.string()),
  /** One per step; null where nothing was told. */
  values: z.array(z.number().nullable()),
  /** How many series it is made of. */
  series: z.number(),
  latest: z.number().nullable(),
  mean: z.number().nullable(),
  max: z.number().nullable(),
});
export type MetricGroup = z.infer<typeof MetricGroup>;

/** `GET /api/metrics/query?name=&fn=&by=a,b&service=&instance=&where=label=value,…&window=&at=&step=` */
export const MetricResult = z.object({
  name: z.string(),
  kind: MetricKind,
  fn: MetricFunction,
  /** Of the values: of quantiles of times always `ms`; per second where `fn` is `rate`. */
  unit: z.string(),
  fromMs: z.number(),
  stepSec: z.number(),
  gaps: Gaps,
  /** The largest first. */
  groups: z.array(MetricGroup),
  /** How many smaller groups are left out. */
  more: z.number(),
});
export type MetricResult = z.infer<typeof MetricResult>;
