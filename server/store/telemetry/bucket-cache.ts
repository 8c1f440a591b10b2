import type { RollupRow } from "../../query/reader.ts";

/** Rows of buckets that can't change any more, so that a page that asks every second reads only what is new. Bounded by rows; the oldest put go first. */
export class BucketCache {
  #buckets = new Map<string, RollupRow[]>();
  #rows = 0;
  readonly #maxRows: number;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  get rows(): number {
    return this.#rows;
  }

  /** `at` is the bucket's start in Unix seconds. */
  get(step: number, at: number): readonly RollupRow[] | undefined {
    return this.#buckets.get(`${step}:${at}`);
  }

  put(step: number, at: number, rows: RollupRow[]): void {
    const key = `${step}:${at}`;
    if (this.#buckets.has(key)) return;
    this.#buckets.set(key, rows);
    // An empty bucket takes room too.
    this.#rows += rows.length + 1;
    for (const [oldest, evicted] of this.#buckets) {
      if (this.#rows <= this.#maxRows) break;
      this.#buckets.delete(oldest);
      this.#rows -= evicted.length + 1;
    }
  }
}
