import type { Client } from "@libsql/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";

/**
 * Prisma's adapter over a client that is open already. It would open one of its own, of the older version that it carries, which opens a new
 * connection after each transaction and forgets the pragmas that `openSqlite` has set.
 */
export class SharedClientAdapter extends PrismaLibSql {
  readonly #client: Client;
  #connection: ReturnType<PrismaLibSql["connect"]> | undefined;

  constructor(client: Client) {
    super({ url: "file:already-open" });
    this.#client = client;
  }

  /** One connection for everybody, whose transactions take turns. */
  override connect(): ReturnType<PrismaLibSql["connect"]> {
    this.#connection ??= super.connect();
    return this.#connection;
  }

  override createClient(): ReturnType<PrismaLibSql["createClient"]> {
    return this.#client;
  }
}
