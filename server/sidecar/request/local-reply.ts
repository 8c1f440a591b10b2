import { grpcMessage } from "../http/grpc.ts";
import { type FlatHeaders, removeHeader, setHeader } from "../http/headers.ts";
import type { Protocol, StreamResponseHead } from "../http/stream.ts";

/** The head of an answer that is made here. */
export function plainReply(
  protocol: Protocol,
  status: number,
  body: string,
  extra: readonly string[],
): StreamResponseHead {
  const headers: FlatHeaders = [];
  if (body !== "") headers.push("content-length", String(body.length), "content-type", "text/plain");
  else if (status !== 204 && protocol !== "HTTP/2") headers.push("content-length", "0"); // RFC 9110, 8.6
  replaceHeaders(headers, extra);
  return { status, headers, contentLength: body.length, bytes: 0, chunked: false };
}

/** A caller that speaks gRPC gets 200 and its own kind of status, all of it in the head, as in Envoy. */
export function grpcReply(
  protocol: Protocol,
  grpcStatus: number,
  body: string,
  extra: readonly string[],
): StreamResponseHead {
  const headers: FlatHeaders = ["grpc-status", String(grpcStatus)];
  if (body !== "") headers.push("grpc-message", grpcMessage(body));
  if (protocol !== "HTTP/2") headers.push("content-length", "0"); // RFC 9110, 8.6
  replaceHeaders(headers, extra);
  // Whatever else is said, this it is.
  setHeader(headers, "content-type", "application/grpc");
  return { status: 200, headers, contentLength: 0, bytes: 0, chunked: false };
}

/** In place of those of the same names; of a name that comes more than once all stay, such as `set-cookie`. */
function replaceHeaders(headers: FlatHeaders, extra: readonly string[]): void {
  for (let i = 0; i < extra.length; i += 2) removeHeader(headers, extra[i] as string);
  headers.push(...extra);
}
