import { readVarint, VarintSource, writeVarint } from "../lib/varint.ts";

/**
 * How a proxy's access logs survive the collector. It numbers the messages of one log of one run, over all streams that it needs for them, and keeps each
 * until it is told that it is written; what was not goes out again on the next stream, under its number, and is counted once. On the wire this is Envoy's
 * access log service with two words of metadata, and with answers before the end, which only a client gets that asked for them: to any other
 * server or client it is the service as it was.
 */

/** Sent by the client with a stream: `<sender> <number of its first message>`; each further message has the next number. */
export const logBatchesKey = "limpid-log-batches";

/** Sent by the server at the beginning of a stream with numbers: it will tell what is written. */
export const acknowledgesKey = "limpid-log-acknowledges";

export interface LogBatches {
  /** 32 hexadecimal digits, drawn at random for each log and run of a proxy. */
  sender: string;
  /** Of the stream's first message; the first of a sender is 1. */
  first: number;
}

export const formatLogBatches = ({ sender, first }: LogBatches): string => `${sender} ${first}`;

/** Undefined: not what formatLogBatches writes. */
export function parseLogBatches(text: string): LogBatches | undefined {
  const [, sender, digits] = /^([0-9a-f]{32}) ([1-9][0-9]{0,14})$/.exec(text) ?? [];
  return sender === undefined ? undefined : { sender, first: Number(digits) };
}

/** Of StreamAccessLogsResponse, which is empty: whoever knows it as that passes over a field that it does not know. */
const field = 1_000;

/** The answer that everything up to and with this number is in the store. */
export function encodeAcknowledgement(number: number): Uint8Array {
  const bytes: number[] = [];
  writeVarint(bytes, field << 3);
  writeVarint(bytes, number);
  return Uint8Array.from(bytes);
}

/** Undefined: an answer that says nothing of the kind. */
export function decodeAcknowledgement(bytes: Uint8Array): number | undefined {
  const source = new VarintSource();
  source.reset(bytes);
  try {
    return readVarint(source) === field << 3 ? readVarint(source) : undefined;
  } catch {
    return undefined;
  }
}
