import type { GapRow, TelemetryReader, TimeRange } from "../../query/reader.ts";
import { AccessLogReader } from "./access-log-reader.ts";
import {
  fileIdentity,
  journalIdentity,
  openTelemetryFile,
  type TelemetryDatabase,
  type TelemetryFile,
} from "./database.ts";
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
    // First: connections of one process to one file share the index of its log, and it is another one that is wanted.
    if (!opened.closed) opened.database.close();
    opened = { ...opened, closed: true };
    opened = await openOnce(file);
  };
  /** The collector makes the file anew when it was deleted or broken, and SQLite its log; what is written now is read from then on. */
  const current = async (): Promise<Opened> => {
    if (opened.closed || isOther(opened, file.path)) {
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
    close: async () => {
      if (!opened.closed) opened.database.close();
    },
  };
}

interface Opened {
  database: TelemetryDatabase;
  /** The next one could not be opened. */
  closed: boolean;
  identity: string | undefined;
  journal: string | undefined;
  rollups: RollupReader;
  accessLogs: AccessLogReader;
  traces: TraceReader;
}

/** Whether the name now stands for another file or log than was opened. One that is gone is nothing to read yet. */
function isOther({ identity, journal }: Opened, path: string): boolean {
  const now = fileIdentity(path);
  if (now === undefined) return false;
  const log = journalIdentity(path);
  return now !== identity || (log !== undefined && log !== journal);
}

async function openOnce(file: TelemetryFile): Promise<Opened> {
  // Before: a file that is made while this opens its predecessor is another one.
  const identity = fileIdentity(file.path);
  const database = await openTelemetryFile(file);
  const rollups = new RollupReader(database);
  return {
    database,
    closed: false,
    identity: identity ?? fileIdentity(file.path),
    journal: journalIdentity(file.path),
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
