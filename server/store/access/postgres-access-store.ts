import { Pool, type PoolClient } from "pg";
import type { AccessStore } from "../../access/store.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { applyMigrations } from "../migrate.ts";
import { migrationClient, postgresDialect } from "../postgres/migration-client.ts";
import { numbered, placeOf, reasonOf } from "../postgres/sql.ts";
import { type AccessSql, type Row, sqlAccessStore } from "./sql-access-store.ts";

export interface AccessDatabase {
  /** The config store's: `postgres://user:password@host:5432/database`. */
  url: string;
  /** The folder `prisma/config-postgres/migrations`, which has the tables of both. */
  migrations: string;
}

const maxConnections = 3;
const connectTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;
/** Those who change users take turns by this lock of PostgreSQL; the number is nobody else's. */
const lock = 7_125_630_113;

/** People, tokens and the audit beside the config, for several dashboards. Throws `UnusableDatabaseError` and `MigrationError`. */
export async function openPostgresAccessStore({ url, migrations }: AccessDatabase): Promise<AccessStore> {
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    keepAlive: true,
  });
  pool.on("error", () => undefined); // an idle connection was lost: the next one is new
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    await pool.end();
    throw new UnusableDatabaseError(`the database ${placeOf(url)} can't be used: ${reasonOf(error)}`, { cause: error });
  }
  try {
    await applyMigrations({ client: migrationClient(client), directory: migrations, dialect: postgresDialect });
  } catch (error) {
    client.release(true);
    await pool.end();
    throw error;
  }
  client.release();
  return sqlAccessStore(postgresAccess(pool));
}

const postgresAccess = (pool: Pool): AccessSql => ({
  query: async (sql, ...values) => (await pool.query<Row>(numbered(sql), values)).rows,
  async exclusively(work) {
    const client = await pool.connect();
    let failed = true;
    try {
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock($1)", [lock]);
      const value = await work(async (sql, ...values) => (await client.query<Row>(numbered(sql), values)).rows);
      await client.query("COMMIT");
      failed = false;
      return value;
    } finally {
      if (failed) await client.query("ROLLBACK").catch(() => undefined);
      client.release(failed);
    }
  },
  close: () => pool.end(),
});
