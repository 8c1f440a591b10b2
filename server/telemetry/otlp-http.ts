import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { create, fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { type SpanRecord, spanRecords } from "./span.ts";

/** Why a request was refused, as an HTTP status. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface TraceSink {
  spans(spans: readonly SpanRecord[], rejected: number): void;
}

const protobuf = "application/x-protobuf";
const json = "application/json";

/**
 * The body of `POST /v1/traces`, and the response's. Throws {@link HttpError}: 400 malformed, 413 too large when unpacked, 415 neither
 * protobuf nor JSON. https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export async function exportTraces(
  body: Buffer,
  headers: { "content-type"?: string; "content-encoding"?: string },
  sink: TraceSink,
  maxBytes: number,
): Promise<{ type: string; body: Uint8Array | string }> {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== protobuf && type !== json) throw new HttpError(415, `content-type must be ${protobuf} or ${json}`);
  const request = parse(type, await unpack(body, headers["content-encoding"], maxBytes));
  const { spans, rejected } = spanRecords(request.resourceSpans);
  sink.spans(spans, rejected);
  const response = create(ExportTraceServiceResponseSchema, partialSuccess(rejected));
  return {
    type,
    body:
      type === json
        ? JSON.stringify(toJson(ExportTraceServiceResponseSchema, response))
        : toBinary(ExportTraceServiceResponseSchema, response),
  };
}

/** The part of an OTLP response that tells the client what was not taken; empty when all was. */
export const partialSuccess = (rejected: number) =>
  rejected === 0
    ? {}
    : {
        partialSuccess: {
          rejectedSpans: BigInt(rejected),
          errorMessage: "a span needs a trace id of 16 bytes and a span id of 8",
        },
      };

async function unpack(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  if (encoding === undefined || encoding === "identity") return body;
  if (encoding !== "gzip") throw new HttpError(415, `content-encoding must be gzip or none, not ${encoding}`);
  try {
    return await promisify(gunzip)(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw new HttpError(413, `the unpacked body is over ${maxBytes} bytes`);
    throw new HttpError(400, "the body is not gzip");
  }
}

function parse(type: string, body: Buffer): ExportTraceServiceRequest {
  try {
    if (type === protobuf) return fromBinary(ExportTraceServiceRequestSchema, body);
    const value = JSON.parse(body.toString("utf8"), hexIdsToBase64) as JsonValue;
    return fromJson(ExportTraceServiceRequestSchema, value, { ignoreUnknownFields: true });
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : "malformed body");
  }
}

/** OTLP's JSON writes ids as hex, where proto JSON writes bytes as base64. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
function hexIdsToBase64(key: string, value: unknown): unknown {
  if (key !== "traceId" && key !== "spanId" && key !== "parentSpanId") return value;
  if (typeof value !== "string" || !/^[0-9a-fA-F]*$/.test(value)) return "";
  return Buffer.from(value, "hex").toString("base64");
}
