import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { AccessLogService } from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { MetricsService as EnvoyMetricsService } from "../gen/proto/envoy/service/metrics/v3/metrics_service_pb.js";
import { LogsService } from "../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import { MetricsService } from "../gen/proto/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js";
import { TraceService } from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { addHealth } from "../grpc/health.ts";
import { grpcListener } from "../grpc/listener.ts";
import { addReflection } from "../grpc/reflection.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { addService, type ServiceHandlers } from "../lib/grpc.ts";
import type { Logger } from "../lib/logger.ts";
import type { Retention } from "../wire/retention.ts";
import { addAccessLogService } from "./als-receiver.ts";
import { type CollectorLimits, defaultLimits } from "./collector-limits.ts";
import { type CollectorStats, renderExportMetrics, renderMetrics, renderSamplingMetrics } from "./counters.ts";
import { addEnvoyMetricsService } from "./envoy-metrics.ts";
import { createExporter } from "./export/exporter.ts";
import type { ExportSettings } from "./export/settings.ts";
import { type CollectorHealth, healthOf } from "./health.ts";
import { createTelemetryHttp, type Endpoints } from "./http-server.ts";
import { IgnoredLogs } from "./ignored-logs.ts";
import { Ingest, type IngestStats } from "./ingest.ts";
import { IstioMetrics } from "./istio-metrics.ts";
import { otlpEndpoint } from "./otlp-http.ts";
import { otlpSignals, type TelemetrySink } from "./otlp-signals.ts";
import { ownEndpoints, prometheusText } from "./own-endpoints.ts";
import { PeerBook } from "./peer-book.ts";
import type { RemoteAccess } from "./remote-callers.ts";
import type { SamplingSettings } from "./sampling-settings.ts";
import type { SpanRecord } from "./span.ts";
import type { StoreReplaced, TelemetryStore } from "./store.ts";
import { TailSampler } from "./tail-sampler.ts";
import { zipkinSpans } from "./zipkin.ts";

export interface CollectorOptions {
  store: TelemetryStore;
  /** Asked for the health: whether the store had to be begun anew. */
  storeReplaced?: () => StoreReplaced | undefined;
  /** Ports to listen on; 0 takes a free one. */
  grpcPort: number;
  httpPort: number;
  /** Zipkin's; left out: its path is served at the HTTP port only. */
  zipkinPort?: number;
  /** What else is answered at Zipkin's port, and, at a port of its own, what Jaeger's query API is. */
  traceApi?: { zipkin: Endpoints; jaeger: Endpoints; jaegerPort: number };
  logger: Logger;
  /** Where everybody is answered; default: loopback. */
  host?: string;
  /** Where others are, who show a certificate; the ports are the same. Left out: nowhere. */
  remote?: RemoteAccess | undefined;
  clock?: Clock;
  limits?: Partial<CollectorLimits>;
  /** Asked before each compaction, in place of what the limits say. */
  retention?: () => Promise<Retention>;
  /** Which traces are kept; left out: all. */
  sampling?: SamplingSettings;
  /** Where what is taken in is passed on to, beside being stored; left out: nowhere. */
  exporting?: ExportSettings;
  /** Names this collector among those that write to the store. */
  id?: string;
}

export interface Collector {
  /** Listens. Rejects with the system's error when a port is taken, having left nothing behind. */
  start(): Promise<void>;
  /**
   * Stops listening, lets open streams end for a moment, and writes what is waiting; what the store can't take then is lost, and told in the log:
   * proxies send again what nobody said to be written. The store stays open.
   */
  stop(): Promise<void>;
  /** `host:port` each; throws before start. */
  addresses(): { grpc: string; http: string; zipkin: string; jaeger?: string };
  stats(): CollectorStats;
  /** Whether what comes in can be written, and what was lost or ignored. */
  health(): Promise<CollectorHealth>;
  /** Where other receivers of this process put what they took, such as Envoy's MetricsService. */
  sink: TelemetrySink;
}

/** A proxy has one connection, with a stream for each of its logs. */
const grpcLimits = { maxStreamsPerConnection: 256, maxConnections: 6_000, firstMessageMs: 15_000 };

/**
 * Takes access logs (ALS), spans (OTLP, Zipkin), applications' logs and metrics (OTLP) from anybody, and writes roll-ups, samples, spans, logs and
 * metrics to the store.
 */
export function createCollector(options: CollectorOptions): Collector {
  const { store, logger, host = "127.0.0.1", clock = systemClock, id = "collector" } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const received = { httpRecords: 0, tcpRecords: 0, spans: 0, rejectedSpans: 0, streams: 0 };
  const ignored = new IgnoredLogs();
  const peers = new PeerBook();
  const istio = new IstioMetrics();
  let ingest: Ingest | undefined;
  const exporter = options.exporting && createExporter({ settings: options.exporting, clock, logger });
  const keepSpans = (spans: readonly SpanRecord[]) => {
    exporter?.spans?.(spans);
    return ingest?.spans(spans) ?? 0;
  };
  const sampler = options.sampling && samplerOf(options.sampling, { store, clock, keep: keepSpans });
  const stats = (): CollectorStats => ({
    ...received,
    ignoredEntries: ignored.total,
    disbelievedCallers: peers.disbelieved,
    ...(ingest?.stats() ?? idleStats),
  });
  const sink: TelemetrySink = {
    spans(spans, rejected = 0) {
      received.rejectedSpans += rejected;
      received.spans += spans.length;
      if (sampler === undefined) return keepSpans(spans);
      sampler.add(spans);
      return spans.length;
    },
    logs: (records) => ingest?.logs(records) ?? 0,
    metrics: (points) => ingest?.metrics(points) ?? 0,
  };
  const health = async (): Promise<CollectorHealth> => {
    const written = (await ingest?.check()) ?? { ok: false, message: "the collector is not running", lastWriteMs: 0 };
    return {
      ...healthOf(written, stats(), ignored.list(), options.storeReplaced?.() ?? null),
      sampling: sampler?.stats() ?? null,
      exports: exporter?.stats() ?? [],
    };
  };
  const now = () => clock.now();
  const signals = otlpSignals(sink, now, exporter);
  const listener = grpcListener({ ...grpcLimits, maxMessageBytes: limits.maxMessageBytes }, clock);
  const grpc = new Server(listener.options);
  const onError = (error: unknown, method: string) => logger.error({ err: error, method }, "a gRPC call failed");
  addAccessLogService(grpc, {
    sink: {
      records: (records, sender) => ingest?.records(records, sender),
      introduce: (sender, first) => ingest?.introduce(sender, first) ?? Promise.resolve(),
      takes: (sender, number) => ingest?.takes(sender, number) ?? false,
      written: (soon) => ingest?.written(soon) ?? Promise.resolve(),
    },
    counters: received,
    ignored,
    peers,
    now,
    onError,
  });
  const traces: Partial<ServiceHandlers<typeof TraceService.method>> = {
    export: ({ request }, callback) => callback(null, create(signals.traces.response, signals.traces.take(request))),
  };
  addService(grpc, TraceService, traces, onError);
  const logs: Partial<ServiceHandlers<typeof LogsService.method>> = {
    export: ({ request }, callback) => callback(null, create(signals.logs.response, signals.logs.take(request))),
  };
  addService(grpc, LogsService, logs, onError);
  const metrics: Partial<ServiceHandlers<typeof MetricsService.method>> = {
    export: ({ request }, callback) => callback(null, create(signals.metrics.response, signals.metrics.take(request))),
  };
  addService(grpc, MetricsService, metrics, onError);
  addEnvoyMetricsService(grpc, { sink, counters: { proxyMetrics: 0 }, now });
  const served = [AccessLogService, TraceService, LogsService, MetricsService, EnvoyMetricsService];
  const healthService = addHealth(
    grpc,
    served.map(({ typeName }) => typeName),
  );
  addReflection(grpc, served);
  const zipkin: Endpoints = {
    "/api/v2/spans": {
      async POST(posted) {
        const { spans, rejected } = await zipkinSpans(posted, now());
        sink.spans(spans, rejected);
        return { status: 202, type: "text/plain", body: "" };
      },
    },
  };
  const metricsText = () =>
    renderMetrics(stats()) +
    (sampler ? renderSamplingMetrics(sampler.stats()) : "") +
    renderExportMetrics(exporter?.stats() ?? []);
  const own = ownEndpoints(health, metricsText);
  const { maxBodyBytes } = limits;
  const failed = (error: unknown, path: string) => logger.error({ err: error, path }, "an HTTP call failed");
  const serving: Record<"http" | "zipkin" | "jaeger", Endpoints> = {
    http: {
      "/v1/traces": otlpEndpoint(signals.traces),
      "/v1/logs": otlpEndpoint(signals.logs),
      "/v1/metrics": otlpEndpoint(signals.metrics),
      ...zipkin,
      ...own,
      "/stats/prometheus": { GET: () => ({ type: prometheusText, body: istio.render() }) },
    },
    zipkin: { ...merged(zipkin, options.traceApi?.zipkin ?? {}), "/health": own["/healthz"] ?? {} },
    jaeger: options.traceApi?.jaeger ?? {},
  };
  const serve = (what: keyof typeof serving, tls?: RemoteAccess["tls"]): HttpServer =>
    createTelemetryHttp({ onError: failed, endpoints: serving[what], maxBodyBytes, ...(tls && { tls }) });
  const [http, zipkinHttp, jaegerHttp] = [serve("http"), serve("zipkin"), serve("jaeger")];
  const remote: HttpServer[] = [];
  let grpcPort: number | undefined;
  const listenRemotely = async ({ addresses, tls }: RemoteAccess, ports: { grpc: number; http: number }) => {
    const { key, cert, clientRoots } = tls;
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
    const credentials = ServerCredentials.createSsl(Buffer.from(clientRoots), [pair], true);
    for (const address of addresses) {
      const at = async (what: keyof typeof serving, port: number) => {
        const server = serve(what, tls);
        remote.push(server);
        await listen(server, port, address);
      };
      await at("http", ports.http);
      if (options.zipkinPort !== undefined) await at("zipkin", portOf(zipkinHttp));
      if (options.traceApi !== undefined) await at("jaeger", portOf(jaegerHttp));
      await listener.listen(grpc, { host: address, port: ports.grpc }, credentials);
    }
    logger.info({ addresses }, "the collector's ports are served to other machines, over mutual TLS");
  };
  const closeHttp = () => {
    for (const server of [http, zipkinHttp, jaegerHttp, ...remote.splice(0)]) {
      server.close();
      server.closeAllConnections();
    }
  };

  return {
    async start() {
      // A store that can't be read is told by the first batch: nothing is counted twice then but what was in doubt when the run before ended.
      const senders = await store.senders().catch((error: unknown) => {
        logger.error({ err: error }, "what proxies sent before is not known");
        return new Map<string, number>();
      });
      const lastRunMs = await store.lastWriteMs(id).catch(() => undefined);
      ingest = new Ingest({
        ...{ id, store, logger, clock, limits, senders, lastRunMs },
        ...(options.retention && { retention: options.retention }),
        onRollups: (entries) => istio.add(entries),
      });
      try {
        await listen(http, options.httpPort, host);
        if (options.zipkinPort !== undefined) await listen(zipkinHttp, options.zipkinPort, host);
        if (options.traceApi !== undefined) await listen(jaegerHttp, options.traceApi.jaegerPort, host);
        const at = { host, port: options.grpcPort };
        grpcPort = await listener.listen(grpc, at, ServerCredentials.createInsecure());
        if (options.remote !== undefined) await listenRemotely(options.remote, { grpc: grpcPort, http: portOf(http) });
      } catch (error) {
        closeHttp();
        await ingest.stop();
        throw error;
      }
      healthService.set(true);
      logger.info(this.addresses(), "collector listens");
    },
    async stop() {
      healthService.set(false);
      // Proxies hold their streams open for ever, so waiting for them to end is bounded.
      await listener.stop(grpc, 500);
      closeHttp();
      sampler?.stop();
      await exporter?.stop();
      const { waitingSpans, waitingLogs, openEntries } = stats();
      await ingest?.stop().catch((error: unknown) => {
        const message = "the last telemetry can't be written, and ends with this process";
        logger.error({ err: error, waitingSpans, waitingLogs, openEntries }, message);
      });
    },
    addresses() {
      if (grpcPort === undefined) throw new Error("the collector is not listening");
      const address = addressOf(http, host);
      return {
        grpc: `${host}:${grpcPort}`,
        http: address,
        zipkin: zipkinHttp.listening ? addressOf(zipkinHttp, host) : address,
        ...(jaegerHttp.listening && { jaeger: addressOf(jaegerHttp, host) }),
      };
    },
    stats,
    health,
    sink,
  };
}

/** One that decides together with the other collectors of the store, where there are any. */
function samplerOf(
  settings: SamplingSettings,
  { store, clock, keep }: { store: TelemetryStore; clock: Clock; keep(spans: readonly SpanRecord[]): void },
): TailSampler {
  const tell = store.shareKeptTraces?.((traceIds) => sampler.keptElsewhere(traceIds));
  const sampler: TailSampler = new TailSampler({ settings, clock, keep, ...(tell && { tell }) });
  return sampler;
}

/** Paths of both; one that both have answers the methods of both. */
const merged = (one: Endpoints, other: Endpoints): Endpoints => ({
  ...one,
  ...Object.fromEntries(Object.entries(other).map(([path, endpoint]) => [path, { ...one[path], ...endpoint }])),
});

async function listen(server: HttpServer, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, "listening");
}

const addressOf = (server: HttpServer, host: string): string => `${host}:${portOf(server)}`;

function portOf(server: HttpServer): number {
  const address = server.address() as AddressInfo | null;
  if (address === null) throw new Error("the collector is not listening");
  return address.port;
}

const idleStats: IngestStats = {
  lateRecords: 0,
  overflowedRecords: 0,
  shedSamples: 0,
  shedSpans: 0,
  logs: 0,
  shedLogs: 0,
  misdatedRecords: 0,
  metricPoints: 0,
  refusedMetricPoints: 0,
  flushes: 0,
  failedFlushes: 0,
  flushMs: 0,
  lastFlushMs: 0,
  compactionMs: 0,
  openEntries: 0,
  waitingSamples: 0,
  waitingSpans: 0,
  waitingLogs: 0,
  metricSeries: 0,
};
