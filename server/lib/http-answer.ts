import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { finished } from "node:stream/promises";

/** How much of a refused body is taken in, and for how long, so that its sender comes to read why. */
const lingerBytes = 64 * 1024 * 1024;
const lingerMs = 10_000;

/**
 * Answers with the whole of a payload, also while the client still sends. Closing then would reset the connection, and the reset would overtake the answer
 * on its way (RFC 9112 §9.6); so what comes is read and thrown away, within bounds, and the connection ends after it. A HEAD gets no body.
 */
export function answerWhole(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  payload: string | Uint8Array,
): void {
  const { req: request } = response;
  // RFC 9110 §8.6: none with 204.
  const head = status === 204 ? headers : { ...headers, "content-length": Buffer.byteLength(payload) };
  const sent = request.method === "HEAD" || status === 204 ? "" : payload;
  if (!isComing(request)) {
    response.writeHead(status, head);
    response.end(sent);
    return;
  }
  response.writeHead(status, { ...head, connection: "close" });
  response.write(sent); // the whole answer; ending it would end the connection
  void restOf(request).then(() => response.end());
}

/** A request without a body is complete, whether or not Node has come to say so. */
const isComing = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0);

/** Resolves when the rest of a request has come and gone, or there was too much of it. */
async function restOf(request: IncomingMessage): Promise<void> {
  let left = lingerBytes;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
  const timer = setTimeout(() => request.destroy(), lingerMs);
  await finished(request).catch(() => undefined);
  clearTimeout(timer);
}
