import { openSqliteTelemetryReader } from "./sqlite-reader.ts";
import { openSqliteTelemetryStore } from "./sqlite-store.ts";
import { telemetryStoreContract } from "./testing/contract/contract.ts";
import { temporaryDatabase } from "./testing/temporary-database.ts";

telemetryStoreContract("SQLite", async () => {
  const { path, remove } = await temporaryDatabase();
  const store = await openSqliteTelemetryStore({ path });
  const reader = await openSqliteTelemetryReader({ path });
  return {
    store,
    reader,
    async cleanUp() {
      await reader.close();
      await store.close();
      await remove();
    },
  };
});
