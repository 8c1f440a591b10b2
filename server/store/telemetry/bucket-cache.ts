/**
 * Encoded buckets that can't change any more, so that a page that asks every second reads only what is new. Bounded by bytes; the oldest put
 * go first.
 */
export class BucketCache {
  #buckets = new Map<string, readonly Uint8Array[]>();
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `at` is the bucket's start in Unix seconds. */
  get(step: number, at: number): readonly Uint8Array[] | undefined {
    return this.#buckets.get(`${step}:${at}`);
  }

  put(step: number, at: number, parts: readonly Uint8Array[]): void {
    const key = `${step}:${at}`;
    if (this.#buckets.has(key)) return;
    this.#buckets.set(key, parts);
    this.#bytes += sizeOf(parts);
    for (const [oldest, evicted] of this.#buckets) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#buckets.delete(oldest);
      this.#bytes -= sizeOf(evicted);
    }
  }
}

/** What an entry of the map and a typed array take beside their contents: an empty bucket takes room too. */
const overheadBytes = 200;

const sizeOf = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, part) => sum + part.length + overheadBytes, overheadBytes);
