import { resolve } from "node:path";
import { Client, type ClientBase, type ClientConfig } from "pg";
import { MigrationError, UnusableDatabaseError } from "../../errors.ts";
import { applyMigrations } from "../../migrate.ts";
import { migrationClient, postgresDialect } from "../../postgres/migration-client.ts";
import { numbered, placeOf, reasonOf } from "../../postgres/sql.ts";
import type { Row, Sql, Value } from "../sql.ts";
import { storable } from "./copy-rows.ts";

export interface TelemetryServer {
  /** `postgres://user:password@host:5432/database`. */
  url: string;
  /** Folder of the migrations; default: this repository's. A bundle says where it put them. */
  migrations?: string;
}

/** Its tables have a schema of their own, so that config may be kept in the same database. */
const schema = "limpid_telemetry";

/** Only where the file lies in its own folder: a bundler leaves no `import.meta.dirname`. */
const ownMigrations = (): string => resolve(import.meta.dirname, "../../../../prisma/telemetry-postgres/migrations");

const connectTimeoutMs = 5_000;
/** A write that takes longer is given up and tried again; the collector must not seem to stand still (a minute). */
const statementTimeoutMs = 20_000;

/** How a collector or a dashboard connects. Whoever holds a lock and says nothing more is cut off, so that the others go on. */
export const connectionTo = (url: string): ClientConfig => ({
  connectionString: url,
  keepAlive: true,
  connectionTimeoutMillis: connectTimeoutMs,
  statement_timeout: statementTimeoutMs,
  query_timeout: statementTimeoutMs + 5_000,
  idle_in_transaction_session_timeout: 10_000,
  application_name: "limpid",
});

/** Whoever was just connected, before anything else. */
export const setSchema = (client: ClientBase) => client.query(`SET search_path TO ${schema}`);

/** A connection, to a database that is brought up to date first. Rejects with one sentence that has no password in it. */
export async function connectTelemetry({ url, migrations }: TelemetryServer): Promise<Client> {
  const client = new Client(connectionTo(url));
  client.on("error", () => undefined); // told by the next statement
  try {
    await client.connect();
    await setSchema(client);
    await migrate(client, migrations ?? ownMigrations(), placeOf(url));
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error instanceof MigrationError ? error : unusable(url, error);
  }
}

/** The schema is made under the lock that migrations take turns by. */
async function migrate(client: Client, directory: string, place: string): Promise<void> {
  const createSchema = `DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = '${schema}') THEN CREATE SCHEMA ${schema}; END IF;
  END $$`;
  const dialect = { ...postgresDialect, createTable: `${createSchema};\n${postgresDialect.createTable}` };
  try {
    await applyMigrations({ client: migrationClient(client), directory, dialect });
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    throw new MigrationError(`the telemetry database ${place}: ${error.message}`, { cause: error });
  }
}

/** Classes of SQLSTATE that a new try may not meet again: the connection, resources, the operator, and clashes. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const passing = /^(08|53|57|40|55)/;

/** Wrong user, password or name of the database: for good. A server that is away comes back. */
function unusable(url: string, error: unknown): Error {
  const text = `the telemetry database ${placeOf(url)} can't be used: ${reasonOf(error)}`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const lasting = /^[0-9A-Z]{5}$/.test(code) && !passing.test(code);
  return lasting ? new UnusableDatabaseError(text, { cause: error }) : new Error(text, { cause: error });
}

/** Whether no other try would mend it. */
export const isLasting = (error: unknown): boolean =>
  error instanceof MigrationError || error instanceof UnusableDatabaseError;

/** Statements with `?` on a connection, or on a pool of them. */
export class PostgresSql implements Sql {
  readonly noBytes = "''::bytea";
  readonly #client: Pick<ClientBase, "query">;

  constructor(client: Pick<ClientBase, "query">) {
    this.#client = client;
  }

  async all(sql: string, ...values: Value[]): Promise<Row[]> {
    return (await this.#client.query<Row>(numbered(sql), values.map(parameter))).rows;
  }

  async get(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return (await this.all(sql, ...values))[0];
  }

  async run(sql: string, ...values: Value[]): Promise<number> {
    return (await this.#client.query(numbered(sql), values.map(parameter))).rowCount ?? 0;
  }
}

const greatest = Number.MAX_SAFE_INTEGER;

/** What SQLite would compare as it is, and PostgreSQL can't take. */
function parameter(value: Value): unknown {
  if (typeof value === "string") return storable(value);
  return typeof value === "number" ? Math.min(greatest, Math.max(-greatest, value)) : value;
}
