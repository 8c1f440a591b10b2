import { resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { findPostgres, type PostgresServer, startPostgres } from "../postgres/testing/postgres-server.ts";
import { openPostgresAccessStore } from "./postgres-access-store.ts";
import { accessStoreContract } from "./testing/contract.ts";

const found = findPostgres();
const migrations = resolve(import.meta.dirname, "../../../prisma/config-postgres/migrations");

describe.skipIf(found === undefined)("people in PostgreSQL", () => {
  let server: PostgresServer;
  let url: string;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres(found ?? "");
  }, 60_000);
  afterAll(() => server?.stop());
  beforeEach(async () => {
    url = await server.database(`access${++count}`);
  });

  accessStoreContract(
    () => openPostgresAccessStore({ url, migrations }),
    (sql) => server.query(url, sql),
  );
});
