import type { MetricQuery, MetricRow, MetricSeriesQuery, MetricSeriesRow } from "../../query/reader.ts";
import { Conditions } from "./access-log-reader.ts";
import { markOf, metricBuckets } from "./compaction.ts";
import { decodeMetrics } from "./metric-bucket.ts";
import type { Sql } from "./sql.ts";

export async function findSeries(database: Sql, query: MetricSeriesQuery): Promise<MetricSeriesRow[]> {
  const where = new Conditions();
  if (query.name !== undefined) where.add("name = ?", query.name);
  if (query.service !== undefined) where.add("service = ?", query.service);
  if (query.instance !== undefined) where.add("instance = ?", query.instance);
  const sql = `SELECT * FROM metric_series WHERE ${where.sql} ORDER BY name, service, instance, id LIMIT ?`;
  return (await database.all(sql, ...where.values, query.limit)).map((row) => ({
    id: Number(row.id),
    name: String(row.name),
    kind: row.kind === "counter" || row.kind === "histogram" ? row.kind : "gauge",
    unit: String(row.unit),
    description: String(row.description),
    service: String(row.service),
    instance: String(row.instance),
    labels: JSON.parse(String(row.labels)) as Record<string, string>,
  }));
}

/** Coarse buckets as far as compaction has got, finer ones past it. */
export async function readMetrics(database: Sql, { fromMs, toMs, series, stepSec }: MetricQuery): Promise<MetricRow[]> {
  const wanted = new Set(series);
  const rows: MetricRow[] = [];
  let from = fromMs / 1000;
  for (const step of ([3600, 60, 10] as const).filter((each) => each <= stepSec)) {
    const until = step === 10 ? toMs / 1000 : Math.min(toMs / 1000, (await markOf(database, metricBuckets, step)) ?? 0);
    if (until <= from) continue;
    const sql = "SELECT at, entries FROM metric_bucket WHERE step = ? AND at >= ? AND at < ? ORDER BY at, part";
    for (const { at, entries } of await database.all(sql, step, Math.floor(from), Math.ceil(until))) {
      for (const { spread, ...entry } of decodeMetrics(entries as Uint8Array)) {
        if (!wanted.has(entry.series)) continue;
        rows.push({ atMs: Number(at) * 1000, ...entry, spread: spread?.encode() ?? null });
      }
    }
    from = until;
  }
  return rows;
}
