import { MemoryTelemetryStore } from "./memory-store.ts";
import { telemetryStoreContract } from "./testing/contract/contract.ts";

telemetryStoreContract("memory", async () => {
  const store = new MemoryTelemetryStore();
  return { store, reader: store, cleanUp: () => store.close() };
});
