import { LatencySketch } from "../../lib/latency-sketch.ts";
import { BucketCursor, type BucketEntry, encodeBucket } from "./bucket.ts";

/** Sums of encoded buckets, by edge, code, flags and gRPC status: of a coarser bucket, or of a window. */
export class Fold {
  /** An edge has few codes and flags: looking through its list is quicker than making a key of all four. */
  readonly #sums = new Map<number, BucketEntry[]>();
  readonly #withLatency: boolean;

  constructor({ withLatency = true }: { withLatency?: boolean } = {}) {
    this.#withLatency = withLatency;
  }

  add(bucket: Uint8Array): void {
    for (const entry = new BucketCursor(bucket); entry.next(); ) {
      const sum = this.#sumOf(entry);
      sum.count += entry.count;
      sum.requestBytes += entry.requestBytes;
      sum.responseBytes += entry.responseBytes;
      sum.requestMessages += entry.requestMessages;
      sum.responseMessages += entry.responseMessages;
      if (this.#withLatency) entry.mergeLatencyInto(sum.latency);
    }
  }

  *entries(): Iterable<BucketEntry> {
    for (const ofEdge of this.#sums.values()) yield* ofEdge;
  }

  /** As one bucket. */
  encode(): Uint8Array {
    return encodeBucket(this.entries());
  }

  #sumOf({ edge, code, flags, grpcStatus }: BucketCursor): BucketEntry {
    let ofEdge = this.#sums.get(edge);
    if (ofEdge === undefined) {
      ofEdge = [];
      this.#sums.set(edge, ofEdge);
    }
    for (const sum of ofEdge) {
      if (sum.code === code && sum.flags === flags && sum.grpcStatus === grpcStatus) return sum;
    }
    const bytes = { requestBytes: 0, responseBytes: 0, requestMessages: 0, responseMessages: 0 };
    const fresh = { edge, code, flags, grpcStatus, count: 0, ...bytes, latency: new LatencySketch() };
    ofEdge.push(fresh);
    return fresh;
  }
}
