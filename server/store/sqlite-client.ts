import { accessSync, chmodSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { sqliteCode } from "./sqlite-codes.ts";

export type SqliteValue = null | string | number | bigint | ArrayBuffer;

/** Values by place and by column name. */
export interface SqliteRow {
  length: number;
  [column: number | string]: SqliteValue;
}

export interface SqliteResult {
  columns: string[];
  /** As they were declared; empty for an expression. */
  columnTypes: string[];
  rows: SqliteRow[];
  rowsAffected: number;
  lastInsertRowid: bigint | undefined;
}

export type SqliteStatement = string | { sql: string; args?: readonly unknown[] };

/** In the form that libsql's client has, which Prisma's adapter reads. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  /** Such as `SQLITE_READONLY`. https://www.sqlite.org/rescode.html */
  readonly code: string;
  /** The extended code. */
  readonly rawCode: number | undefined;

  constructor(code: string, message: string, rawCode?: number, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.rawCode = rawCode;
  }
}

/** Statements that are kept prepared. */
const maxStatements = 100;

/**
 * One connection to a SQLite file, in the shape of libsql's client, over `node:sqlite`: libsql's own leaves files open after `close()`, so that
 * a file that was opened while it could only be read could never be written again (SQLite shares what it knows of a log between the
 * connections of a process), and each new connection was a leak. decisions/0041
 */
export class SqliteClient {
  readonly #path: string;
  readonly #timeoutMs: number;
  #connection: Connection | undefined;
  #transaction: SqliteTransaction | undefined;

  /** Opens the file, or makes it. Throws `SqliteError`. `timeoutMs`: how long a statement waits for another connection's write. */
  constructor(path: string, timeoutMs: number) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#connection = new Connection(path, timeoutMs);
  }

  /** Rejects with a `SqliteError`: also while a transaction is open, whose connection this is. */
  async execute(statement: SqliteStatement): Promise<SqliteResult> {
    return this.#idle().execute(statement);
  }

  async executeMultiple(sql: string): Promise<void> {
    this.#idle().exec(sql);
  }

  /** One at a time. `write` takes SQLite's lock at once, `deferred` with the first statement that needs it. */
  async transaction(mode: "write" | "deferred" = "write"): Promise<SqliteTransaction> {
    const connection = this.#idle();
    connection.exec(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED");
    const transaction = new SqliteTransaction(connection, () => {
      if (this.#transaction === transaction) this.#transaction = undefined;
    });
    this.#transaction = transaction;
    return transaction;
  }

  /** Another connection in place of this one, whose open transaction is rolled back. */
  async reconnect(): Promise<void> {
    this.close();
    this.#connection = new Connection(this.#path, this.#timeoutMs);
  }

  close(): void {
    this.#transaction = undefined;
    this.#connection?.close();
    this.#connection = undefined;
  }

  #idle(): Connection {
    if (this.#connection === undefined) throw new SqliteError("CLIENT_CLOSED", "the connection is closed");
    if (this.#transaction !== undefined)
      throw new SqliteError("TRANSACTION_ACTIVE", "an open transaction holds the connection");
    return this.#connection;
  }
}

export class SqliteTransaction {
  readonly #connection: Connection;
  readonly #onEnd: () => void;
  #isOpen = true;

  constructor(connection: Connection, onEnd: () => void) {
    this.#connection = connection;
    this.#onEnd = onEnd;
  }

  async execute(statement: SqliteStatement): Promise<SqliteResult> {
    return this.#open().execute(statement);
  }

  async executeMultiple(sql: string): Promise<void> {
    this.#open().exec(sql);
  }

  async commit(): Promise<void> {
    this.#end("COMMIT");
  }

  async rollback(): Promise<void> {
    this.close();
  }

  /** Rolls back what was not committed. */
  close(): void {
    if (this.#isOpen) this.#end("ROLLBACK");
  }

  get closed(): boolean {
    return !this.#isOpen;
  }

  #open(): Connection {
    if (!this.#isOpen) throw new SqliteError("TRANSACTION_CLOSED", "the transaction is closed");
    return this.#connection;
  }

  #end(how: "COMMIT" | "ROLLBACK"): void {
    const connection = this.#open();
    this.#isOpen = false;
    try {
      // SQLite itself rolls back after some errors, such as a disk that is full; a connection that was renewed has nothing to end.
      if (connection.isInTransaction) connection.exec(how);
      else if (how === "COMMIT") throw new SqliteError("TRANSACTION_CLOSED", "the transaction was rolled back");
    } finally {
      connection.rollBack();
      this.#onEnd();
    }
  }
}

/** `node:sqlite` with its statements kept, and its errors and values in libsql's form. */
class Connection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, timeoutMs: number) {
    this.#db = told(() => openFile(path, timeoutMs));
  }

  get isInTransaction(): boolean {
    return this.#db.isOpen && this.#db.isTransaction;
  }

  exec(sql: string): void {
    told(() => this.#db.exec(sql));
  }

  execute(statement: SqliteStatement): SqliteResult {
    const { sql, args = [] } = typeof statement === "string" ? { sql: statement } : statement;
    return told(() => {
      const prepared = this.#prepared(sql);
      const declared = prepared.columns();
      const values = args.map(toSql);
      if (declared.length === 0) {
        const { changes, lastInsertRowid } = prepared.run(...values);
        return {
          columns: [],
          columnTypes: [],
          rows: [],
          rowsAffected: Number(changes),
          lastInsertRowid: BigInt(lastInsertRowid),
        };
      }
      const columns = declared.map(({ name }) => name);
      const rows = prepared.all(...values).map((row) => fromSql(Object.values(Object(row)), columns));
      const columnTypes = declared.map(({ type }) => type ?? "");
      return { columns, columnTypes, rows, rowsAffected: 0, lastInsertRowid: undefined };
    });
  }

  /** Ends whatever is left open: nobody may go on in another one's transaction. */
  rollBack(): void {
    if (this.isInTransaction) this.#db.exec("ROLLBACK");
  }

  close(): void {
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  #prepared(sql: string): StatementSync {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) return kept;
    const statement = this.#db.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    const [eldest] = this.#statements.keys();
    if (this.#statements.size > maxStatements && eldest !== undefined) this.#statements.delete(eldest);
    return statement;
  }
}

/**
 * A file whose log nobody can make, since its folder can't be written, is read as it lies there: a mesh goes on being served from a file system
 * that is read-only. Nobody else writes it then; whoever did would have made the log. https://www.sqlite.org/wal.html#read_only_databases
 */
function openFile(path: string, timeout: number): DatabaseSync {
  alignLogModes(path);
  const db = new DatabaseSync(path, { timeout });
  try {
    db.exec("PRAGMA schema_version");
    return db;
  } catch (error) {
    db.close();
    if (![readOnly, cannotOpen].includes(codeOf(error) ?? 0) || !existsSync(path) || isWritable(dirname(path)))
      throw error;
    const asItLies = pathToFileURL(path);
    asItLies.searchParams.set("immutable", "1");
    return new DatabaseSync(asItLies, { timeout, readOnly: true });
  }
}

/** The log has the mode that the file had when it was made. One of a file that is writable by now would keep it read-only. */
function alignLogModes(path: string): void {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined || (file.mode & 0o222) === 0) return;
  for (const log of [`${path}-wal`, `${path}-shm`]) {
    const found = statSync(log, { throwIfNoEntry: false });
    if (found !== undefined && found.uid === process.getuid?.() && (found.mode & 0o222) === 0)
      chmodSync(log, file.mode & 0o666);
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const readOnly = 8; // SQLite's code for it, of which one kind is a folder that has no place for a log
const cannotOpen = 14;

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;

function told<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "errcode" in error && typeof error.errcode === "number")
      throw new SqliteError(sqliteCode(error.errcode), error.message, error.errcode, { cause: error });
    throw error;
  }
}

function toSql(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} can't be stored: no number`);
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint")
    return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) return value.valueOf();
  throw new TypeError(`a value of type ${typeof value} can't be stored`);
}

function fromSql(values: unknown[], columns: readonly string[]): SqliteRow {
  const row: SqliteRow = { length: values.length };
  for (const [place, value] of values.entries()) {
    const read = plain(value);
    row[place] = read;
    const column = columns[place];
    if (column !== undefined && !Object.hasOwn(row, column)) row[column] = read;
  }
  return row;
}

function plain(value: unknown): SqliteValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large for a number`);
    return number;
  }
  if (value instanceof Uint8Array) return Uint8Array.from(value).buffer;
  return typeof value === "string" || typeof value === "number" ? value : null;
}
