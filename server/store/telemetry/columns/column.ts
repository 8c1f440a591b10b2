import type { Value } from "../sql.ts";

/** One column of a table that SQLite and PostgreSQL both have: its name, its type on PostgreSQL, and what stands in it. */
export type Column<R> = { readonly name: string } & (
  | { readonly type: "int2" | "int4" | "int8"; of(row: R): number }
  | { readonly type: "text"; of(row: R): string }
  | { readonly type: "bytes"; of(row: R): Uint8Array }
  /** Bytes, told in hex digits. */
  | { readonly type: "hex"; of(row: R): string }
);

export type Columns<R> = readonly Column<R>[];

export const int2 = <R>(name: string, of: (row: R) => number) => integer(name, "int2", 2 ** 15 - 1, of);
export const int4 = <R>(name: string, of: (row: R) => number) => integer(name, "int4", 2 ** 31 - 1, of);
/** Of what a number holds exactly. */
export const int8 = <R>(name: string, of: (row: R) => number) => integer(name, "int8", Number.MAX_SAFE_INTEGER, of);
export const text = <R>(name: string, of: (row: R) => string): Column<R> => ({ name, type: "text", of });
export const bytes = <R>(name: string, of: (row: R) => Uint8Array): Column<R> => ({ name, type: "bytes", of });
export const hex = <R>(name: string, of: (row: R) => string): Column<R> => ({ name, type: "hex", of });

/** What a sender made up must not keep its batch from being written, for ever: it becomes the nearest that the column holds. */
const integer = <R>(name: string, type: "int2" | "int4" | "int8", most: number, of: (row: R) => number): Column<R> => ({
  name,
  type,
  of: (row) => nearest(of(row), most),
});

function nearest(value: number, most: number): number {
  if (value >= -most && value <= most) return Math.trunc(value);
  return Number.isNaN(value) ? 0 : most * Math.sign(value);
}

export const namesOf = (columns: readonly { name: string }[]): string[] => columns.map(({ name }) => name);

/** `INSERT INTO table (…) VALUES (?, …)`. */
export const insertInto = (table: string, columns: readonly { name: string }[]): string =>
  `INSERT INTO ${table} (${namesOf(columns).join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;

/** A row's values in the order of its columns, as SQLite takes them. */
export function valuesOf<R>(columns: Columns<R>, row: R): Value[] {
  const values: Value[] = [];
  for (const column of columns) values.push(written(column, row));
  return values;
}

const written = <R>(column: Column<R>, row: R): Value =>
  column.type === "hex" ? Buffer.from(column.of(row), "hex") : column.of(row);
