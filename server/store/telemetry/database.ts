import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { applyMigrations, type MigrationClient } from "../migrate.ts";
import type { RollupSql } from "./rollup-reader.ts";
import type { BucketTable, CompactedSql, ForgottenTable, Row, Value } from "./sql.ts";

/** Only where the file lies in its own folder: a bundler leaves no `import.meta.dirname`. */
const ownMigrations = (): string => resolve(import.meta.dirname, "../../../prisma/telemetry/migrations");

/** SQLite waits for a lock on the event loop. Telemetry rather comes a second later than that nothing else is taken in meanwhile. */
const busyTimeoutMs = 250;
/** At its start a process has nothing else to do than to wait for another one's migration. */
const openTimeoutMs = 15_000;
/** In a file without content there is nothing to wait for but that another process makes its first page. */
const emptyTimeoutMs = 2_000;

/** Rows deleted by one statement: a few milliseconds of the event loop. A row of buckets is large. */
const deletesPerPass = 5000;
const bucketDeletesPerPass = 100;

export interface TelemetryFile {
  /** The database file; made when it is not there. */
  path: string;
  /** Folder of the migrations; default: this repository's. A bundle says where it put them. */
  migrations?: string;
  /** How long opening it waits for another process that has locked it; milliseconds, default 15,000 (for an empty file 2,000). */
  patienceMs?: number;
}

/** One connection to the telemetry file, with its statements prepared once. Everything in it is synchronous: SQLite is a function call. */
export class TelemetryDatabase implements RollupSql {
  readonly noBytes = "x''";
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  /** How many rows were changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  marks(): Row[] {
    return this.all(
      `SELECT step, until FROM compaction UNION ALL SELECT 0, min(settled_until) / 1000 FROM collector
       UNION ALL SELECT -1, data_version FROM pragma_data_version UNION ALL SELECT -2, sum(late_writes) FROM collector`,
    );
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** All of it or nothing. */
  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** For compaction, whose work is written for PostgreSQL as well, and waits: nothing else may use the connection meanwhile. */
  compacted(): CompactedSql {
    return {
      noBytes: this.noBytes,
      all: (sql, ...values) => this.all(sql, ...values),
      get: (sql, ...values) => this.get(sql, ...values),
      run: (sql, ...values) => this.run(sql, ...values),
      transaction: async (work) => {
        this.#db.exec("BEGIN IMMEDIATE");
        try {
          const result = await work(this);
          this.#db.exec("COMMIT");
          return result;
        } catch (error) {
          if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
          throw error;
        }
      },
      settledUntil: (ownMs) => ownMs, // there is one writer
      forget: (table, column, until) => this.#deleteSome(table, `${column} < ?`, [Math.floor(until)], deletesPerPass),
      forgetBuckets: (table, step, until) =>
        this.#deleteSome(table, "step = ? AND at < ?", [step, until], bucketDeletesPerPass),
    };
  }

  #deleteSome(table: ForgottenTable | BucketTable, where: string, values: Value[], limit: number): boolean {
    const rows = `SELECT rowid FROM ${table} WHERE ${where} LIMIT ${limit}`;
    return this.run(`DELETE FROM ${table} WHERE rowid IN (${rows})`, ...values) >= limit;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * Opens the telemetry file and brings its schema up to date, whichever process comes first. The newest second may be lost when the
 * machine (not the process) goes down: telemetry can bear that, and need not wait for the disk. Throws one sentence that names the file.
 */
export async function openTelemetryFile(file: TelemetryFile): Promise<TelemetryDatabase> {
  const empty = statSync(file.path, { throwIfNoEntry: false })?.size === 0;
  const deadline = Date.now() + (file.patienceMs ?? (empty ? emptyTimeoutMs : openTimeoutMs));
  const database = connect(file.path);
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    await patiently(deadline, () => configure(database));
    const directory = file.migrations ?? ownMigrations();
    await patiently(deadline, () => applyMigrations({ client: migrationClient(database), directory }));
    return database;
  } catch (error) {
    database.close();
    throw isSqliteError(error) ? unusable(file.path, error) : error;
  }
}

/** A connection like the one before, to a file whose schema is known to be up to date. */
export function reconnect(path: string): TelemetryDatabase {
  const database = connect(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    configure(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function connect(path: string): TelemetryDatabase {
  try {
    return new TelemetryDatabase(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function configure(database: TelemetryDatabase): void {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec("PRAGMA journal_size_limit = 16777216");
}

/**
 * Tries again while the file is locked. SQLite's own wait would hold the event loop, and it has none for a change to the write-ahead log,
 * which two processes may both try at once.
 */
async function patiently<T>(deadlineMs: number, work: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLocked(error) || Date.now() > deadlineMs) throw error;
      await wait(10);
    }
  }
}

/** What migrations need of a connection of `node:sqlite`. */
export function migrationClient(database: Pick<TelemetryDatabase, "exec" | "all">): MigrationClient {
  return {
    async transaction() {
      database.exec("BEGIN IMMEDIATE");
      let open = true;
      return {
        async execute(statement) {
          const { sql, args } = typeof statement === "string" ? { sql: statement, args: [] } : statement;
          return { rows: database.all(sql, ...args) };
        },
        executeMultiple: async (sql) => database.exec(sql),
        async commit() {
          database.exec("COMMIT");
          open = false;
        },
        close() {
          if (open) database.exec("ROLLBACK");
        },
      };
    },
  };
}

// Primary result codes. https://www.sqlite.org/rescode.html
const sqliteBusy = 5;
const sqliteReadOnly = 8;
const sqliteCorrupt = 11;
const sqliteCannotOpen = 14;
const sqliteNotADatabase = 26;
/** The extended code of a log that is shorter than its index says. */
const sqliteShortRead = 10 | (2 << 8);

const isSqliteError = (error: unknown): error is Error & { errcode: number } =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number";

/** SQLite's extended result code; what wrapped the error is looked through. */
function extendedCodeOf(error: unknown): number | undefined {
  if (isSqliteError(error)) return error.errcode;
  return error instanceof Error && error.cause !== undefined ? extendedCodeOf(error.cause) : undefined;
}

const codeOf = (error: unknown): number => (extendedCodeOf(error) ?? 0) & 0xff;

/** Whether another process has locked the file. */
export const isLocked = (error: unknown): boolean => codeOf(error) === sqliteBusy;

/** Whether SQLite says that the file is broken, short of its log, or no database. */
export const isDamaged = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === sqliteCorrupt || code === sqliteNotADatabase || extendedCodeOf(error) === sqliteShortRead;
};

function unusable(path: string, error: unknown): Error {
  const code = codeOf(error);
  const text = `the database ${path} can't be used: ${error instanceof Error ? error.message : String(error)}`;
  // Not for good, as a broken config store is: whoever starts the collector tries again, and goes on when the file can be written.
  const where = code === sqliteReadOnly || code === sqliteCannotOpen ? "; its folder must exist and be writable" : "";
  return new Error(text + where, { cause: error });
}

/** Which file it is, not by its name: changes when it was deleted and made again. Undefined while there is none. */
export function fileIdentity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}:${stat.birthtimeMs}`;
}

/**
 * Which file and log a reader has open. While it has, SQLite keeps the log and its index, so that another one means that somebody deleted
 * them, and what is written now goes past this reader.
 */
export function journalIdentity(path: string): string | undefined {
  const parts = journalSuffixes.map((suffix) => fileIdentity(path + suffix));
  return parts.includes(undefined) ? undefined : parts.join();
}

/** Puts a file aside, where the last one put aside makes room for it. The log of a broken one is of no use. */
export function putAside(path: string, why: "damaged" | "locked"): void {
  const aside = `${path}.${why}`;
  forgetJournal(aside);
  if (fileIdentity(path) !== undefined) renameSync(path, aside);
  if (why === "damaged") forgetJournal(path);
  else for (const suffix of journalSuffixes) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
}

const journalSuffixes = ["-wal", "-shm"] as const;

/** The log of a file that is gone would be replayed into the new one. */
export function forgetJournal(path: string): void {
  for (const suffix of journalSuffixes) rmSync(path + suffix, { force: true });
}
