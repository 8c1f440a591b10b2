import { create } from "@bufbuild/protobuf";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { Span } from "../../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import type { Clock } from "../../lib/clock.ts";
import { BatchExporter } from "../batch-exporter.ts";
import type { Stats } from "../stats.ts";

interface SpanExporterOptions {
  serviceName: string;
  /** False: the spans are lost. Never rejects. */
  send(request: ExportTraceServiceRequest): Promise<boolean>;
  stats: Stats;
  clock: Clock;
}

/** Sends spans in batches over OTLP. */
export const spanExporter = ({ serviceName, send, stats, clock }: SpanExporterOptions): BatchExporter<Span> =>
  new BatchExporter({
    send: (spans) => send(requestOf(serviceName, spans)),
    sent: stats.counter("tracing.opentelemetry.spans_sent"),
    dropped: stats.counter("tracing.opentelemetry.spans_dropped"),
    clock,
  });

function requestOf(serviceName: string, spans: readonly Span[]): ExportTraceServiceRequest {
  const attribute = (key: string, value: string) => ({
    key,
    value: { value: { case: "stringValue" as const, value } },
  });
  return create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        resource: {
          attributes: [
            attribute("service.name", serviceName),
            attribute("telemetry.sdk.language", "nodejs"),
            attribute("telemetry.sdk.name", "limpid-sidecar"),
          ],
        },
        scopeSpans: [{ spans: [...spans] }],
      },
    ],
  });
}
