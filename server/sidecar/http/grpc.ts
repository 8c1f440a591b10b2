import { getHeader } from "./headers.ts";

/** Whether a message is gRPC's, by its `content-type`: parameters are none of it, to Envoy neither. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function isGrpc(headers: readonly string[]): boolean {
  const type = getHeader(headers, "content-type") ?? "";
  return type.startsWith("application/grpc") && (type.length === 16 || type.charAt(16) === "+");
}

/** The `grpc-status` of a response: of its trailers or, where there is nothing but a head, among its headers. Undefined: it has none. */
export function grpcStatusOf(headers: readonly string[], trailers: readonly string[] | undefined): string | undefined {
  return getHeader(trailers ?? none, "grpc-status") ?? getHeader(headers, "grpc-status");
}

/** What an answer of HTTP is to a caller that speaks gRPC. https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
export function grpcStatusFor(httpStatus: number): number {
  return statuses[httpStatus] ?? 2;
}

/** What a status of gRPC is to somebody who speaks only HTTP. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
export const httpStatusFor = (grpcStatus: number): number => httpStatuses[grpcStatus] ?? 500;

const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** Percent-encoded as `grpc-message` wants it. @param wire a byte a character */
export const grpcMessage = (wire: string): string =>
  wire.replace(/[^ -$&-~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

const none: readonly string[] = [];

const statuses: Record<number, number | undefined> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
