import type { ClientBase, Connection, Submittable } from "pg";
import { namesOf } from "../columns/column.ts";
import type { CopyRows } from "./copy-rows.ts";

/** What pg's connection has for COPY, and its types don't. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** Sends rows into a table. Nothing is sent of no rows. */
export function copyIn<R>(client: ClientBase, table: string, rows: CopyRows<R>): Promise<void> {
  if (rows.rows === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const sql = `COPY ${table} (${namesOf(rows.columns).join(", ")}) FROM STDIN (FORMAT binary)`;
    client.query(new CopyIn(sql, rows.finish(), (error) => (error ? reject(error) : resolve())));
  });
}

/** One COPY in pg's queue of queries. */
class CopyIn implements Submittable {
  readonly #sql: string;
  readonly #data: Buffer;
  /** Called once, by pg as well: when its timeout is up, or the connection ends. */
  callback: (error?: Error | null) => void;

  constructor(sql: string, data: Buffer, done: (error?: Error | null) => void) {
    this.#sql = sql;
    this.#data = data;
    this.callback = done;
  }

  submit(connection: Connection): void {
    (connection as unknown as CopyConnection).query(this.#sql);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#data);
    connection.endCopyFrom();
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback();
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
}
