import {
  type ResourceSpans,
  type ScopeSpans,
  type Span,
  Status_StatusCode,
} from "../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import { healthCheckerAgent } from "../wire/health-checker.ts";
import { clean } from "../wire/peer.ts";
import { type AttributeLimits, type Attributes, noAttributes, plainAttributes, stringAttribute } from "./attributes.ts";

/** One finished span, from any dialect. */
export interface SpanRecord extends SpanDetail {
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
  attributes: Attributes;
  /** Of what made it, such as `service.name` and `host.name`; the same object for the spans of one resource. */
  resource: Attributes;
  /** As it came in, where it is to be passed on. */
  origin?: SpanOrigin;
}

/** A span of OTLP with what it was wrapped in, emptied; the same objects for the spans of one resource and scope. */
export interface SpanOrigin {
  span: Span;
  resource: ResourceSpans;
  scope: ScopeSpans;
}

/** What few spans have. */
export interface SpanDetail {
  /** W3C tracestate; empty: none. */
  traceState: string;
  statusMessage: string;
  /** The library that made it; names may be empty, and attributes are left out where there are none. */
  scope: { name: string; version: string; attributes?: Attributes };
  events: readonly SpanEvent[];
  links: readonly SpanLink[];
  /** How many it had more of, by what its sender and the collector left out; not there where that is none. */
  leftOut?: { attributes: number; events: number; links: number };
}

export interface SpanEvent {
  /** Unix microseconds. */
  atUs: number;
  name: string;
  attributes: Attributes;
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  attributes: Attributes;
}

export const noSpanDetail: SpanDetail = Object.freeze({
  traceState: "",
  statusMessage: "",
  scope: { name: "", version: "" },
  events: [],
  links: [],
});

const maxDurationUs = 100 * 365 * 86_400 * 1e6;
const maxEvents = 32;
const maxLinks = 32;
const eventLimits: AttributeLimits = { maxCount: 16, maxChars: 4096 };

/** Spans without valid ids are left out and counted, those of health checks are left out. https://opentelemetry.io/docs/specs/otlp/ */
export function spanRecords(
  resources: readonly ResourceSpans[],
  withOrigin = false,
): { spans: SpanRecord[]; rejected: number } {
  const spans: SpanRecord[] = [];
  let rejected = 0;
  for (const resource of resources) {
    // A held span must not hold the whole request.
    const emptied = withOrigin ? { ...resource, scopeSpans: [] } : resource;
    const pairs = resource.resource?.attributes ?? [];
    const of = {
      service: clean(stringAttribute(pairs, "service.name") || "unknown"),
      resource: pairs.length === 0 ? noAttributes : plainAttributes(pairs),
    };
    for (const scope of resource.scopeSpans) {
      const by = scopeOf(scope.scope);
      const origin = { resource: emptied, scope: withOrigin ? { ...scope, spans: [] } : scope };
      for (const span of scope.spans) {
        if (!hasIds(span.traceId, span.spanId)) {
          rejected++;
          continue;
        }
        const record = { ...spanRecord(span), ...of, scope: by };
        // Nobody looks for these, and there is one for each probe of each endpoint.
        if (record.attributes.user_agent === healthCheckerAgent) continue;
        spans.push(withOrigin ? { ...record, origin: { span, ...origin } } : record);
      }
    }
  }
  return { spans, rejected };
}

function scopeOf(scope: ScopeSpans["scope"]): SpanDetail["scope"] {
  const by = { name: clean(scope?.name ?? ""), version: clean(scope?.version ?? "", 64) };
  const pairs = scope?.attributes ?? [];
  return pairs.length === 0 ? by : { ...by, attributes: plainAttributes(pairs, eventLimits) };
}

function spanRecord(span: Span): Omit<SpanRecord, "service" | "resource" | "scope"> {
  const attributes = plainAttributes(span.attributes);
  const links = span.links.length === 0 ? span.links : span.links.filter((link) => hasIds(link.traceId, link.spanId));
  const lost = leftOut(
    span.droppedAttributesCount + span.attributes.length - Object.keys(attributes).length,
    span.droppedEventsCount + Math.max(0, span.events.length - maxEvents),
    span.droppedLinksCount + span.links.length - Math.min(links.length, maxLinks),
  );
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: span.parentSpanId.length === 8 ? hex(span.parentSpanId) : "",
    name: clean(span.name),
    kind: span.kind,
    startUs: microseconds(span.startTimeUnixNano),
    durationUs: boundedDuration(Number((span.endTimeUnixNano - span.startTimeUnixNano) / 1000n)),
    error: span.status?.code === Status_StatusCode.ERROR || attributes.error === true || attributes.error === "true",
    attributes,
    traceState: clean(span.traceState, 512),
    statusMessage: clean(span.status?.message ?? "", 1024),
    events: span.events.slice(0, maxEvents).map((event) => ({
      atUs: microseconds(event.timeUnixNano),
      name: clean(event.name),
      attributes: plainAttributes(event.attributes, eventLimits),
    })),
    links: links.slice(0, maxLinks).map((link) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      attributes: plainAttributes(link.attributes, eventLimits),
    })),
    ...(lost && { leftOut: lost }),
  };
}

const hasIds = (traceId: Uint8Array, spanId: Uint8Array): boolean => traceId.length === 16 && spanId.length === 8;

export const leftOut = (attributes: number, events: number, links: number): SpanDetail["leftOut"] | undefined =>
  attributes + events + links > 0 ? { attributes, events, links } : undefined;

/** Microseconds, of a span whose clock may have been set meanwhile: not negative, and a century at the most. */
export const boundedDuration = (us: number): number => Math.min(maxDurationUs, Math.max(0, Math.round(us)));

export const microseconds = (nanos: bigint): number => Math.min(Number.MAX_SAFE_INTEGER, Number(nanos / 1000n));

export const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
