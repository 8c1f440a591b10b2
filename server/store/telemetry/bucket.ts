import type { LatencySketch } from "../../lib/latency-sketch.ts";
import { readVarint, VarintSource, writeVarint } from "../../lib/varint.ts";
import type { RequestCounts } from "../../telemetry/store.ts";

/** The requests of one edge, code and set of flags in a bucket of time. */
export interface BucketEntry extends RequestCounts {
  /** The edge's row id. */
  edge: number;
}

/** Format 1 had no gRPC status, format 2 no messages of gRPC. */
const format = 3;

/**
 * A bucket as one value: a format, then for each entry, as varints, the edge, code, flags, gRPC status plus one, count, bytes of requests and responses, messages
 * of both, and the length of its encoded sketch, which follows. A mesh of thousands of edges is read many times faster than from a row for each.
 */
export function encodeBucket(entries: Iterable<BucketEntry>): Uint8Array {
  const out = [format];
  for (const entry of entries) {
    const { edge, code, flags, grpcStatus, count, requestBytes, responseBytes, requestMessages, responseMessages } =
      entry;
    const sketch = entry.latency.encode();
    const sums = [count, requestBytes, responseBytes, requestMessages, responseMessages];
    for (const value of [edge, code, flags, grpcStatus + 1, ...sums, sketch.length]) writeVarint(out, value);
    for (const byte of sketch) out.push(byte);
  }
  return Uint8Array.from(out);
}

/**
 * Goes through the entries of an encoded bucket without an object for each: `while (cursor.next()) …`. Throws RangeError when the bytes are
 * not a bucket.
 */
export class BucketCursor implements Omit<BucketEntry, "latency"> {
  edge = 0;
  code = 0;
  flags = 0;
  grpcStatus = -1;
  count = 0;
  requestBytes = 0;
  responseBytes = 0;
  requestMessages = 0;
  responseMessages = 0;
  readonly #source = new VarintSource();
  readonly #format: number;
  #sketchAt = 0;

  constructor(bytes: Uint8Array) {
    const [known = 0] = bytes;
    if (known < 1 || known > format) throw new RangeError("not an encoded bucket of the roll-up");
    this.#format = known;
    this.#source.reset(bytes, 1);
  }

  next(): boolean {
    const source = this.#source;
    if (source.at >= source.end) return false;
    this.edge = readVarint(source);
    this.code = readVarint(source);
    this.flags = readVarint(source);
    this.grpcStatus = this.#format > 1 ? readVarint(source) - 1 : -1;
    this.count = readVarint(source);
    this.requestBytes = readVarint(source);
    this.responseBytes = readVarint(source);
    if (this.#format > 2) {
      this.requestMessages = readVarint(source);
      this.responseMessages = readVarint(source);
    }
    const length = readVarint(source);
    this.#sketchAt = source.at;
    source.at += length;
    if (source.at > source.end) throw new RangeError("the bucket of the roll-up is cut off");
    return true;
  }

  /** The entry's encoded sketch; shares the bucket's memory. */
  latency(): Uint8Array {
    return this.#source.bytes.subarray(this.#sketchAt, this.#source.at);
  }

  mergeLatencyInto(sketch: LatencySketch): void {
    sketch.mergeEncoded(this.#source.bytes, this.#sketchAt, this.#source.at);
  }
}
