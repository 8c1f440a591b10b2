import { renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Client } from "@libsql/client";
import { applyMigrations } from "../migrate.ts";
import { openSqlite } from "../sqlite.ts";

/** Only where the file lies in its own folder: a bundler leaves no `import.meta.dirname`. */
const ownMigrations = (): string => resolve(import.meta.dirname, "../../../prisma/telemetry/migrations");

/** SQLite waits for a lock on the event loop. Telemetry rather comes a second later than that nothing else is taken in meanwhile. */
const busyTimeoutMs = 250;

export interface TelemetryFile {
  /** The database file; made when it is not there. */
  path: string;
  /** Folder of the migrations; default: this repository's. A bundle says where it put them. */
  migrations?: string;
}

/**
 * Opens the telemetry file and brings its schema up to date, whichever process comes first. The newest second may be lost when the
 * machine (not the process) goes down: telemetry can bear that, and need not wait for the disk.
 */
export async function openTelemetryFile(file: TelemetryFile): Promise<Client> {
  const client = await openSqlite(`file:${file.path}`, "NORMAL");
  try {
    await client.execute("PRAGMA journal_size_limit = 16777216");
    await applyMigrations({ client, directory: file.migrations ?? ownMigrations() });
    await client.execute(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A connection like the one before, to a file whose schema is known to be up to date. */
export async function reconnect(path: string): Promise<Client> {
  const client = await openSqlite(`file:${path}`, "NORMAL");
  await client.execute("PRAGMA journal_size_limit = 16777216");
  await client.execute(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  return client;
}

/** Which file it is, not by its name: changes when it was deleted and made again. Undefined while there is none. */
export function fileIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}:${stat.birthtimeMs}`;
}

/** Whether SQLite says that the file is broken or no database; what wrapped the error is looked through. */
export function isDamaged(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB" || isDamaged(error.cause);
}

/** Puts a broken file aside, where the last one put aside makes room for it. */
export function putAside(path: string): void {
  if (fileIdentity(path) !== undefined) renameSync(path, `${path}.damaged`);
  forgetJournal(path);
}

/** The log of a file that is gone would be replayed into the new one. */
export function forgetJournal(path: string): void {
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
}
