import type { ClientBase } from "pg";
import { StorageError } from "../../config/store.ts";
import type { WriteTransaction } from "../config/write-transaction.ts";

/** Statements are written with `?` for values, as for SQLite; none has a question mark of its own. */
export function numbered(sql: string): string {
  let count = 0;
  return sql.replace(/\?/g, () => `$${++count}`);
}

/**
 * Runs `work` in a transaction on one connection, and rolls back when it throws. Rejects with what `work` throws, and with a `StorageError`
 * where the database is why: out of reach, read-only, full.
 */
export async function postgresTransaction<T>(
  client: ClientBase,
  place: string,
  work: (transaction: WriteTransaction) => Promise<T>,
): Promise<T> {
  const run = async (sql: string, values: readonly unknown[]): Promise<unknown[][]> => {
    try {
      const { rows } = await client.query<unknown[]>({ text: numbered(sql), values: [...values], rowMode: "array" });
      return rows;
    } catch (error) {
      throw unwritable(place, error);
    }
  };
  await run("BEGIN", []);
  let result: T;
  try {
    result = await work({
      query: (sql, ...values) => run(sql, values),
      execute: async (sql, ...values) => void (await run(sql, values)),
    });
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined); // the connection is gone, and the transaction with it
    throw error;
  }
  await run("COMMIT", []);
  return result;
}

export const unwritable = (place: string, error: unknown): StorageError =>
  new StorageError(`the config database ${place} can't be written (${reasonOf(error)}); nothing was changed`, {
    cause: error,
  });

export const unreadable = (place: string, error: unknown): StorageError =>
  new StorageError(`the config database ${place} can't be read (${reasonOf(error)})`, { cause: error });

/** PostgreSQL's words with its code, such as `53100: could not extend file: No space left on device`. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return code && !error.message.includes(code) ? `${code}: ${error.message}` : error.message;
}

/** Without the password, for messages. */
export function placeOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return "PostgreSQL";
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
