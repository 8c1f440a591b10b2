import { meshPorts } from "../fleet/ports.ts";
import { parseAllowedHosts } from "../lib/allowed-host.ts";
import { systemClock } from "../lib/clock.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { collectorName, openTelemetryReader, openTelemetryStore } from "../store/open-telemetry.ts";
import { type RetentionBook, retentionBook } from "../store/retention-book.ts";
import { createCollector } from "../telemetry/collector.ts";
import { parseSampling } from "../telemetry/sampling-settings.ts";
import type { StoreReplaced } from "../telemetry/store.ts";
import { createDependencies } from "../trace-api/dependencies.ts";
import { jaegerApi } from "../trace-api/jaeger-api.ts";
import { zipkinApi } from "../trace-api/zipkin-api.ts";
import type { Retention } from "../wire/retention.ts";
import { describeRetention, effectiveRetention, parseRetention } from "../wire/retention-settings.ts";
import { columns } from "./columns.ts";
import { exportSettings } from "./export-settings.ts";
import { onShutdown } from "./leash.ts";
import { type CommonOptions, failWith, makeDataFolder, packageRoot, portOffsetOf } from "./options.ts";
import { remoteAccess } from "./remote-access.ts";

export interface CollectorCommandOptions extends CommonOptions {
  /** As parseRetention reads it; `list` prints every setting instead of running. */
  retention?: string;
  /** As parseSampling reads it. */
  traceSampling?: string;
  /** Instead of LIMPID_EXPORTER_OTLP_ENDPOINT. */
  exportOtlp?: string;
}

/** Access logs, spans, applications' logs and metrics in; roll-ups, samples, traces, logs and series out, into the telemetry file or database. */
export async function runCollector(options: CollectorCommandOptions): Promise<void> {
  try {
    if (options.retention === "list") {
      const settings = describeRetention(parseRetention(process.env.LIMPID_RETENTION));
      process.stdout.write(columns([["SETTING", "VALUE", "DISK", "OF WHAT"], ...settings]));
      return;
    }
    const own = options.retention ?? process.env.LIMPID_RETENTION;
    const retention = parseRetention(own);
    const sampling = parseSampling(options.traceSampling ?? process.env.LIMPID_TRACE_SAMPLING);
    const ports = meshPorts(portOffsetOf(options));
    const exporting = exportSettings(options.exportOtlp, process.env, ports);
    const logger = createLogger("collector");
    const database = process.env.LIMPID_TELEMETRY_DATABASE;
    const place = { data: makeDataFolder(options), root: packageRoot, database };
    let replaced: StoreReplaced | undefined;
    const store = await openTelemetryStore(place, {
      onReplaced(why) {
        replaced = { atMs: Date.now(), why };
        logger.warn({ data: place.data, why }, "the telemetry file could not be used any more; a new one was begun");
      },
      onUnreachable: (error) => logger.error({ err: error }, "the telemetry database is tried again with every batch"),
    });
    const reader = await openTelemetryReader(place);
    const asked = { reader, dependencies: createDependencies(reader), now: Date.now };
    const collector = createCollector({
      id: collectorName(place),
      store,
      storeReplaced: () => replaced,
      grpcPort: ports.collectorGrpc,
      httpPort: ports.collectorHttp,
      zipkinPort: ports.zipkin,
      traceApi: { zipkin: zipkinApi(asked), jaeger: jaegerApi(asked), jaegerPort: ports.jaeger },
      remote: await remoteAccess(
        place.data,
        process.env,
        parseAllowedHosts(process.env.LIMPID_ALLOWED_HOSTS),
        systemClock,
      ),
      limits: { retention },
      retention: followedRetention(retentionBook(place), own, logger),
      ...(sampling && { sampling }),
      ...(Object.keys(exporting).length > 0 && { exporting }),
      logger,
    });
    await collector.start();
    onShutdown(async () => {
      await collector.stop();
      await reader.close();
      await store.close();
    });
  } catch (error) {
    failWith(error);
  }
}

/** As it was set on the page last, and before that as the flag or the variable says. Settings that don't go together are told once. */
function followedRetention(book: RetentionBook, own: string | undefined, logger: Logger): () => Promise<Retention> {
  let told = "";
  return async () => {
    const { retention, why = "" } = effectiveRetention(await book.read(), own);
    if (why !== "" && why !== told) logger.warn({ why }, "settings of retention that were made on the page don't hold");
    told = why;
    return retention;
  };
}
