import type { KeyValue } from "../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import {
  type ResourceSpans,
  type Span,
  Status_StatusCode,
} from "../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import { clean } from "../wire/peer.ts";

/** One finished span, from any dialect. */
export interface SpanRecord {
  /** Lower-case hex; the parent is empty for a root. */
  traceId: string;
  spanId: string;
  parentSpanId: string;
  service: string;
  name: string;
  /** OTLP's SpanKind number: 2 is server, 3 is client. */
  kind: number;
  /** Unix microseconds. */
  startUs: number;
  durationUs: number;
  error: boolean;
  attributes: Record<string, string | number | boolean>;
}

const maxAttributes = 64;
/** Characters of all keys and values of one span; what does not fit is left out. */
const maxAttributeChars = 8192;
const maxDurationUs = 100 * 365 * 86_400 * 1e6;

/** Spans without valid ids are left out and counted. https://opentelemetry.io/docs/specs/otlp/ */
export function spanRecords(resources: readonly ResourceSpans[]): { spans: SpanRecord[]; rejected: number } {
  const spans: SpanRecord[] = [];
  let rejected = 0;
  for (const resource of resources) {
    const service = stringAttribute(resource.resource?.attributes ?? [], "service.name") || "unknown";
    for (const scope of resource.scopeSpans) {
      for (const span of scope.spans) {
        if (span.traceId.length === 16 && span.spanId.length === 8) spans.push(spanRecord(span, clean(service)));
        else rejected++;
      }
    }
  }
  return { spans, rejected };
}

function spanRecord(span: Span, service: string): SpanRecord {
  const attributes: SpanRecord["attributes"] = {};
  let room = maxAttributeChars;
  for (const pair of span.attributes.slice(0, maxAttributes)) {
    const value = plainValue(pair);
    if (value === undefined) continue;
    const key = clean(pair.key, 128);
    room -= key.length + String(value).length;
    if (room >= 0) attributes[key] = value;
  }
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: span.parentSpanId.length === 8 ? hex(span.parentSpanId) : "",
    service,
    name: clean(span.name),
    kind: span.kind,
    startUs: Math.min(Number.MAX_SAFE_INTEGER, Number(span.startTimeUnixNano / 1000n)),
    durationUs: Math.min(maxDurationUs, Math.max(0, Number((span.endTimeUnixNano - span.startTimeUnixNano) / 1000n))),
    error: span.status?.code === Status_StatusCode.ERROR || attributes.error === true || attributes.error === "true",
    attributes,
  };
}

function plainValue(pair: KeyValue): string | number | boolean | undefined {
  const value = pair.value?.value;
  switch (value?.case) {
    case "stringValue":
      return clean(value.value, 1024);
    case "boolValue":
    case "doubleValue":
      return value.value;
    case "intValue":
      return Number(value.value);
    default:
      return undefined;
  }
}

function stringAttribute(attributes: readonly KeyValue[], key: string): string {
  const value = attributes.find((pair) => pair.key === key)?.value?.value;
  return value?.case === "stringValue" ? value.value : "";
}

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
