import type { AttributeValues, SpanRow } from "../query/reader.ts";
import { buildTrace } from "../query/trace-tree.ts";
import { droppedTags } from "./dropped-tags.ts";
import { shownTraceId } from "./find-traces.ts";

/** A trace as Jaeger's page reads it; times are microseconds. https://github.com/jaegertracing/jaeger/blob/main/internal/uimodel/model.go */
export interface JaegerTrace {
  traceID: string;
  spans: JaegerSpan[];
  processes: Record<string, { serviceName: string; tags: JaegerTag[] }>;
  warnings: null;
}

export interface JaegerSpan {
  traceID: string;
  spanID: string;
  operationName: string;
  references: { refType: "CHILD_OF" | "FOLLOWS_FROM"; traceID: string; spanID: string }[];
  startTime: number;
  duration: number;
  tags: JaegerTag[];
  logs: { timestamp: number; fields: JaegerTag[] }[];
  processID: string;
  warnings: string[] | null;
}

export interface JaegerTag {
  key: string;
  type: "string" | "bool" | "int64" | "float64";
  value: string | number | boolean;
}

/** `adjusted`: what clocks that run apart shifted is shifted back, and said. */
export function jaegerTrace(spans: readonly SpanRow[], adjusted: boolean): JaegerTrace {
  const skews = adjusted ? skewsOf(spans) : new Map<SpanRow, number>();
  const processes = new Map<string, { id: string; serviceName: string; tags: JaegerTag[] }>();
  const processOf = ({ service, resource }: SpanRow): string => {
    const key = JSON.stringify([service, resource]);
    const known = processes.get(key);
    if (known) return known.id;
    const { "service.name": _, ...rest } = resource;
    const made = { id: `p${processes.size + 1}`, serviceName: service, tags: tagsOf(rest) };
    processes.set(key, made);
    return made.id;
  };
  const shown = spans.map((span) => jaegerSpan(span, processOf(span), skews.get(span) ?? 0));
  return {
    traceID: shownTraceId(spans[0]?.traceId ?? ""),
    spans: shown,
    processes: Object.fromEntries([...processes.values()].map(({ id, ...process }) => [id, process])),
    warnings: null,
  };
}

function jaegerSpan(span: SpanRow, processID: string, skewUs: number): JaegerSpan {
  const traceID = shownTraceId(span.traceId);
  return {
    traceID,
    spanID: span.spanId,
    operationName: span.name,
    references: [
      ...(span.parentSpanId === "" ? [] : [{ refType: "CHILD_OF" as const, traceID, spanID: span.parentSpanId }]),
      ...span.links.map((link) => ({
        refType: "FOLLOWS_FROM" as const,
        traceID: shownTraceId(link.traceId),
        spanID: link.spanId,
      })),
    ],
    startTime: span.startUs + skewUs,
    duration: Math.round(span.durationUs),
    tags: jaegerTags(span),
    logs: span.events.map(({ atUs, name, attributes }) => ({
      timestamp: atUs + skewUs,
      fields: [tag("event", name), ...tagsOf(attributes)],
    })),
    processID,
    warnings: skewUs === 0 ? null : [`clock skew adjustment applied: ${skewUs / 1000}ms`],
  };
}

const kinds: Readonly<Record<number, string>> = {
  1: "internal",
  2: "server",
  3: "client",
  4: "producer",
  5: "consumer",
};

/** What Jaeger has no field for goes into tags, by https://opentelemetry.io/docs/specs/otel/compatibility/ and Jaeger's own conversion. */
export function jaegerTags({
  attributes,
  kind,
  error,
  statusMessage,
  scope,
  traceState,
  leftOut,
}: SpanRow): JaegerTag[] {
  const { error: _, ...plain } = attributes;
  const tags = tagsOf(plain);
  const add = (key: string, value: string | boolean | undefined) => {
    if (value !== undefined && value !== "" && attributes[key] === undefined) tags.push(tag(key, value));
  };
  add("span.kind", kinds[kind]);
  if (error) {
    tags.push(tag("error", true));
    add("otel.status_code", "ERROR");
    add("otel.status_description", statusMessage);
  }
  add("otel.scope.name", scope.name);
  add("otel.scope.version", scope.version);
  tags.push(...tagsOf(scope.attributes ?? {}).map((each) => ({ ...each, key: `otel.scope.${each.key}` })));
  add("w3c.tracestate", traceState);
  for (const [key, count] of droppedTags(leftOut)) tags.push(tag(key, count));
  return tags;
}

const tagsOf = (attributes: AttributeValues): JaegerTag[] =>
  Object.entries(attributes).map(([key, value]) => tag(key, typeof value === "object" ? JSON.stringify(value) : value));

function tag(key: string, value: string | number | boolean): JaegerTag {
  if (typeof value === "boolean") return { key, type: "bool", value };
  if (typeof value === "string") return { key, type: "string", value };
  return { key, type: Number.isSafeInteger(value) ? "int64" : "float64", value };
}

/** By span; twins of one id are told apart by their service and kind. */
function skewsOf(spans: readonly SpanRow[]): Map<SpanRow, number> {
  const keyOf = ({ spanId, service, kind }: Pick<SpanRow, "spanId" | "service" | "kind">) =>
    `${spanId} ${kind} ${service}`;
  const skews = new Map((buildTrace(spans)?.tree ?? []).map((span) => [keyOf(span), span.skewUs]));
  return new Map(spans.map((span) => [span, Math.round(skews.get(keyOf(span)) ?? 0)]));
}
