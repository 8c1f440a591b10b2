import { create, toBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "../gen/proto/google/rpc/status_pb.js";
import { mediaType } from "../lib/http-body.ts";

/**
 * A failure as OTLP/HTTP wants it: a `google.rpc.Status`, in the encoding of the request.
 * https://opentelemetry.io/docs/specs/otlp/#failures
 */
export function otlpError(
  contentType: string | undefined,
  httpStatus: number,
  message: string,
): { type: string; body: string | Uint8Array } {
  const code = codes[httpStatus] ?? (httpStatus < 500 ? invalidArgument : unavailable);
  if (mediaType(contentType) !== "application/x-protobuf")
    return { type: "application/json", body: JSON.stringify({ code, message }) };
  return { type: "application/x-protobuf", body: toBinary(StatusSchema, create(StatusSchema, { code, message })) };
}

const [invalidArgument, unavailable] = [3, 14];

/** gRPC's numbers, by HTTP status. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const codes: Readonly<Record<number, number>> = { 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 429: 8, 500: 13 };
