import type { GapRow, TelemetryReader, TimeRange } from "../../query/reader.ts";
import { AccessLogReader } from "./access-log-reader.ts";
import { fileIdentity, openTelemetryFile, type TelemetryDatabase, type TelemetryFile } from "./database.ts";
import { searchLogs } from "./log-reader.ts";
import { findSeries, readMetrics } from "./metric-reader.ts";
import { RollupReader } from "./rollup-reader.ts";
import { TraceReader } from "./trace-reader.ts";

/**
 * The read side of the telemetry file, for another process than its writer's. Reads are synchronous, and quick; settled buckets of the roll-up
 * are kept.
 */
export async function openSqliteTelemetryReader(file: TelemetryFile): Promise<TelemetryReader> {
  let opened = await openOnce(file);
  let opening: Promise<void> | undefined;
  const reopen = async () => {
    const old = opened;
    opened = await openOnce(file);
    old.database.close();
  };
  /** The collector makes the file anew when it was deleted or broken; its successor is read from then on. */
  const current = async (): Promise<Opened> => {
    const identity = fileIdentity(file.path);
    if (identity !== undefined && identity !== opened.identity) {
      opening ??= reopen().finally(() => {
        opening = undefined;
      });
      await opening;
    }
    return opened;
  };
  return {
    rollups: async (range) => (await current()).rollups.rollups(range),
    sums: async (range) => (await current()).rollups.sums(range),
    oldestAt: async () => (await current()).rollups.oldestAt(),
    collectors: async () => (await current()).rollups.collectors(),
    gaps: async (range) => gapsIn((await current()).database, range),
    logs: async (query) => (await current()).accessLogs.search(query),
    newLogs: async (query) => (await current()).accessLogs.after(query),
    traces: async (query) => (await current()).traces.search(query),
    trace: async (traceId) => (await current()).traces.spansOf(traceId),
    operations: async () => (await current()).traces.operations(),
    applicationLogs: async (query) => searchLogs((await current()).database, query),
    metricSeries: async (query) => findSeries((await current()).database, query),
    metrics: async (query) => readMetrics((await current()).database, query),
    close: async () => opened.database.close(),
  };
}

interface Opened {
  database: TelemetryDatabase;
  identity: string | undefined;
  rollups: RollupReader;
  accessLogs: AccessLogReader;
  traces: TraceReader;
}

async function openOnce(file: TelemetryFile): Promise<Opened> {
  const database = await openTelemetryFile(file);
  const rollups = new RollupReader(database);
  return {
    database,
    identity: fileIdentity(file.path),
    rollups,
    accessLogs: new AccessLogReader(database, (id) => rollups.edge(id)),
    traces: new TraceReader(database),
  };
}

function gapsIn(database: TelemetryDatabase, { fromMs, toMs }: TimeRange): GapRow[] {
  const sql =
    "SELECT from_ms, to_ms, collector, cause FROM gap WHERE to_ms > ? AND from_ms < ? ORDER BY from_ms LIMIT 1000";
  return database.all(sql, Math.floor(fromMs), Math.floor(toMs)).map((row) => ({
    fromMs: Number(row.from_ms),
    toMs: Number(row.to_ms),
    collector: String(row.collector),
    cause: row.cause === "stopped" ? "stopped" : "lost",
  }));
}
