import { isIP } from "node:net";
import type { AttributeValues, SpanRow } from "../query/reader.ts";
import { droppedTags } from "./dropped-tags.ts";
import { shownTraceId } from "./find-traces.ts";

/** A span as Zipkin's clients read it; times are microseconds. https://zipkin.io/zipkin-api/ */
export interface ZipkinSpan {
  traceId: string;
  parentId?: string;
  id: string;
  kind?: "CLIENT" | "SERVER" | "PRODUCER" | "CONSUMER";
  name: string;
  timestamp: number;
  duration: number;
  localEndpoint: { serviceName: string };
  remoteEndpoint?: { serviceName?: string; ipv4?: string; ipv6?: string; port?: number };
  annotations?: { timestamp: number; value: string }[];
  tags?: Record<string, string>;
}

/** OTLP's SpanKind numbers; internal spans have no kind there. */
const kinds: Readonly<Record<number, ZipkinSpan["kind"]>> = { 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER" };
const errorStatus = "otel.status_code";

/** What Zipkin has no field for goes into tags, by https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/ */
export function zipkinSpan(span: SpanRow): ZipkinSpan {
  const kind = kinds[span.kind];
  const remote = remoteEndpoint(span.attributes);
  const tags = zipkinTags(span);
  return {
    traceId: shownTraceId(span.traceId),
    ...(span.parentSpanId !== "" && { parentId: span.parentSpanId }),
    id: span.spanId,
    ...(kind && { kind }),
    name: span.name,
    timestamp: span.startUs,
    duration: Math.max(1, Math.round(span.durationUs)),
    localEndpoint: { serviceName: span.service },
    ...(remote && { remoteEndpoint: remote }),
    ...(span.events.length > 0 && { annotations: span.events.map(annotation) }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}

/** The tags by which a span is found, too. */
export function zipkinTags({
  attributes,
  resource,
  error,
  statusMessage,
  scope,
  links,
  leftOut,
}: SpanRow): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const [key, value] of Object.entries(resource)) if (key !== "service.name") tags[key] = text(value);
  for (const [key, value] of Object.entries(attributes)) if (!endpointTags.has(key)) tags[key] = text(value);
  if (error) {
    tags.error ??= statusMessage || "true";
    tags[errorStatus] ??= "ERROR";
  } else delete tags.error; // `error: false` would be an error: Zipkin looks for the tag alone
  if (scope.name !== "") tags["otel.scope.name"] = scope.name;
  if (scope.version !== "") tags["otel.scope.version"] = scope.version;
  for (const [key, value] of Object.entries(scope.attributes ?? {})) tags[`otel.scope.${key}`] = text(value);
  for (const [index, link] of links.entries()) tags[`otlp.link.${index}`] = `${link.traceId}|${link.spanId}`;
  for (const [key, count] of droppedTags(leftOut)) tags[key] = String(count);
  return tags;
}

/** What `remoteEndpoint` says. */
const endpointTags: ReadonlySet<string> = new Set(["peer.service", "network.peer.address", "network.peer.port"]);

function remoteEndpoint(attributes: AttributeValues): ZipkinSpan["remoteEndpoint"] {
  const serviceName = attributes["peer.service"];
  const address = String(attributes["network.peer.address"] ?? "");
  const port = Number(attributes["network.peer.port"]);
  const version = isIP(address);
  const endpoint = {
    ...(typeof serviceName === "string" && { serviceName }),
    ...(version === 4 && { ipv4: address }),
    ...(version === 6 && { ipv6: address }),
    ...(Number.isInteger(port) && port > 0 && { port }),
  };
  return Object.keys(endpoint).length > 0 ? endpoint : undefined;
}

const annotation = ({ atUs, name, attributes }: SpanRow["events"][number]) => ({
  timestamp: atUs,
  value: Object.keys(attributes).length === 0 ? name : `"${name}": ${JSON.stringify(attributes)}`,
});

const text = (value: AttributeValues[string]): string => (Array.isArray(value) ? JSON.stringify(value) : String(value));
