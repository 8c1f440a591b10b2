import type { SQLInputValue, SQLOutputValue } from "node:sqlite";

export type Row = Record<string, SQLOutputValue>;
export type Value = SQLInputValue;
type MaybePromise<T> = T | Promise<T>;

/**
 * A telemetry database, as the statements see it that SQLite and PostgreSQL both run: `?` stands for a value, tables and views have the same
 * names and columns, and what SQLite has and PostgreSQL lacks (`instr`, `hex`) are functions of its schema.
 */
export interface Sql {
  /** The literal of an empty byte string; an index of SQLite's is found by it. */
  readonly noBytes: string;
  all(sql: string, ...values: Value[]): MaybePromise<Row[]>;
  get(sql: string, ...values: Value[]): MaybePromise<Row | undefined>;
  /** How many rows were changed. */
  run(sql: string, ...values: Value[]): MaybePromise<number>;
}

/** What is folded and forgotten, and how: by rows, or by partitions. */
export interface CompactedSql extends Sql {
  /** All of it or nothing, and nobody else writes meanwhile. */
  transaction<T>(work: (sql: Sql) => MaybePromise<T>): Promise<T>;
  /** Unix milliseconds; before it nobody writes any more, this collector or another one. */
  settledUntil(ownMs: number): MaybePromise<number>;
  /** Forgets what is older, whose `column` has less than `until`, in bounded pieces. Whether there is more. */
  forget(table: ForgottenTable, column: string, until: number): MaybePromise<boolean>;
  /** The same with a table of buckets, whose time is in seconds. */
  forgetBuckets(table: BucketTable, step: number, until: number): MaybePromise<boolean>;
}

export type BucketTable = "rollup" | "metric_bucket";
export type ForgottenTable =
  | "access_log"
  | "span"
  | "trace"
  | "log"
  | "operation"
  | "resource"
  | "metric_series"
  | "metric_state"
  | "gap"
  | "log_sender";
