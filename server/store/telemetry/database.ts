import { resolve } from "node:path";
import type { Client } from "@libsql/client";
import { applyMigrations } from "../migrate.ts";
import { openSqlite } from "../sqlite.ts";

/** Only where the file lies in its own folder: a bundler leaves no `import.meta.dirname`. */
const ownMigrations = (): string => resolve(import.meta.dirname, "../../../prisma/telemetry/migrations");

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
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}
