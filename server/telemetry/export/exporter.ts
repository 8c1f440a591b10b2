import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  ExportLogsServiceRequestSchema,
  ExportLogsServiceResponseSchema,
  LogsService,
} from "../../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import {
  ExportMetricsServiceRequestSchema,
  ExportMetricsServiceResponseSchema,
  MetricsService,
} from "../../gen/proto/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js";
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
  TraceService,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { ResourceLogs } from "../../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import type { Metric, ResourceMetrics } from "../../gen/proto/opentelemetry/proto/metrics/v1/metrics_pb.js";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { SpanRecord } from "../span.ts";
import type { ReadResponse } from "./delivery.ts";
import { defaultExportLimits, type ExportLimits, ExportQueue, type ExportQueueStats } from "./export-queue.ts";
import { grpcTransport } from "./grpc-transport.ts";
import { httpTransport } from "./http-transport.ts";
import { resourceSpans } from "./otlp-spans.ts";
import { type Cutting, halvesOf, piecesOf, wrapped } from "./pieces.ts";
import { type ExportSettings, type ExportSignal, type ExportTarget, exportSignals } from "./settings.ts";

export interface ExportStats extends ExportQueueStats {
  signal: ExportSignal;
  /** Without its path and its query, which may be secret. */
  endpoint: string;
}

/** Passes on what the collector takes in to an OTLP backend, signal by signal. */
export interface Exporter {
  /** Kept spans; left out: traces are not passed on. */
  spans?: (records: readonly SpanRecord[]) => void;
  metrics?: (resources: readonly ResourceMetrics[]) => void;
  logs?: (resources: readonly ResourceLogs[]) => void;
  stats(): ExportStats[];
  /** Sends what waits, for some seconds at the most. */
  stop(): Promise<void>;
}

export interface ExporterOptions {
  settings: ExportSettings;
  clock: Clock;
  logger: Logger;
  limits?: Partial<ExportLimits>;
}

export function createExporter({ settings, clock, logger, limits = {} }: ExporterOptions): Exporter {
  const queues: Partial<Record<ExportSignal, ExportQueue>> = {};
  const maxBytes = limits.maxBatchBytes ?? defaultExportLimits.maxBatchBytes;
  const open = <Part>(signal: ExportSignal, cutting: Cutting<Part>) => {
    const target = settings[signal];
    if (target === undefined) return undefined;
    const transport = transportOf(target, signal);
    const child = logger.child({ export: signal, endpoint: target.url.origin });
    const queue = new ExportQueue({ transport, clock, logger: child, limits });
    queues[signal] = queue;
    return (part: Part) => {
      for (const piece of piecesOf(part, cutting, maxBytes)) queue.add(piece);
    };
  };
  const spans = open("traces", ofSpans);
  const metrics = open("metrics", ofMetrics);
  const logs = open("logs", ofLogs);
  return {
    ...(spans && { spans }),
    ...(metrics && { metrics }),
    ...(logs && { logs }),
    stats: () =>
      exportSignals.flatMap((signal) => {
        const queue = queues[signal];
        return queue ? { signal, endpoint: settings[signal]?.url.origin ?? "", ...queue.stats() } : [];
      }),
    async stop() {
      await Promise.all(Object.values(queues).map((queue) => queue.stop()));
    },
  };
}

const encoded = <Desc extends DescMessage>(schema: Desc, fields: MessageInitShape<Desc>): Uint8Array =>
  toBinary(schema, create(schema, fields));

function transportOf(target: ExportTarget, signal: ExportSignal) {
  const { service, read } = services[signal];
  return target.protocol === "grpc" ? grpcTransport(target, `/${service}/Export`, read) : httpTransport(target, read);
}

const services: Record<ExportSignal, { service: string; read: ReadResponse }> = {
  traces: {
    service: TraceService.typeName,
    read(bytes) {
      const { partialSuccess: part } = fromBinary(ExportTraceServiceResponseSchema, bytes);
      return { rejected: Number(part?.rejectedSpans ?? 0n), message: part?.errorMessage ?? "" };
    },
  },
  metrics: {
    service: MetricsService.typeName,
    read(bytes) {
      const { partialSuccess: part } = fromBinary(ExportMetricsServiceResponseSchema, bytes);
      return { rejected: Number(part?.rejectedDataPoints ?? 0n), message: part?.errorMessage ?? "" };
    },
  },
  logs: {
    service: LogsService.typeName,
    read(bytes) {
      const { partialSuccess: part } = fromBinary(ExportLogsServiceResponseSchema, bytes);
      return { rejected: Number(part?.rejectedLogRecords ?? 0n), message: part?.errorMessage ?? "" };
    },
  },
};

const ofSpans: Cutting<readonly SpanRecord[]> = {
  encode: (records) => encoded(ExportTraceServiceRequestSchema, { resourceSpans: resourceSpans(records) }),
  count: (records) => records.length,
  halve: (records) => halvesOf(records),
};

const ofMetrics: Cutting<readonly ResourceMetrics[]> = {
  encode: (parts) => encoded(ExportMetricsServiceRequestSchema, { resourceMetrics: [...parts] }),
  count: (parts) => sum(parts.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((of) => of.metrics.map(pointsOf)))),
  halve: (parts) =>
    halvesOf(parts, (resource) =>
      wrapped(
        halvesOf(resource.scopeMetrics, (scope) =>
          wrapped(halvesOf(scope.metrics), (metrics) => ({ ...scope, metrics })),
        ),
        (scopeMetrics) => ({ ...resource, scopeMetrics }),
      ),
    ),
};

const ofLogs: Cutting<readonly ResourceLogs[]> = {
  encode: (parts) => encoded(ExportLogsServiceRequestSchema, { resourceLogs: [...parts] }),
  count: (parts) => sum(parts.flatMap(({ scopeLogs }) => scopeLogs.map(({ logRecords }) => logRecords.length))),
  halve: (parts) =>
    halvesOf(parts, (resource) =>
      wrapped(
        halvesOf(resource.scopeLogs, (scope) =>
          wrapped(halvesOf(scope.logRecords), (logRecords) => ({ ...scope, logRecords })),
        ),
        (scopeLogs) => ({ ...resource, scopeLogs }),
      ),
    ),
};

const pointsOf = ({ data }: Metric): number => (data.case === undefined ? 0 : data.value.dataPoints.length);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
