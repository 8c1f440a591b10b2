import { afterAll, beforeAll, describe } from "vitest";
import { findPostgres, type PostgresServer, startPostgres } from "../../postgres/testing/postgres-server.ts";
import { telemetryStoreContract } from "../testing/contract/contract.ts";
import { openPostgresTelemetryReader } from "./reader.ts";
import { openPostgresTelemetryStore } from "./store.ts";

const binaries = findPostgres();
if (binaries === undefined && process.env.CI) throw new Error("PostgreSQL is not installed, and CI is set");
if (binaries === undefined) console.warn("skipped: PostgreSQL (initdb, postgres) is not installed");

describe.skipIf(binaries === undefined)("on a PostgreSQL server", () => {
  let server: PostgresServer;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "");
  });
  afterAll(() => server.stop());

  telemetryStoreContract("PostgreSQL", async () => {
    const url = await server.database(`contract_${++count}`);
    const store = await openPostgresTelemetryStore({ url });
    const reader = await openPostgresTelemetryReader({ url });
    return {
      store,
      reader,
      async cleanUp() {
        await reader.close();
        await store.close();
      },
    };
  });
});
