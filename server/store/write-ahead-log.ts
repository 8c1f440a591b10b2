/** SQLite doesn't use the busy timeout for this one: of two processes that both try it at once one must ask again. */
export async function setWriteAheadLog(execute: (sql: string) => unknown, waitMs: number): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      await execute("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** By the client's code, or by the number that `node:sqlite` has. https://www.sqlite.org/rescode.html#busy */
const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  (("code" in error && String(error.code).startsWith("SQLITE_BUSY")) ||
    ("errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === busy));

const busy = 5;
