import { PrismaLibSql } from "@prisma/adapter-libsql";
import type { SqliteClient } from "../sqlite-client.ts";

type LibSqlClient = ReturnType<PrismaLibSql["createClient"]>;

/**
 * Prisma's adapter over a client that is open already, and is ours: libsql's would open a new connection after each transaction, forget the
 * pragmas that `openSqlite` has set, and leave files open that it has closed (decisions/0041).
 */
export class SharedClientAdapter extends PrismaLibSql {
  readonly #client: SqliteClient;
  #connection: ReturnType<PrismaLibSql["connect"]> | undefined;

  constructor(client: SqliteClient) {
    super({ url: "file:already-open" });
    this.#client = client;
  }

  /** One connection for everybody, whose transactions take turns. */
  override connect(): ReturnType<PrismaLibSql["connect"]> {
    this.#connection ??= super.connect();
    return this.#connection;
  }

  override createClient(): LibSqlClient {
    // The adapter calls execute, executeMultiple, transaction and close, no more.
    return this.#client as unknown as LibSqlClient;
  }
}
