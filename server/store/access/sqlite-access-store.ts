import { chmodSync } from "node:fs";
import { type FileHandle, open as openHandle } from "node:fs/promises";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { AccessStore } from "../../access/store.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { applyMigrations } from "../migrate.ts";
import { sharedSync } from "../shared-sync.ts";
import { migrationClient } from "../telemetry/database.ts";
import { setWriteAheadLog } from "../write-ahead-log.ts";
import { type AccessSql, type Row, sqlAccessStore } from "./sql-access-store.ts";

export interface AccessFile {
  /** `access.db` in the data folder; made when it is missing. */
  path: string;
  /** The folder `prisma/access/migrations`. */
  migrations: string;
  /** Of `node:fs/promises`. */
  openFile?: (path: string, flags: string) => Promise<LogFile>;
}

type LogFile = Pick<FileHandle, "datasync" | "close">;

/** Another process (the control plane beside the dashboard) writes for milliseconds only. */
const busyTimeoutMs = 5_000;
/** At the start there is nothing else to do than to wait for another process that makes the file. */
const openTimeoutMs = 30_000;

/**
 * People, tokens and the audit in a file of their own: a write of theirs would wake everybody who watches `config.db`, and whoever copies a mesh to another
 * machine takes no sessions along. Throws `UnusableDatabaseError` and `MigrationError`.
 */
export async function openSqliteAccessStore({
  path,
  migrations,
  openFile = openHandle,
}: AccessFile): Promise<AccessStore> {
  const db = await open(path);
  try {
    const all = (sql: string, ...values: SQLInputValue[]) => db.prepare(sql).all(...values);
    const client = migrationClient({ exec: (sql) => db.exec(sql), all });
    await applyMigrations({ client, directory: migrations });
    db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    return sqlAccessStore(new SqliteAccess(db, hasLog(db) ? () => openFile(`${path}-wal`, "r+") : undefined));
  } catch (error) {
    db.close();
    throw error;
  }
}

async function open(path: string): Promise<DatabaseSync> {
  let db: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path);
    db = opened;
    chmodSync(path, 0o600);
    db.exec(`PRAGMA busy_timeout = ${openTimeoutMs}`);
    await setWriteAheadLog((sql) => opened.exec(sql), openTimeoutMs);
    // The disk is waited for beside the event loop, and not by SQLite within each commit: see `#onDisk`.
    db.exec(`PRAGMA synchronous = ${hasLog(db) ? "NORMAL" : "FULL"}`);
    db.exec("PRAGMA foreign_keys = ON");
    return db;
  } catch (error) {
    db?.close();
    const why = error instanceof Error ? error.message : String(error);
    throw new UnusableDatabaseError(
      `the database ${path} can't be used: ${why}; put a backup in its place, or move it away to begin anew, with no users`,
      { cause: error },
    );
  }
}

/** There are file systems on which SQLite can't keep a write-ahead log. */
const hasLog = (db: DatabaseSync): boolean => db.prepare("PRAGMA journal_mode").get()?.journal_mode === "wal";

class SqliteAccess implements AccessSql {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Nobody else's statement may come between those of a transaction: there is one connection. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #openLog: (() => Promise<LogFile>) | undefined;
  #log: Promise<LogFile> | undefined;
  /** Whoever was told that something is written finds it after a power cut, too: until the log is checkpointed, all that was committed is there. https://www.sqlite.org/wal.html */
  readonly #onDisk = sharedSync(async () => {
    this.#log ??= this.#openLog?.();
    await (await this.#log)?.datasync();
  });

  /** @param openLog opens the write-ahead log, which stays the same file as long as this connection is open; unset: SQLite itself waits for the disk */
  constructor(db: DatabaseSync, openLog: (() => Promise<LogFile>) | undefined) {
    this.#db = db;
    this.#openLog = openLog;
  }

  async query(sql: string, ...values: (string | number | null)[]): Promise<Row[]> {
    await this.#turn;
    const before = this.#changes();
    const rows = this.#run(sql, values);
    if (this.#changes() > before) await this.#onDisk();
    return rows;
  }

  async exclusively<T>(work: (query: AccessSql["query"]) => Promise<T>): Promise<T> {
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
    const value = await result;
    await this.#onDisk();
    return value;
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#statements.clear();
    await (await this.#log)?.close();
    if (this.#db.isOpen) this.#db.close();
  }

  /** Rows that this connection has written since it was opened. */
  #changes(): number {
    return Number(this.#run("SELECT total_changes() AS changes", [])[0]?.changes);
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
