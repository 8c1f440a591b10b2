import { LatencySketch } from "../lib/latency-sketch.ts";
import type { MetricStep, MetricValues } from "./queries.ts";
import type { Steps } from "./ranges.ts";
import type { MetricRow, TelemetryReader } from "./reader.ts";

/** Rows of metrics, folded into the steps of a chart. */
export async function metricValues(
  reader: Pick<TelemetryReader, "metrics">,
  { window: { fromMs, toMs, stepSec }, readStep }: Steps,
  series: readonly number[],
): Promise<MetricValues> {
  const rows = await reader.metrics({ fromMs, toMs, series, stepSec: readStep === 1 ? 10 : readStep });
  const bySeries = Map.groupBy(rows, (row) => row.series);
  const count = Math.round((toMs - fromMs) / (stepSec * 1000));
  return {
    fromMs,
    stepSec,
    series: series.map((id) => {
      const steps = Map.groupBy(bySeries.get(id) ?? [], (row) => Math.floor((row.atMs - fromMs) / (stepSec * 1000)));
      return { id, steps: Array.from({ length: count }, (_, i) => stepOf(steps.get(i) ?? [])) };
    }),
  };
}

function stepOf(rows: readonly MetricRow[]): MetricStep | null {
  const last = rows.at(-1);
  if (last === undefined) return null;
  const spread = new LatencySketch();
  for (const row of rows) if (row.spread !== null) spread.mergeEncoded(row.spread);
  return {
    count: rows.reduce((sum, row) => sum + row.count, 0),
    sum: rows.reduce((sum, row) => sum + row.sum, 0),
    min: Math.min(...rows.map((row) => row.min)),
    max: Math.max(...rows.map((row) => row.max)),
    last: last.last,
    p50: spread.quantile(0.5) ?? null,
    p99: spread.quantile(0.99) ?? null,
  };
}
