import { UnusableDatabaseError } from "./errors.ts";
import { SqliteClient } from "./sqlite-client.ts";
import { setWriteAheadLog } from "./write-ahead-log.ts";

/** How long a statement waits for another connection's write, in milliseconds. */
export const busyTimeoutMs = 15_000;

type Synchronous = "FULL" | "NORMAL";

/**
 * Opens a SQLite file (`file:/path/to.db`) on one connection, with write-ahead log, so that readers don't wait for writers.
 * Throws one sentence that names the file when it can't be opened or is no database. `synchronous`: FULL survives a power cut with every commit; NORMAL may lose the last ones, never the file.
 */
export async function openSqlite(
  url: string,
  synchronous: Synchronous = "FULL",
  waitMs: number = busyTimeoutMs,
): Promise<SqliteClient> {
  const client = connect(url);
  try {
    await prepare(client, synchronous, waitMs);
    return client;
  } catch (error) {
    client.close();
    throw unusable(url, error);
  }
}

/** A new connection behind the same client: a file that was opened while it could only be read is never written by the old one. */
export async function renewConnection(client: SqliteClient, synchronous: Synchronous, waitMs: number): Promise<void> {
  await client.reconnect();
  await prepare(client, synchronous, waitMs);
}

async function prepare(client: SqliteClient, synchronous: Synchronous, waitMs: number): Promise<void> {
  await client.execute(`PRAGMA busy_timeout = ${waitMs}`);
  await setWriteAheadLog((sql) => client.execute(sql), busyTimeoutMs);
  await client.execute(`PRAGMA synchronous = ${synchronous}`);
  await client.execute("PRAGMA foreign_keys = ON");
}

function connect(url: string): SqliteClient {
  try {
    return new SqliteClient(url.replace(/^file:/, ""), busyTimeoutMs);
  } catch (error) {
    throw unusable(url, error);
  }
}

/** What starting again doesn't mend, with what to do. https://www.sqlite.org/rescode.html */
const lasting: readonly (readonly [RegExp, string])[] = [
  [/SQLITE_(NOTADB|CORRUPT)/, "; it was left as it is: put a backup in its place, or move it away to begin anew"],
  [/SQLITE_(CANTOPEN|READONLY|PERM)|\b14\b/, "; its folder must exist and be writable"],
];

function unusable(url: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const text = `the database ${url.replace(/^file:/, "")} can't be used: ${reason}`;
  const known = lasting.find(([pattern]) => pattern.test(reason));
  return known ? new UnusableDatabaseError(text + known[1], { cause: error }) : new Error(text, { cause: error });
}
