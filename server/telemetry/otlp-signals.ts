import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import {
  ExportLogsServiceRequestSchema,
  ExportLogsServiceResponseSchema,
} from "../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import {
  ExportMetricsServiceRequestSchema,
  ExportMetricsServiceResponseSchema,
} from "../gen/proto/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js";
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { Exporter } from "./export/exporter.ts";
import type { LogRecord } from "./log-record.ts";
import type { MetricPoint } from "./metric-record.ts";
import { logRecords } from "./otlp-logs.ts";
import { metricPoints } from "./otlp-metrics.ts";
import { type SpanRecord, spanRecords } from "./span.ts";

/** Where telemetry goes, whatever dialect it came in. Each tells how much it took; the rest is shed, or refused. */
export interface TelemetrySink {
  spans(spans: readonly SpanRecord[], rejected?: number): number;
  logs(records: readonly LogRecord[]): number;
  metrics(points: readonly MetricPoint[]): number;
}

/** One of OTLP's three, over gRPC and HTTP alike. */
export interface OtlpSignal<Request extends DescMessage, Response extends DescMessage> {
  request: Request;
  response: Response;
  /** The response's fields: which part was not taken, and why; nothing when all was. */
  take(request: MessageShape<Request>): MessageInitShape<Response>;
}

const defineSignal = <Request extends DescMessage, Response extends DescMessage>(
  signal: OtlpSignal<Request, Response>,
): OtlpSignal<Request, Response> => signal;

/**
 * A `partial_success`: the sender must not send what was refused again. https://opentelemetry.io/docs/specs/otlp/#partial-success-1
 * Logs and metrics are passed on as they came, also where there is no room for them here; spans by whoever decides which are kept.
 */
export const otlpSignals = (sink: TelemetrySink, now: () => number, exporter?: Exporter) => ({
  traces: defineSignal({
    request: ExportTraceServiceRequestSchema,
    response: ExportTraceServiceResponseSchema,
    take({ resourceSpans }) {
      const { spans, rejected } = spanRecords(resourceSpans, exporter?.spans !== undefined);
      const shed = spans.length - sink.spans(spans, rejected);
      if (rejected + shed === 0) return {};
      const reasons = [
        rejected > 0 && `${rejected} without a trace id of 16 bytes and a span id of 8`,
        shed > 0 && `${shed} more than the collector can hold at the moment`,
      ];
      const errorMessage = `spans dropped: ${reasons.filter(Boolean).join("; ")}`;
      return { partialSuccess: { rejectedSpans: BigInt(rejected + shed), errorMessage } };
    },
  }),
  logs: defineSignal({
    request: ExportLogsServiceRequestSchema,
    response: ExportLogsServiceResponseSchema,
    take({ resourceLogs }) {
      exporter?.logs?.(resourceLogs);
      const records = logRecords(resourceLogs, now());
      const shed = records.length - sink.logs(records);
      const errorMessage = `${shed} log records dropped: more than the collector can hold at the moment`;
      return shed === 0 ? {} : { partialSuccess: { rejectedLogRecords: BigInt(shed), errorMessage } };
    },
  }),
  metrics: defineSignal({
    request: ExportMetricsServiceRequestSchema,
    response: ExportMetricsServiceResponseSchema,
    take({ resourceMetrics }) {
      exporter?.metrics?.(resourceMetrics);
      const points = metricPoints(resourceMetrics);
      const refused = points.length - sink.metrics(points);
      const errorMessage = `${refused} data points dropped: there are too many different series; max-series is the bound`;
      return refused === 0 ? {} : { partialSuccess: { rejectedDataPoints: BigInt(refused), errorMessage } };
    },
  }),
});
