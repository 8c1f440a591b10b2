import { join } from "node:path";
import { meshPorts } from "../fleet/ports.ts";
import { createLogger } from "../lib/logger.ts";
import { openSqliteTelemetryStore } from "../store/telemetry/sqlite-store.ts";
import { createCollector } from "../telemetry/collector.ts";
import { onShutdown } from "./leash.ts";
import { type CommonOptions, failWith, makeDataFolder, packageRoot, portOffsetOf } from "./options.ts";

/** Access logs and spans in, roll-ups, samples and traces out, into the telemetry file. */
export async function runCollector(options: CommonOptions): Promise<void> {
  try {
    const ports = meshPorts(portOffsetOf(options));
    const logger = createLogger("collector");
    const path = join(makeDataFolder(options), "telemetry.db");
    const store = await openSqliteTelemetryStore({
      path,
      onReplaced: (why) =>
        logger.warn({ path, why }, "the telemetry file could not be used any more; a new one was begun"),
      migrations: join(packageRoot, "prisma/telemetry/migrations"),
    });
    const collector = createCollector({
      store,
      grpcPort: ports.collectorGrpc,
      httpPort: ports.collectorHttp,
      logger,
    });
    await collector.start();
    onShutdown(async () => {
      await collector.stop();
      await store.close();
    });
  } catch (error) {
    failWith(error);
  }
}
