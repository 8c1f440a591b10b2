import type { Client } from "@libsql/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";

/**
 * Prisma's adapter over a client that is open already. It would open one of its own, of the older version that it carries, which opens a new
 * connection after each transaction and forgets the pragmas that `openSqlite` has set.
 */
export class SharedClientAdapter extends PrismaLibSql {
  readonly #client: Client;

  constructor(client: Client) {
    super({ url: "file:already-open" });
    this.#client = client;
  }

  override createClient(): ReturnType<PrismaLibSql["createClient"]> {
    return this.#client;
  }
}
