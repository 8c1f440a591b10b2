import { fromBinary } from "@bufbuild/protobuf";
import { z } from "zod";
import { ListOfSpansSchema, type Span, Span_Kind } from "../gen/proto/zipkin/zipkin_pb.js";
import { mediaType } from "../lib/http-body.ts";
import { clean } from "../wire/peer.ts";
import { noAttributes } from "./attributes.ts";
import { HttpError } from "./http-error.ts";
import type { PostedBody } from "./otlp-http.ts";
import { boundedDuration, hex, leftOut, noSpanDetail, type SpanRecord } from "./span.ts";
import { unpack } from "./unpack.ts";

const hexId = z.string().regex(/^[0-9a-fA-F]+$/);
const Endpoint = z.object({
  serviceName: z.string().nullish(),
  ipv4: z.string().nullish(),
  ipv6: z.string().nullish(),
  port: z.number().nullish(),
});
/** https://github.com/openzipkin/zipkin-api/blob/master/zipkin2-api.yaml */
const ZipkinSpan = z.object({
  traceId: hexId.max(32),
  id: hexId.max(16),
  parentId: hexId.max(16).nullish(),
  name: z.string().nullish(),
  kind: z.string().nullish(),
  timestamp: z.number().nullish(),
  duration: z.number().nullish(),
  localEndpoint: Endpoint.nullish(),
  remoteEndpoint: Endpoint.nullish(),
  annotations: z.array(z.object({ timestamp: z.number(), value: z.string() })).nullish(),
  tags: z.record(z.string(), z.coerce.string()).nullish(),
  shared: z.boolean().nullish(),
});
type ZipkinSpan = z.infer<typeof ZipkinSpan>;

/**
 * The spans of a `POST /api/v2/spans`, JSON or protobuf. A span without valid ids is left out and counted. Throws {@link HttpError}: 400
 * malformed, 413 too large when unpacked, 415 another type.
 */
export async function zipkinSpans(
  posted: PostedBody,
  nowMs: number,
): Promise<{ spans: SpanRecord[]; rejected: number }> {
  const type = mediaType(posted.headers["content-type"]) || "application/json";
  if (type !== "application/json" && type !== "application/x-protobuf") {
    throw new HttpError(415, "content-type must be application/json or application/x-protobuf");
  }
  const bytes = await unpack(posted.body, posted.headers["content-encoding"], posted.maxBytes);
  const list = type === "application/json" ? listOfJson(bytes) : listOfProtobuf(bytes);
  const spans: SpanRecord[] = [];
  for (const item of list) {
    const span = ZipkinSpan.safeParse(item);
    if (span.success && !/^0*$/.test(span.data.traceId) && !/^0*$/.test(span.data.id)) {
      spans.push(spanRecord(span.data, nowMs));
    }
  }
  return { spans, rejected: list.length - spans.length };
}

function listOfJson(bytes: Buffer): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : "malformed body");
  }
  if (!Array.isArray(value)) throw new HttpError(400, "the body must be a list of spans");
  return value;
}

function listOfProtobuf(bytes: Buffer): ZipkinSpan[] {
  try {
    return fromBinary(ListOfSpansSchema, bytes).spans.map(plainSpan);
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : "malformed body");
  }
}

const plainSpan = (span: Span): ZipkinSpan => ({
  traceId: hex(span.traceId),
  id: hex(span.id),
  parentId: span.parentId.length > 0 ? hex(span.parentId) : undefined,
  name: span.name,
  kind: span.kind === Span_Kind.SPAN_KIND_UNSPECIFIED ? undefined : Span_Kind[span.kind],
  timestamp: Number(span.timestamp),
  duration: Number(span.duration),
  localEndpoint: span.localEndpoint && { serviceName: span.localEndpoint.serviceName, port: span.localEndpoint.port },
  remoteEndpoint: span.remoteEndpoint && {
    serviceName: span.remoteEndpoint.serviceName,
    ipv4: span.remoteEndpoint.ipv4.length === 4 ? span.remoteEndpoint.ipv4.join(".") : undefined,
    port: span.remoteEndpoint.port,
  },
  annotations: span.annotations.map(({ timestamp, value }) => ({ timestamp: Number(timestamp), value })),
  tags: span.tags,
  shared: span.shared,
});

/** OTLP's SpanKind numbers. */
const kinds: Record<string, number> = { SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 };
const maxTags = 64;
const maxAnnotations = 32;

/**
 * Zipkin's ids may be of 64 bits: they are filled up with zeros in front, as Zipkin and OpenTelemetry do. A server's half of a shared span has its
 * client's id: it becomes the client's child, with an id of its own.
 */
function spanRecord(span: ZipkinSpan, nowMs: number): SpanRecord {
  const id = span.id.toLowerCase().padStart(16, "0");
  const kind = kinds[span.kind ?? ""] ?? 1;
  const shared = span.shared === true && kind === kinds.SERVER;
  const tags = Object.entries(span.tags ?? {}).slice(0, maxTags);
  const lost = leftOut(
    Math.max(0, Object.keys(span.tags ?? {}).length - maxTags),
    Math.max(0, (span.annotations?.length ?? 0) - maxAnnotations),
    0,
  );
  const remote = span.remoteEndpoint;
  const attributes: Record<string, string | number> = {};
  for (const [key, value] of tags) attributes[clean(key, 128)] = clean(value, 1024);
  if (remote?.serviceName) attributes["peer.service"] ??= clean(remote.serviceName);
  const address = remote?.ipv4 ?? remote?.ipv6;
  if (address) attributes["network.peer.address"] ??= clean(address);
  return {
    ...noSpanDetail,
    traceId: span.traceId.toLowerCase().padStart(32, "0"),
    spanId: shared ? sharedId(id) : id,
    parentSpanId: shared ? id : (span.parentId?.toLowerCase().padStart(16, "0") ?? ""),
    service: clean(span.localEndpoint?.serviceName || "unknown"),
    name: clean(span.name ?? ""),
    kind,
    startUs: boundedTime(span.timestamp || nowMs * 1000),
    durationUs: boundedDuration(span.duration ?? 0),
    // Presence of the tag means an error, whatever its text but "false". https://zipkin.io/zipkin-api/#/default/post_spans
    error: span.tags?.error !== undefined && span.tags.error !== "false",
    attributes,
    resource: noAttributes,
    events: (span.annotations ?? []).slice(0, maxAnnotations).map(({ timestamp, value }) => ({
      atUs: boundedTime(timestamp),
      name: clean(value),
      attributes: noAttributes,
    })),
    ...(lost && { leftOut: lost }),
  };
}

/** Microseconds; what is no time that a number holds exactly is the nearest that is one. */
const boundedTime = (us: number): number => Math.floor(Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, us)));

/** Another id for the same span, always the same one: its bits turned about. */
const sharedId = (id: string): string => (BigInt.asUintN(64, ~BigInt(`0x${id}`)) || 1n).toString(16).padStart(16, "0");
