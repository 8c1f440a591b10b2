import { clientPreface } from "./frames.ts";

/**
 * Tells HTTP/2 with prior knowledge from HTTP/1 by a connection's first bytes, for a `codec_type` of AUTO without ALPN.
 * @returns undefined: too few bytes to tell
 */
export function startsHttp2(bytes: Buffer, start: number, end: number): boolean | undefined {
  const count = Math.min(end - start, tellingBytes);
  if (clientPreface.compare(bytes, start, start + count, 0, count) !== 0) return false;
  return count === tellingBytes ? true : undefined;
}

/** `PRI * HTTP/2`: no HTTP/1 request begins so (Envoy waits for as much). */
const tellingBytes = 12;
