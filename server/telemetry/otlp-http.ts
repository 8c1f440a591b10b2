import {
  create,
  type DescMessage,
  fromBinary,
  fromJson,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { mediaType } from "../lib/http-body.ts";
import { HttpError } from "./http-error.ts";
import type { Endpoint } from "./http-server.ts";
import { otlpError } from "./otlp-error.ts";
import { parseOtlpJson } from "./otlp-json.ts";
import type { OtlpSignal } from "./otlp-signals.ts";
import { unpack } from "./unpack.ts";

const protobuf = "application/x-protobuf";
const json = "application/json";

export interface PostedBody {
  body: Buffer;
  headers: { "content-type"?: string | undefined; "content-encoding"?: string | undefined };
  /** Of the body unpacked. */
  maxBytes: number;
}

/** One of OTLP's three paths; failures are told as OTLP has them. */
export const otlpEndpoint = <Request extends DescMessage, Response extends DescMessage>(
  signal: OtlpSignal<Request, Response>,
): Endpoint => ({
  POST: (posted) => exportOverHttp(posted, signal),
  failure: (status, message, headers) => otlpError(headers["content-type"], status, message),
});

/**
 * The answer to `POST /v1/traces`, `/v1/logs` or `/v1/metrics`. Throws {@link HttpError}: 400 malformed, 413 too large when unpacked, 415
 * neither protobuf nor JSON. https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
async function exportOverHttp<Request extends DescMessage, Response extends DescMessage>(
  { body, headers, maxBytes }: PostedBody,
  signal: OtlpSignal<Request, Response>,
): Promise<{ type: string; body: Uint8Array | string }> {
  const type = mediaType(headers["content-type"]);
  if (type !== protobuf && type !== json) throw new HttpError(415, `content-type must be ${protobuf} or ${json}`);
  const request = parse(signal.request, type, await unpack(body, headers["content-encoding"], maxBytes));
  const response = create(signal.response, signal.take(request));
  return {
    type,
    body: type === json ? JSON.stringify(toJson(signal.response, response)) : toBinary(signal.response, response),
  };
}

function parse<Request extends DescMessage>(schema: Request, type: string, body: Buffer): MessageShape<Request> {
  try {
    if (type === protobuf) return fromBinary(schema, body);
    return fromJson(schema, parseOtlpJson(body.toString("utf8")), { ignoreUnknownFields: true });
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : "malformed body");
  }
}
