import type { GapRow, TelemetryReader, TimeRange } from "../../query/reader.ts";
import { AccessLogReader } from "./access-log-reader.ts";
import { newLogs, searchLogs } from "./log-reader.ts";
import { findSeries, readMetrics } from "./metric-reader.ts";
import { RollupReader, type RollupSql } from "./rollup-reader.ts";
import type { Sql } from "./sql.ts";
import { TraceReader } from "./trace-reader.ts";

/** Every question of the read models, to whichever database. */
export function readerOf(database: RollupSql): Omit<TelemetryReader, "close"> {
  const rollups = new RollupReader(database);
  const accessLogs = new AccessLogReader(database, (ids) => rollups.edgesById(ids));
  const traces = new TraceReader(database);
  return {
    rollups: (range) => rollups.rollups(range),
    sums: (range) => rollups.sums(range),
    oldestAt: () => rollups.oldestAt(),
    collectors: () => rollups.collectors(),
    gaps: (range) => gapsIn(database, range),
    logs: (query) => accessLogs.search(query),
    newLogs: (query) => accessLogs.after(query),
    traces: (query) => traces.search(query),
    trace: (traceId) => traces.spansOf(traceId),
    operations: () => traces.operations(),
    applicationLogs: (query) => searchLogs(database, query),
    newApplicationLogs: (query) => newLogs(database, query),
    metricSeries: (query) => findSeries(database, query),
    metrics: (query) => readMetrics(database, query),
  };
}

async function gapsIn(database: Sql, { fromMs, toMs }: TimeRange): Promise<GapRow[]> {
  const sql =
    "SELECT from_ms, to_ms, collector, cause FROM gap WHERE to_ms > ? AND from_ms < ? ORDER BY from_ms LIMIT 1000";
  const rows = await database.all(sql, Math.floor(fromMs), Math.floor(toMs));
  return rows.map((row) => ({
    fromMs: Number(row.from_ms),
    toMs: Number(row.to_ms),
    collector: String(row.collector),
    cause: row.cause === "stopped" ? "stopped" : "lost",
  }));
}
