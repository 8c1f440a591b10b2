import { join } from "node:path";
import { meshPorts } from "../fleet/ports.ts";
import { createLogger } from "../lib/logger.ts";
import { openSqliteTelemetryStore } from "../store/telemetry/sqlite-store.ts";
import { createCollector } from "../telemetry/collector.ts";
import type { StoreReplaced } from "../telemetry/store.ts";
import { describeRetention, parseRetention } from "../wire/retention-settings.ts";
import { columns } from "./columns.ts";
import { onShutdown } from "./leash.ts";
import { type CommonOptions, failWith, makeDataFolder, packageRoot, portOffsetOf } from "./options.ts";

export interface CollectorCommandOptions extends CommonOptions {
  /** As parseRetention reads it; `list` prints every setting instead of running. */
  retention?: string;
}

/** Access logs, spans, applications' logs and metrics in; roll-ups, samples, traces, logs and series out, into the telemetry file. */
export async function runCollector(options: CollectorCommandOptions): Promise<void> {
  try {
    if (options.retention === "list") {
      const settings = describeRetention(parseRetention(process.env.LIMPID_RETENTION));
      process.stdout.write(columns([["SETTING", "VALUE", "DISK", "OF WHAT"], ...settings]));
      return;
    }
    const retention = parseRetention(options.retention ?? process.env.LIMPID_RETENTION);
    const ports = meshPorts(portOffsetOf(options));
    const logger = createLogger("collector");
    const path = join(makeDataFolder(options), "telemetry.db");
    let replaced: StoreReplaced | undefined;
    const store = await openSqliteTelemetryStore({
      path,
      onReplaced(why) {
        replaced = { atMs: Date.now(), why };
        logger.warn({ path, why }, "the telemetry file could not be used any more; a new one was begun");
      },
      migrations: join(packageRoot, "prisma/telemetry/migrations"),
    });
    const collector = createCollector({
      store,
      storeReplaced: () => replaced,
      grpcPort: ports.collectorGrpc,
      httpPort: ports.collectorHttp,
      zipkinPort: ports.zipkin,
      limits: { retention },
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
