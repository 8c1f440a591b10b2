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
    const data = makeDataFolder(options);
    const store = await openSqliteTelemetryStore({
      path: join(data, "telemetry.db"),
      migrations: join(packageRoot, "prisma/telemetry/migrations"),
    });
    const collector = createCollector({
      store,
      grpcPort: ports.collectorGrpc,
      httpPort: ports.collectorHttp,
      logger: createLogger("collector"),
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
