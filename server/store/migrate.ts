import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { MigrationError } from "./errors.ts";
import { openSqlite } from "./sqlite.ts";

export type MigrationTarget = {
  /** Folder with Prisma's layout: `<name>/migration.sql` each. */
  directory: string;
  /** How another database than SQLite writes it. */
  dialect?: MigrationDialect;
} & ({ client: MigrationClient } | { url: string });

/** What differs between databases. */
export interface MigrationDialect {
  /** Makes Prisma's own table where it is missing. */
  createTable: string;
  /** A time as its columns take it. */
  time(ms: number): string | number;
}

/** What a migration needs of a driver; libsql's client has it. */
export interface MigrationClient {
  transaction(mode: "write"): Promise<MigrationTransaction>;
}

interface MigrationTransaction {
  execute(statement: string | { sql: string; args: (string | number)[] }): Promise<{ rows: Record<string, unknown>[] }>;
  executeMultiple(sql: string): Promise<void>;
  commit(): Promise<void>;
  close(): void;
}

/**
 * Applies the migrations that a database lacks, in the order of their names, and returns these names. All or none are applied, in one
 * write transaction, so two processes may start on one database at once. Keeps `_prisma_migrations` as Prisma itself does, whose
 * `prisma migrate deploy` then finds nothing to do; its own engine is a download that Limpid must not need.
 * Throws `MigrationError` when the database was migrated with other files, by a newer version, or only half.
 */
export async function applyMigrations(target: MigrationTarget): Promise<string[]> {
  const migrations = await readMigrations(target.directory);
  if ("client" in target) return apply(target.client, migrations, target.dialect);
  const client = await openSqlite(target.url);
  try {
    return await apply(client, migrations);
  } finally {
    client.close();
  }
}

async function apply(
  client: MigrationClient,
  migrations: readonly Migration[],
  dialect: MigrationDialect = sqlite,
): Promise<string[]> {
  const transaction = await client.transaction("write");
  try {
    const applied = await applyPending(transaction, migrations, dialect);
    await transaction.commit();
    return applied;
  } finally {
    transaction.close();
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) throw new MigrationError(`${directory} holds no migrations`);
  return await Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(directory, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

// The columns and types of Prisma's own table. https://github.com/prisma/prisma-engines, sql-schema-connector, flavour/sqlite
const sqlite: MigrationDialect = {
  time: (ms) => ms,
  createTable: `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`,
};

async function applyPending(
  transaction: MigrationTransaction,
  migrations: readonly Migration[],
  dialect: MigrationDialect,
): Promise<string[]> {
  await transaction.execute(dialect.createTable);
  const { rows } = await transaction.execute(
    "SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name",
  );
  const done = new Set<string>();
  for (const row of rows) {
    const name = String(row.migration_name);
    const migration = migrations.find((candidate) => candidate.name === name);
    if (row.finished_at === null)
      throw new MigrationError(`migration ${name} was begun and not finished in this database`);
    if (migration === undefined) {
      throw new MigrationError(
        `the database has migration ${name}, which this version of Limpid doesn't know: it was used with a newer one`,
      );
    }
    if (migration.checksum !== row.checksum) {
      throw new MigrationError(
        `migration ${name} was changed after it was applied: its checksum is ${migration.checksum}, the database has ${row.checksum}`,
      );
    }
    done.add(name);
  }
  const pending = migrations.filter((migration) => !done.has(migration.name));
  for (const migration of pending) await applyOne(transaction, migration, dialect);
  return pending.map((migration) => migration.name);
}

async function applyOne(
  transaction: MigrationTransaction,
  { name, sql, checksum }: Migration,
  dialect: MigrationDialect,
): Promise<void> {
  const startedAt = Date.now();
  try {
    await transaction.executeMultiple(sql);
  } catch (error) {
    throw new MigrationError(`migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  await transaction.execute({
    sql: `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
          VALUES (?, ?, ?, ?, ?, 1)`,
    args: [randomUUID(), checksum, name, dialect.time(startedAt), dialect.time(Date.now())],
  });
}
