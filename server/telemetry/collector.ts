import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { AccessLogService } from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import {
  ExportTraceServiceResponseSchema,
  TraceService,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { type Clock, systemClock } from "../lib/clock.ts";
import { addService, type ServiceHandlers } from "../lib/grpc.ts";
import type { Logger } from "../lib/logger.ts";
import { defaultRetention } from "../wire/retention.ts";
import { alsHandler } from "./als-receiver.ts";
import { type CollectorStats, renderMetrics } from "./counters.ts";
import { createCollectorHttp } from "./http-server.ts";
import { Ingest, type IngestLimits } from "./ingest.ts";
import { partialSuccess, type TraceSink } from "./otlp-http.ts";
import { spanRecords } from "./span.ts";
import type { TelemetryStore } from "./store.ts";

export interface CollectorOptions {
  store: TelemetryStore;
  /** Ports to listen on; 0 takes a free one. */
  grpcPort: number;
  httpPort: number;
  logger: Logger;
  /** Default: loopback. */
  host?: string;
  clock?: Clock;
  limits?: Partial<CollectorLimits>;
  /** Names this collector among those that write to the store. */
  id?: string;
}

export interface CollectorLimits extends IngestLimits {
  maxMessageBytes: number;
  maxBodyBytes: number;
}

export interface Collector {
  /** Listens. Rejects with the system's error when a port is taken, having left nothing behind. */
  start(): Promise<void>;
  /** Stops listening, lets open streams end for a moment, and writes what is waiting. The store stays open. */
  stop(): Promise<void>;
  /** `host:port` each; throws before start. */
  addresses(): { grpc: string; http: string };
  stats(): CollectorStats;
}

export const defaultLimits: CollectorLimits = {
  maxEdges: 20_000,
  maxEntries: 100_000,
  lateMs: 20_000,
  samplesPerEdgeAndSecond: 5,
  maxWaitingSamples: 10_000,
  maxWaitingSpans: 20_000,
  graceMs: 800,
  retention: defaultRetention,
  maxMessageBytes: 16 << 20,
  maxBodyBytes: 4 << 20,
};

/** Takes access logs (ALS) and spans (OTLP over gRPC and HTTP) from any proxy, and writes roll-ups, samples and spans to the store. */
export function createCollector(options: CollectorOptions): Collector {
  const { store, logger, host = "127.0.0.1", clock = systemClock, id = "collector" } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const received = { httpRecords: 0, tcpRecords: 0, ignoredEntries: 0, rejectedSpans: 0, streams: 0 };
  let ingest: Ingest | undefined;
  const stats = (): CollectorStats => ({ ...received, ...(ingest?.stats() ?? idleStats) });
  const sink: TraceSink = {
    spans(spans, rejected) {
      received.rejectedSpans += rejected;
      ingest?.spans(spans);
    },
  };
  const grpc = new Server({
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_concurrent_streams": 256,
  });
  const onError = (error: unknown, method: string) => logger.error({ err: error, method }, "a gRPC call failed");
  const accessLogs = alsHandler({ records: (records) => ingest?.records(records) }, received);
  addService(grpc, AccessLogService, { streamAccessLogs: accessLogs }, onError);
  const traces: Partial<ServiceHandlers<typeof TraceService.method>> = {
    export(call, callback) {
      const { spans, rejected } = spanRecords(call.request.resourceSpans);
      sink.spans(spans, rejected);
      callback(null, create(ExportTraceServiceResponseSchema, partialSuccess(rejected)));
    },
  };
  addService(grpc, TraceService, traces, onError);
  const http = createCollectorHttp({
    sink,
    metrics: () => renderMetrics(stats()),
    maxBodyBytes: limits.maxBodyBytes,
  });
  let grpcPort: number | undefined;

  return {
    async start() {
      http.listen(options.httpPort, host);
      await once(http, "listening");
      try {
        grpcPort = await bind(grpc, `${host}:${options.grpcPort}`);
      } catch (error) {
        http.close();
        throw error;
      }
      ingest = new Ingest({ id, store, logger, clock, limits });
      logger.info(this.addresses(), "collector listens");
    },
    async stop() {
      await closeGrpc(grpc, clock);
      http.close();
      http.closeAllConnections();
      await ingest?.stop();
    },
    addresses() {
      const address = http.address() as AddressInfo | null;
      if (address === null || grpcPort === undefined) throw new Error("the collector is not listening");
      return { grpc: `${host}:${grpcPort}`, http: `${host}:${address.port}` };
    },
    stats,
  };
}

const idleStats = {
  lateRecords: 0,
  overflowedRecords: 0,
  shedSamples: 0,
  spans: 0,
  shedSpans: 0,
  flushes: 0,
  failedFlushes: 0,
  flushMs: 0,
  lastFlushMs: 0,
  compactionMs: 0,
  openEntries: 0,
  waitingSamples: 0,
  waitingSpans: 0,
};

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** Proxies hold their streams open for ever, so waiting for them to end is bounded. */
function closeGrpc(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, 500);
    server.tryShutdown(() => {
      timer.cancel();
      resolve();
    });
  });
}
