import { randomUUID } from "node:crypto";
import { firstRevision } from "../../config/memory-store.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { applyMigrations } from "../migrate.ts";
import { openSqlite } from "../sqlite.ts";
import type { SqliteClient } from "../sqlite-client.ts";
import { beginAnew, type Marker, readMarker, refuseMissing, writeMarker } from "./mesh-marker.ts";
import { sqliteReason } from "./sqlite-reason.ts";

export interface DatabaseOptions {
  /** `file:/path/to/config.db`; made when absent. */
  url: string;
  /** The folder `prisma/config/migrations`. */
  migrations: string;
  busyTimeoutMs?: number;
}

export interface OpenDatabase {
  client: SqliteClient;
  /** The file's path. */
  path: string;
  /** Which mesh it holds. */
  mesh: string;
}

export const pathOf = (url: string): string => url.replace(/^file:/, "");

/**
 * Opens the config database and brings it to the schema of this version. Throws `UnusableDatabaseError` when it is damaged, and when a mesh
 * was kept there and this is not it: an empty file that took its place would withdraw every listener. Throws `MigrationError`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  const path = pathOf(options.url);
  const marker = refuseMissing(path);
  const client = await openSqlite(options.url, "FULL", options.busyTimeoutMs);
  try {
    await refuseDamaged(client, path);
    if (marker !== undefined) await refuseFresh(client, path);
    await applyMigrations({ client, directory: options.migrations });
    const mesh = await identify(client, path, marker);
    return { client, path, mesh };
  } catch (error) {
    client.close();
    throw explain(error, path);
  }
}

/** Reads every page once: a mesh that is found to be damaged half-way through would be half a mesh. */
async function refuseDamaged(client: SqliteClient, path: string): Promise<void> {
  const { rows } = await client.execute("PRAGMA quick_check(1)");
  const verdict = String(rows[0]?.[0] ?? "ok");
  if (verdict !== "ok") throw damaged(path, verdict.replaceAll("\n", " "));
}

const damaged = (path: string, why: string): UnusableDatabaseError =>
  new UnusableDatabaseError(
    `the database ${path} can't be used: it is damaged (${why}); it was left as it is: ${beginAnew(path, "move it away and remove")}`,
  );

/** A database of no mesh at all, such as one that was made anew in place of what was lost. */
async function refuseFresh(client: SqliteClient, path: string): Promise<void> {
  const tables = await client.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'state'");
  const rows = tables.rows.length > 0 ? (await client.execute('SELECT "revision" FROM "state"')).rows : [];
  if (rows.length > 0) return;
  throw new UnusableDatabaseError(`the database ${path} holds no mesh, and one was kept in it: ${beginAnew(path)}`);
}

/** Gives a new database its identity, and says whose it is beside it. */
async function identify(client: SqliteClient, path: string, marker: Marker | undefined): Promise<string> {
  const known = await identityOf(client);
  const mesh = known ?? marker?.mesh ?? randomUUID();
  if (marker !== undefined && marker.mesh !== mesh) {
    throw new UnusableDatabaseError(
      `the database ${path} is of another mesh (${mesh}) than the one that was kept in it (${marker.mesh}): ${beginAnew(path)}`,
    );
  }
  if (known === undefined) {
    const sql = `INSERT INTO "state" ("id", "revision", "identity") VALUES (1, ?, ?)
      ON CONFLICT ("id") DO UPDATE SET "identity" = coalesce("identity", "excluded"."identity")`;
    await client.execute({ sql, args: [firstRevision, mesh] });
    const settled = (await identityOf(client)) ?? mesh; // another process may have been first
    if (readMarker(path) === undefined) writeMarker(path, settled, new Date().toISOString());
    return settled;
  }
  if (marker === undefined) writeMarker(path, mesh, new Date().toISOString());
  return mesh;
}

/** Undefined for a database of before there were identities, and for none. */
export async function identityOf(client: SqliteClient): Promise<string | undefined> {
  const { rows } = await client.execute('SELECT "identity" FROM "state" WHERE "id" = 1');
  const value = rows[0]?.[0];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Damage that comes up as SQLite's own error, wherever it is found, ends with the file's name and what to do. */
export function explain(error: unknown, path: string): unknown {
  const why = sqliteReason(error);
  return why !== undefined && /SQLITE_(CORRUPT|NOTADB)/.test(why) ? damaged(path, why) : error;
}
