import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { jsonFile } from "../lib/json-file.ts";
import type { TelemetryReader } from "../query/reader.ts";
import type { TelemetryStore } from "../telemetry/store.ts";
import { postgresAddress } from "./postgres/address.ts";
import { openSqliteTelemetryReader } from "./telemetry/sqlite-reader.ts";
import { openSqliteTelemetryStore } from "./telemetry/sqlite-store.ts";

export interface TelemetryPlace {
  /** The data folder, which has `telemetry.db`, or says which collector this is. */
  data: string;
  /** The folder that has `prisma/`; a bundle's own one is not beside its code. */
  root: string;
  /** `postgres://user:password@host:5432/database`; empty or unset: SQLite in the data folder. */
  database: string | undefined;
}

export interface TelemetryStoreEvents {
  /** The file was found gone, broken or locked, and another one begun. */
  onReplaced?: (why: string) => void;
  /** The server can't be reached yet; it is tried again with every batch. */
  onUnreachable?: (error: Error) => void;
}

export const telemetryVariable = "LIMPID_TELEMETRY_DATABASE";

/** The address that `LIMPID_TELEMETRY_DATABASE` holds, if any. Throws `UnusableDatabaseError` when it is none of PostgreSQL. */
export const telemetryDatabase = (): string | undefined =>
  postgresAddress(telemetryVariable, process.env[telemetryVariable]);

/** The write side of what `LIMPID_TELEMETRY_DATABASE` names, or of the file. Throws `UnusableDatabaseError` and `MigrationError`. */
export async function openTelemetryStore(place: TelemetryPlace, events: TelemetryStoreEvents): Promise<TelemetryStore> {
  const url = postgresAddress(telemetryVariable, place.database);
  if (url === undefined) return openSqliteTelemetryStore({ ...fileOf(place), ...events });
  const { openPostgresTelemetryStore } = await import("./telemetry/postgres/store.ts"); // few need its driver
  return openPostgresTelemetryStore({ ...serverOf(place, url), ...events });
}

/** The read side of the same, for any process. */
export async function openTelemetryReader(place: TelemetryPlace): Promise<TelemetryReader> {
  const url = postgresAddress(telemetryVariable, place.database);
  if (url === undefined) return openSqliteTelemetryReader(fileOf(place));
  const { openPostgresTelemetryReader } = await import("./telemetry/postgres/reader.ts");
  return openPostgresTelemetryReader(serverOf(place, url));
}

/** Names this machine's collector among those that write to one database; the same after a restart. A file has one writer, who needs no name. */
export function collectorName({ data, database }: TelemetryPlace): string {
  if (!database) return "collector";
  const file = jsonFile(join(data, "collector.json"));
  const known = file.read();
  if (known !== null && typeof known === "object" && "id" in known && typeof known.id === "string") return known.id;
  const id = `${hostname()}-${randomBytes(4).toString("hex")}`;
  file.write({ id });
  return id;
}

const fileOf = ({ data, root }: TelemetryPlace) => ({
  path: join(data, "telemetry.db"),
  migrations: join(root, "prisma/telemetry/migrations"),
});

export const serverOf = ({ root }: TelemetryPlace, url: string) => ({
  url,
  migrations: join(root, "prisma/telemetry-postgres/migrations"),
});
