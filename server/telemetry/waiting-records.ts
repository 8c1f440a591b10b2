export interface WaitingOptions<T> {
  max: number;
  maxBytes: number;
  /** Bytes of memory; `before`: the one that it waits behind. */
  weigh(record: T, before: T | undefined): number;
  /** The record as it is kept. */
  dated(record: T, nowMs: number): T;
}

/** What waits for the next batch, bounded: what there is no room for is shed, and counted. */
export class WaitingRecords<T> {
  readonly #options: WaitingOptions<T>;
  #records: T[] = [];
  #bytes = 0;
  #shed = 0;

  constructor(options: WaitingOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#records.length;
  }

  /** Since the start. */
  get shed(): number {
    return this.#shed;
  }

  /** How many were taken. */
  add(records: readonly T[], nowMs: number): number {
    const { max, maxBytes, weigh, dated } = this.#options;
    let taken = 0;
    let before: T | undefined;
    for (const record of records) {
      if (this.#records.length >= max || this.#bytes >= maxBytes) break;
      this.#records.push(dated(record, nowMs));
      this.#bytes += weigh(record, before);
      before = record;
      taken++;
    }
    this.#shed += records.length - taken;
    return taken;
  }

  drain(): readonly T[] {
    const drained = this.#records;
    this.#records = [];
    this.#bytes = 0;
    return drained;
  }
}
