import { create } from "@bufbuild/protobuf";
import {
  type AnyValue,
  AnyValueSchema,
  ArrayValueSchema,
  InstrumentationScopeSchema,
  type KeyValue,
  KeyValueSchema,
} from "../../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import { ResourceSchema } from "../../gen/proto/opentelemetry/proto/resource/v1/resource_pb.js";
import {
  type ResourceSpans,
  ResourceSpansSchema,
  type ScopeSpans,
  ScopeSpansSchema,
  type Span,
  Span_EventSchema,
  Span_LinkSchema,
  SpanSchema,
  Status_StatusCode,
  StatusSchema,
} from "../../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import type { Attributes, AttributeValue } from "../attributes.ts";
import type { SpanRecord } from "../span.ts";

/** Spans as OTLP has them: as they came in where they came as OTLP, else put together from what is known. */
export function resourceSpans(records: readonly SpanRecord[]): ResourceSpans[] {
  const made = new Map<unknown, { resource: ResourceSpans; scopes: Map<unknown, ScopeSpans> }>();
  for (const record of records) {
    const { origin } = record;
    // Zipkin's spans share nothing: a resource of theirs is a service.
    const key = origin?.resource ?? record.service;
    let group = made.get(key);
    if (group === undefined) {
      group = { resource: origin ? withoutSpans(origin.resource) : ofService(record.service), scopes: new Map() };
      made.set(key, group);
    }
    const scopeKey = origin?.scope ?? record.scope.name;
    let scope = group.scopes.get(scopeKey);
    if (scope === undefined) {
      scope = origin ? withoutSpan(origin.scope) : ofScope(record.scope);
      group.scopes.set(scopeKey, scope);
      group.resource.scopeSpans.push(scope);
    }
    scope.spans.push(origin?.span ?? otlpSpan(record));
  }
  return [...made.values()].map(({ resource }) => resource);
}

const withoutSpans = ({ resource, schemaUrl }: ResourceSpans): ResourceSpans =>
  create(ResourceSpansSchema, { ...(resource && { resource }), schemaUrl });

const withoutSpan = ({ scope, schemaUrl }: ScopeSpans): ScopeSpans =>
  create(ScopeSpansSchema, { ...(scope && { scope }), schemaUrl });

const ofService = (service: string): ResourceSpans =>
  create(ResourceSpansSchema, {
    resource: create(ResourceSchema, { attributes: keyValues({ "service.name": service }) }),
  });

const ofScope = ({ name, version, attributes = {} }: SpanRecord["scope"]): ScopeSpans =>
  create(ScopeSpansSchema, {
    scope: create(InstrumentationScopeSchema, { name, version, attributes: keyValues(attributes) }),
  });

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const nanos = (microseconds: number): bigint => BigInt(Math.round(microseconds)) * 1000n;

function otlpSpan(record: SpanRecord): Span {
  const { error, statusMessage } = record;
  return create(SpanSchema, {
    traceId: bytes(record.traceId),
    spanId: bytes(record.spanId),
    parentSpanId: bytes(record.parentSpanId),
    traceState: record.traceState,
    name: record.name,
    kind: record.kind,
    startTimeUnixNano: nanos(record.startUs),
    endTimeUnixNano: nanos(record.startUs + record.durationUs),
    attributes: keyValues(record.attributes),
    events: record.events.map(({ atUs, name, attributes }) =>
      create(Span_EventSchema, { timeUnixNano: nanos(atUs), name, attributes: keyValues(attributes) }),
    ),
    links: record.links.map((link) =>
      create(Span_LinkSchema, {
        traceId: bytes(link.traceId),
        spanId: bytes(link.spanId),
        attributes: keyValues(link.attributes),
      }),
    ),
    droppedAttributesCount: record.leftOut?.attributes ?? 0,
    droppedEventsCount: record.leftOut?.events ?? 0,
    droppedLinksCount: record.leftOut?.links ?? 0,
    ...(error && { status: create(StatusSchema, { code: Status_StatusCode.ERROR, message: statusMessage }) }),
  });
}

const keyValues = (attributes: Attributes): KeyValue[] =>
  Object.entries(attributes).map(([key, value]) => create(KeyValueSchema, { key, value: anyValue(value) }));

function anyValue(value: AttributeValue): AnyValue {
  if (typeof value === "object") {
    const values = value.map(anyValue);
    return create(AnyValueSchema, { value: { case: "arrayValue", value: create(ArrayValueSchema, { values }) } });
  }
  if (typeof value === "string") return create(AnyValueSchema, { value: { case: "stringValue", value } });
  if (typeof value === "boolean") return create(AnyValueSchema, { value: { case: "boolValue", value } });
  if (Number.isSafeInteger(value)) {
    return create(AnyValueSchema, { value: { case: "intValue", value: BigInt(value) } });
  }
  return create(AnyValueSchema, { value: { case: "doubleValue", value } });
}
