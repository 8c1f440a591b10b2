import type { TelemetryReader } from "../../query/reader.ts";
import {
  fileIdentity,
  journalIdentity,
  openTelemetryFile,
  type TelemetryDatabase,
  type TelemetryFile,
} from "./database.ts";
import { readerOf } from "./reading.ts";

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
    rollups: async (range) => (await current()).reader.rollups(range),
    sums: async (range) => (await current()).reader.sums(range),
    oldestAt: async () => (await current()).reader.oldestAt(),
    collectors: async () => (await current()).reader.collectors(),
    gaps: async (range) => (await current()).reader.gaps(range),
    logs: async (query) => (await current()).reader.logs(query),
    newLogs: async (query) => (await current()).reader.newLogs(query),
    traces: async (query) => (await current()).reader.traces(query),
    trace: async (traceId) => (await current()).reader.trace(traceId),
    operations: async () => (await current()).reader.operations(),
    applicationLogs: async (query) => (await current()).reader.applicationLogs(query),
    newApplicationLogs: async (query) => (await current()).reader.newApplicationLogs(query),
    metricSeries: async (query) => (await current()).reader.metricSeries(query),
    metrics: async (query) => (await current()).reader.metrics(query),
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
  reader: Omit<TelemetryReader, "close">;
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
  return {
    database,
    closed: false,
    identity: identity ?? fileIdentity(file.path),
    journal: journalIdentity(file.path),
    reader: readerOf(database),
  };
}
