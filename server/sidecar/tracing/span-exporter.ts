import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Client } from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { Span } from "../../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import type { Clock } from "../../lib/clock.ts";
import type { Counter, Stats } from "../stats.ts";

interface SpanExporterOptions {
  serviceName: string;
  channel: () => Client | undefined;
  stats: Stats;
  clock: Clock;
  flushIntervalMs?: number;
  /** A full queue sheds new spans, counted. */
  maxQueue?: number;
}

const method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const maxBatch = 512;
const timeoutMs = 5_000;

/** Sends spans in batches over OTLP/gRPC, one export at a time. Never throws, never blocks; a failed batch is lost and counted. */
export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #sent: Counter;
  readonly #dropped: Counter;
  #queue: Span[] = [];
  #timer: { cancel(): void } | undefined;
  #exporting: Promise<void> | undefined;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#sent = options.stats.counter("tracing.opentelemetry.spans_sent");
    this.#dropped = options.stats.counter("tracing.opentelemetry.spans_dropped");
  }

  add(span: Span): void {
    if (this.#queue.length >= (this.#options.maxQueue ?? 4_096)) {
      this.#dropped.inc();
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= maxBatch) this.#flush();
    else this.#schedule();
  }

  /** Exports what is left, once. */
  async close(): Promise<void> {
    await this.#exporting;
    this.#flush();
    await this.#exporting;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.setTimeout(() => this.#flush(), this.#options.flushIntervalMs ?? 1_000);
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#exporting !== undefined || this.#queue.length === 0) return;
    const spans = this.#queue.slice(0, maxBatch);
    this.#queue = this.#queue.slice(maxBatch);
    this.#exporting = this.#export(spans).then((ok) => {
      (ok ? this.#sent : this.#dropped).inc(spans.length);
      this.#exporting = undefined;
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #export(spans: Span[]): Promise<boolean> {
    const channel = this.#options.channel();
    if (channel === undefined) return Promise.resolve(false);
    const attribute = (key: string, value: string) => ({
      key,
      value: { value: { case: "stringValue" as const, value } },
    });
    const request = create(ExportTraceServiceRequestSchema, {
      resourceSpans: [
        {
          resource: {
            attributes: [
              attribute("service.name", this.#options.serviceName),
              attribute("telemetry.sdk.language", "nodejs"),
              attribute("telemetry.sdk.name", "limpid-sidecar"),
            ],
          },
          scopeSpans: [{ spans }],
        },
      ],
    });
    return new Promise((resolve) => {
      channel.makeUnaryRequest(
        method,
        (message: ExportTraceServiceRequest) => Buffer.from(toBinary(ExportTraceServiceRequestSchema, message)),
        (bytes: Buffer) => fromBinary(ExportTraceServiceResponseSchema, bytes),
        request,
        new Metadata(),
        { deadline: this.#options.clock.now() + timeoutMs },
        (error) => resolve(error === null),
      );
    });
  }
}
