import { MemoryConfigStore } from "./memory-store.ts";
import { describeConfigStore } from "./store.contract.ts";

describeConfigStore("memory", () => ({
  open: async (options) => new MemoryConfigStore(options),
  cleanup: async () => {},
}));
