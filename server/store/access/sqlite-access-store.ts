import { chmodSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { AccessStore } from "../../access/store.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { applyMigrations } from "../migrate.ts";
import { migrationClient } from "../telemetry/database.ts";
import { type AccessSql, type Row, sqlAccessStore } from "./sql-access-store.ts";

export interface AccessFile {
  /** `access.db` in the data folder; made when it is missing. */
  path: string;
  /** The folder `prisma/access/migrations`. */
  migrations: string;
}

/** Another process (the control plane beside the dashboard) writes for milliseconds only. */
const busyTimeoutMs = 5_000;
/** At the start there is nothing else to do than to wait for another process that makes the file. */
const openTimeoutMs = 30_000;

/**
 * People, tokens and the audit in a file of their own: a write of theirs would wake everybody who watches `config.db`, and whoever copies a mesh to another
 * machine takes no sessions along. Throws `UnusableDatabaseError` and `MigrationError`.
 */
export async function openSqliteAccessStore({ path, migrations }: AccessFile): Promise<AccessStore> {
  const db = open(path);
  try {
    const all = (sql: string, ...values: (string | number | null)[]) => db.prepare(sql).all(...values);
    const client = migrationClient({ exec: (sql) => db.exec(sql), all: all as never });
    await applyMigrations({ client, directory: migrations });
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return sqlAccessStore(new SqliteAccess(db));
  } catch (error) {
    db.close();
    throw error;
  }
}

function open(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path);
    chmodSync(path, 0o600);
    db.exec(`PRAGMA busy_timeout = ${openTimeoutMs}`);
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    db.exec("PRAGMA foreign_keys = ON");
    return db;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableDatabaseError(
      `the database ${path} can't be used: ${why}; put a backup in its place, or move it away to begin anew, with no users`,
      { cause: error },
    );
  }
}

class SqliteAccess implements AccessSql {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Nobody else's statement may come between those of a transaction: there is one connection. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  async query(sql: string, ...values: (string | number | null)[]): Promise<Row[]> {
    await this.#turn;
    return this.#run(sql, values);
  }

  exclusively<T>(work: (query: AccessSql["query"]) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        const value = await work(async (sql, ...values) => this.#run(sql, values));
        this.#db.exec("COMMIT");
        return value;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #run(sql: string, values: readonly (string | number | null)[]): Row[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...values) as Row[];
  }
}
