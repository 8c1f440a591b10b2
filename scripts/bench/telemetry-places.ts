import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TelemetryReader } from "../../server/query/reader.ts";
import { openTelemetryReader, openTelemetryStore } from "../../server/store/open-telemetry.ts";
import {
  findPostgres,
  type PostgresServer,
  startPostgres,
} from "../../server/store/postgres/testing/postgres-server.ts";
import type { TelemetryStore } from "../../server/telemetry/store.ts";
import { cpuSeconds } from "./process-usage.ts";

/** An empty place for telemetry, in a file or on a server of its own. */
export interface Place {
  name: "SQLite" | "PostgreSQL";
  data: string;
  /** As LIMPID_TELEMETRY_DATABASE has it. */
  database: string | undefined;
  store(): Promise<TelemetryStore>;
  reader(): Promise<TelemetryReader>;
  bytes(): Promise<number>;
  /** Processor seconds of the server, all its processes; 0 where there is none. */
  serverSeconds(): Promise<number>;
  /** An empty one of the same kind. */
  another(): Promise<Place>;
  remove(): Promise<void>;
}

const root = join(import.meta.dirname, "../..");

export async function sqlitePlace(): Promise<Place> {
  const data = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const place = { data, root, database: undefined };
  return {
    name: "SQLite",
    ...place,
    store: () => openTelemetryStore(place, {}),
    reader: () => openTelemetryReader(place),
    bytes: async () => statSync(join(data, "telemetry.db")).size,
    serverSeconds: async () => 0,
    another: sqlitePlace,
    remove: async () => rmSync(data, { recursive: true, force: true }),
  };
}

export async function postgresPlace(server: PostgresServer, name: string): Promise<Place> {
  const data = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const database = await server.database(name);
  const place = { data, root, database };
  const ended = new Map<number, number>();
  let others = 0;
  return {
    name: "PostgreSQL",
    ...place,
    store: () => openTelemetryStore(place, {}),
    reader: () => openTelemetryReader(place),
    bytes: async () =>
      Number((await server.query(database, "SELECT pg_database_size(current_database()) AS size"))[0]?.size),
    async serverSeconds() {
      for (const { pid } of await server.query(
        database,
        "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
      )) {
        ended.set(Number(pid), cpuSeconds(Number(pid)));
      }
      return [...ended.values()].reduce((sum, seconds) => sum + seconds, 0);
    },
    another: () => postgresPlace(server, `${name}_${++others}`),
    remove: async () => rmSync(data, { recursive: true, force: true }),
  };
}

/** Runs `work` on each kind of place; PostgreSQL only where it is installed. */
export async function onEachPlace(name: string, work: (place: Place) => Promise<void>): Promise<void> {
  const file = await sqlitePlace();
  await work(file).finally(() => file.remove());
  const binaries = findPostgres();
  if (binaries === undefined) {
    process.stdout.write(`PostgreSQL (initdb, postgres) is not installed: ${name} there is left out\n`);
    return;
  }
  const server = await startPostgres(binaries);
  try {
    const place = await postgresPlace(server, name);
    await work(place).finally(() => place.remove());
  } finally {
    await server.stop();
  }
}
