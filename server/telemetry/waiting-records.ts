/** What waits for the next batch, bounded: what there is no room for is shed, and counted. */
export class WaitingRecords<T> {
  readonly #max: number;
  readonly #dated: (record: T, nowMs: number) => T;
  #records: T[] = [];
  #shed = 0;

  /** `dated`: the record as it is kept. */
  constructor(max: number, dated: (record: T, nowMs: number) => T) {
    this.#max = max;
    this.#dated = dated;
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
    const taken = Math.min(records.length, Math.max(0, this.#max - this.#records.length));
    for (let i = 0; i < taken; i++) this.#records.push(this.#dated(records[i] as T, nowMs));
    this.#shed += records.length - taken;
    return taken;
  }

  drain(): readonly T[] {
    const drained = this.#records;
    this.#records = [];
    return drained;
  }
}
