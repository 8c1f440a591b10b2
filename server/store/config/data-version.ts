import type { SqliteClient } from "../sqlite-client.ts";

/**
 * SQLite's `data_version`: moves with every commit of another connection, and only then; reads no page. So what others did is known without
 * asking for the revision, which costs a query with all of Prisma around it. https://sqlite.org/pragma.html#pragma_data_version
 */
export class DataVersion {
  readonly #client: SqliteClient;
  #asked: Promise<unknown> | undefined;

  /** `client`: of one connection (see `openSqlite`), whose own commits don't count. */
  constructor(client: SqliteClient) {
    this.#client = client;
  }

  /**
   * Asks at most once in a turn of the event loop: one call of an API reads several lists, and nothing from outside reaches this process in
   * between. Undefined while a transaction holds the connection, or when it is closed.
   */
  read(): Promise<unknown> {
    if (this.#asked === undefined) {
      setImmediate(() => {
        this.#asked = undefined;
      });
      this.#asked = this.#client.execute("PRAGMA data_version").then(
        ({ rows }) => rows[0]?.[0],
        () => undefined,
      );
    }
    return this.#asked;
  }
}
