import {
  type MetricCatalog,
  type MetricFunction,
  type MetricGroup,
  type MetricInfo,
  type MetricResult,
  metricFunctions,
} from "../contract/index.ts";
import { LatencySketch } from "../lib/latency-sketch.ts";
import type { Steps } from "./ranges.ts";
import type { MetricRow, MetricSeriesRow, TelemetryReader } from "./reader.ts";

/** Which series, and how they are put together. */
export interface MetricQuestion {
  name: string;
  fn?: MetricFunction | undefined;
  /** Labels, `service` or `instance`; what has all of them alike is one group. */
  by: readonly string[];
  service?: string | undefined;
  instance?: string | undefined;
  /** Only series that have these labels. */
  where?: Readonly<Record<string, string>> | undefined;
}

/** Charts of more lines than these tell nothing. */
const mostGroups = 20;
const mostSeries = 20_000;

/** Every metric there is, by name. */
export async function metricCatalog(reader: Pick<TelemetryReader, "metricSeries">): Promise<MetricCatalog> {
  const series = await reader.metricSeries({ limit: mostSeries });
  const byName = Map.groupBy(series, ({ name }) => name);
  const metrics = [...byName].map(([name, rows]) => infoOf(name, rows));
  return { metrics: metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1)), full: series.length === mostSeries };
}

function infoOf(name: string, rows: readonly MetricSeriesRow[]): MetricInfo {
  const [first] = rows;
  const unique = (values: Iterable<string>) => [...new Set(values)].toSorted();
  return {
    name,
    kind: first?.kind ?? "gauge",
    unit: first?.unit ?? "",
    description: rows.find(({ description }) => description)?.description ?? "",
    from: sourceOf(name),
    series: rows.length,
    services: unique(rows.map(({ service }) => service)),
    labels: unique(rows.flatMap(({ labels }) => Object.keys(labels))),
  };
}

const sourceOf = (name: string): MetricInfo["from"] =>
  name.startsWith("envoy_") || name.startsWith("limpid.load.")
    ? "proxy"
    : name.startsWith("process.")
      ? "process"
      : "application";

/** A metric over time, by groups. Null: there is none of that name. */
export async function metricGroups(
  reader: Pick<TelemetryReader, "metrics" | "metricSeries">,
  steps: Steps,
  question: MetricQuestion,
): Promise<MetricResult | null> {
  const { name, service, instance, where = {} } = question;
  const found = await reader.metricSeries({ name, limit: mostSeries });
  const [first] = found;
  const kind = first?.kind ?? "gauge";
  if (first === undefined) return null;
  const fns: readonly MetricFunction[] = metricFunctions[kind];
  const fn = question.fn && fns.includes(question.fn) ? question.fn : (fns[0] ?? "sum");
  const series = found.filter(
    ({ labels, kind: own, ...one }) =>
      own === kind &&
      (service === undefined || one.service === service) &&
      (instance === undefined || one.instance === instance) &&
      Object.entries(where).every(([key, value]) => labels[key] === value),
  );
  const rows = await rowsOf(reader, steps, series);
  const groups = [...Map.groupBy(series, (one) => JSON.stringify(question.by.map((label) => labelOf(one, label))))].map(
    ([, members]) => groupOf(members, question.by, rows, steps, fn),
  );
  const { window } = steps;
  const sorted = groups
    .filter(({ values }) => values.some((value) => value !== null))
    .toSorted((a, b) => (b.mean ?? 0) - (a.mean ?? 0));
  return {
    name,
    kind,
    fn,
    unit: unitOf(first.unit, kind, fn),
    fromMs: window.fromMs,
    stepSec: window.stepSec,
    groups: sorted.slice(0, mostGroups),
    more: Math.max(0, sorted.length - mostGroups),
  };
}

const labelOf = ({ service, instance, labels }: MetricSeriesRow, label: string): string =>
  label === "service" ? service : label === "instance" ? instance : (labels[label] ?? "");

/** What is stored of the spread of seconds is in thousandths of them. */
function unitOf(unit: string, kind: string, fn: MetricFunction): string {
  if (kind !== "histogram") return unit;
  if (fn === "rate") return "1";
  return unit === "s" ? (fn === "mean" ? "s" : "ms") : unit;
}

type RowsBySeries = ReadonlyMap<number, readonly MetricRow[]>;

export async function rowsOf(
  reader: Pick<TelemetryReader, "metrics">,
  { window: { fromMs, toMs }, readStep }: Steps,
  series: readonly MetricSeriesRow[],
): Promise<RowsBySeries> {
  const rows = await reader.metrics({
    fromMs,
    toMs,
    stepSec: readStep === 1 ? 10 : readStep,
    series: series.map(({ id }) => id),
  });
  return Map.groupBy(rows, ({ series: id }) => id);
}

function groupOf(
  members: readonly MetricSeriesRow[],
  by: readonly string[],
  rows: RowsBySeries,
  { window: { fromMs, toMs, stepSec } }: Steps,
  fn: MetricFunction,
): MetricGroup {
  const count = Math.round((toMs - fromMs) / (stepSec * 1000));
  const cells: MetricRow[][][] = Array.from({ length: count }, () => []);
  for (const { id } of members) {
    const steps = Map.groupBy(rows.get(id) ?? [], ({ atMs }) => Math.floor((atMs - fromMs) / (stepSec * 1000)));
    for (const [step, some] of steps) cells[step]?.push(some);
  }
  const values = cells.map((cell) => (cell.length === 0 ? null : stepValue(cell, fn, stepSec)));
  const told = values.filter((value) => value !== null);
  const [first] = members;
  return {
    labels: Object.fromEntries(by.map((label) => [label, first ? labelOf(first, label) : ""])),
    values,
    series: members.length,
    latest: told.at(-1) ?? null,
    mean: told.length === 0 ? null : told.reduce((sum, value) => sum + value, 0) / told.length,
    max: told.length === 0 ? null : Math.max(...told),
  };
}

const quantiles: Partial<Record<MetricFunction, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

/** One step of a group: of each series its rows. */
function stepValue(cell: readonly (readonly MetricRow[])[], fn: MetricFunction, stepSec: number): number | null {
  const all = cell.flat();
  const total = (of: (row: MetricRow) => number) => all.reduce((sum, row) => sum + of(row), 0);
  const quantile = quantiles[fn];
  if (quantile !== undefined) {
    const spread = new LatencySketch();
    for (const row of all) if (row.spread !== null) spread.mergeEncoded(row.spread);
    return spread.quantile(quantile) ?? null;
  }
  switch (fn) {
    case "max":
      return Math.max(...all.map((row) => row.max));
    case "min":
      return Math.min(...all.map((row) => row.min));
    case "avg":
    case "mean":
      return (
        total((row) => row.sum) /
        Math.max(
          1,
          total((row) => row.count),
        )
      );
    case "increase":
      return total((row) => row.sum);
    case "rate":
      // Of a histogram, how many observations.
      return total((row) => (row.spread === null ? row.sum : row.count)) / stepSec;
    default:
      return cell.reduce((sum, rows) => sum + averageOf(rows), 0);
  }
}

const averageOf = (rows: readonly MetricRow[]): number =>
  rows.reduce((sum, row) => sum + row.sum, 0) /
  Math.max(
    1,
    rows.reduce((sum, row) => sum + row.count, 0),
  );
