import type { MessageParser } from "./parser.ts";

/** Tells what a `body` event of a parser has found: as on the wire, or decoded where that was asked for. */
export function tellData(
  handler: { onData(bytes: Buffer, start: number, end: number, total?: number): void },
  parser: MessageParser,
  bytes: Buffer,
): void {
  const { ranges } = parser;
  if (!parser.head.chunked) {
    handler.onData(bytes, parser.bodyStart, parser.bodyEnd);
    return;
  }
  if (ranges === undefined) {
    handler.onData(bytes, parser.bodyStart, parser.bodyEnd, parser.bodyBytes);
    return;
  }
  for (let i = 0; i < ranges.length; i += 2) handler.onData(bytes, ranges[i] as number, ranges[i + 1] as number);
}
