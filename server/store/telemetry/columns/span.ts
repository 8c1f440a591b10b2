import type { SpanRecord } from "../../../telemetry/span.ts";
import { detailOf, operationsText, type TraceDraft } from "../trace-draft.ts";
import { bytes, type Columns, hex, int2, int4, int8, text } from "./column.ts";

export interface SpanEntry {
  span: SpanRecord;
  /** The number of its resource. */
  resource: number;
  receivedAtMs: number;
}

export const spanColumns: Columns<SpanEntry> = [
  hex("trace_id", ({ span }) => span.traceId),
  hex("span_id", ({ span }) => span.spanId),
  hex("parent_span_id", ({ span }) => span.parentSpanId),
  text("service", ({ span }) => span.service),
  text("name", ({ span }) => span.name),
  int4("kind", ({ span }) => span.kind),
  int8("start_us", ({ span }) => span.startUs),
  int8("duration_us", ({ span }) => span.durationUs),
  int2("error", ({ span }) => (span.error ? 1 : 0)),
  text("attributes", ({ span }) => JSON.stringify(span.attributes)),
  int4("resource", ({ resource }) => resource),
  text("detail", ({ span }) => detailOf(span)),
  int8("received_at", ({ receivedAtMs }) => receivedAtMs),
];

export interface TraceEntry {
  traceId: string;
  trace: TraceDraft;
  receivedAtMs: number;
}

/** What a search looks at. */
export const traceColumns: Columns<TraceEntry> = [
  hex("trace_id", ({ traceId }) => traceId),
  int8("start_us", ({ trace }) => trace.startUs),
  int8("end_us", ({ trace }) => trace.endUs),
  int4("errors", ({ trace }) => trace.errors),
  text("operations", ({ trace }) => operationsText(trace.operations)),
  bytes("terms", ({ trace }) => trace.terms.encode()),
  int8("received_at", ({ receivedAtMs }) => receivedAtMs),
];
