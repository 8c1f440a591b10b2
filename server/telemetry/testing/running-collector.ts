import { afterEach, beforeEach } from "vitest";
import { silentLogger } from "../../lib/logger.ts";
import { MemoryTelemetryStore } from "../../store/telemetry/memory-store.ts";
import { type Collector, type CollectorOptions, createCollector } from "../collector.ts";

export interface RunningCollector {
  store: MemoryTelemetryStore;
  collector: Collector;
  /** At its HTTP port. */
  url(path: string): string;
  /** Another one in its place, that writes to the same store. */
  restart(options?: Partial<CollectorOptions>): Promise<void>;
  /** Requests in the store. */
  counted(): Promise<number>;
}

/** A collector over a store in memory for each test, on free ports; a body may have 4,096 bytes. */
export function runningCollector(): RunningCollector {
  const run = async (options: Partial<CollectorOptions>) => {
    const ports = { grpcPort: 0, httpPort: 0 };
    running.collector = createCollector({ store: running.store, ...ports, logger: silentLogger, ...options });
    await running.collector.start();
  };
  const store = new MemoryTelemetryStore();
  const running: RunningCollector = {
    store,
    collector: createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger }),
    url: (path) => `http://${running.collector.addresses().http}${path}`,
    async restart(options = {}) {
      await running.collector.stop();
      await run(options);
    },
    async counted() {
      const rows = await running.store.rollups({ fromMs: 0, toMs: Date.now() + 60_000, stepSec: 1 });
      return rows.reduce((sum, row) => sum + row.count, 0);
    },
  };
  beforeEach(async () => {
    running.store = new MemoryTelemetryStore();
    await run({ limits: { maxBodyBytes: 4096 } });
  });
  afterEach(() => running.collector.stop());
  return running;
}
