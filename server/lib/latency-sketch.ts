import { readVarint, VarintSource, writeVarint } from "./varint.ts";

/**
 * A mergeable quantile sketch after DDSketch (Masson, Rim, Lee: https://arxiv.org/abs/1908.10693): logarithmic bins, so that every
 * quantile of a value between {@link minValue} and {@link maxValue} is off by at most {@link relativeError} of itself. The number of
 * bins is bounded by that range (1,076). Smaller values count as zero, larger ones as the largest. Unit-free; Limpid stores milliseconds.
 */
export class LatencySketch {
  #count = 0;
  #zeros = 0;
  /** Counts of the bins from `#first` on: only the stretch that was used is held. A typed array's memory is too dear for so many so small. */
  #bins: number[] = empty;
  #first = 0;

  get count(): number {
    return this.#count;
  }

  /** Negative values count as zero; NaN is ignored. `times` must be a positive integer. */
  add(value: number, times = 1): void {
    if (value < minValue) {
      this.#zeros += times;
    } else if (value >= minValue) {
      this.#addToBin(binOf(value), times);
    } else return;
    this.#count += times;
  }

  merge(other: LatencySketch): void {
    this.#zeros += other.#zeros;
    this.#count += other.#count;
    if (other.#bins.length > 0) this.#reserve(other.#first, other.#first + other.#bins.length - 1);
    for (let i = 0; i < other.#bins.length; i++) {
      const times = other.#bins[i] as number;
      if (times > 0) this.#addToBin(other.#first + i, times);
    }
  }

  /** The value at rank ⌊q·(n−1)⌋ of the sorted values, `q` in 0..1; undefined without values. */
  quantile(q: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.floor(Math.min(1, Math.max(0, q)) * (this.#count - 1));
    let seen = this.#zeros;
    if (rank < seen) return 0;
    for (let i = 0; i < this.#bins.length; i++) {
      seen += this.#bins[i] as number;
      if (rank < seen) return valueOfBin(this.#first + i);
    }
    return valueOfBin(maxBin);
  }

  /** How many values are at most as large as each bound, within the relative error; bounds must ascend. */
  countsUpTo(bounds: readonly number[]): number[] {
    let seen = this.#zeros;
    let i = 0;
    return bounds.map((bound) => {
      for (; i < this.#bins.length && valueOfBin(this.#first + i) <= bound; i++) seen += this.#bins[i] as number;
      return seen;
    });
  }

  /** Of all values, within the relative error. */
  sum(): number {
    return this.#bins.reduce((sum, times, i) => sum + (times === 0 ? 0 : times * valueOfBin(this.#first + i)), 0);
  }

  /** A few bytes per bin in use: format, zeros, then for each bin its distance from the one before and its count, all as varints. */
  encode(): Uint8Array {
    const out: number[] = [format];
    writeVarint(out, this.#zeros);
    let last = 0;
    for (let i = 0; i < this.#bins.length; i++) {
      const times = this.#bins[i] as number;
      if (times === 0) continue;
      writeVarint(out, this.#first + i - last);
      writeVarint(out, times);
      last = this.#first + i;
    }
    return Uint8Array.from(out);
  }

  /**
   * Adds an encoded sketch, which may lie among other bytes, without building it. Throws RangeError, having changed nothing, when the bytes
   * are not one.
   */
  mergeEncoded(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const bins = readBins(bytes, start, end);
    this.#zeros += scratch[0] as number;
    this.#count += scratch[0] as number;
    if (bins > 1) this.#reserve(scratch[1] as number, scratch[bins - 2] as number);
    for (let i = 1; i < bins; i += 2) {
      this.#addToBin(scratch[i] as number, scratch[i + 1] as number);
      this.#count += scratch[i + 1] as number;
    }
  }

  static decode(bytes: Uint8Array): LatencySketch {
    const sketch = new LatencySketch();
    sketch.mergeEncoded(bytes);
    return sketch;
  }

  #addToBin(bin: number, times: number): void {
    const index = bin - this.#first;
    if (index >= 0 && index < this.#bins.length) {
      this.#bins[index] = (this.#bins[index] as number) + times;
    } else {
      const slack = 8;
      this.#reserve(Math.max(0, bin - slack), Math.min(maxBin, bin + slack));
      this.#addToBin(bin, times);
    }
  }

  /** Room for these bins and all between them; asked for at once, so that a merge allocates once at the most. */
  #reserve(lowest: number, highest: number): void {
    const used = this.#bins.length > 0;
    const [from, to] = [this.#first, this.#first + this.#bins.length - 1];
    if (used && lowest >= from && highest <= to) return;
    const first = used ? Math.min(from, lowest) : lowest;
    const last = used ? Math.max(to, highest) : highest;
    const bins = new Array<number>(last - first + 1).fill(0);
    for (let i = 0; i < this.#bins.length; i++) bins[from - first + i] = this.#bins[i] as number;
    this.#bins = bins;
    this.#first = first;
  }
}

export const relativeError = 0.01;
/** 10 µs and 6 hours, when the unit is milliseconds. */
export const minValue = 0.01;
export const maxValue = 2.16e7;

const format = 1;
const empty: number[] = [];
const gamma = (1 + relativeError) / (1 - relativeError);
const binsPerE = 1 / Math.log(gamma);
const shift = Math.log(minValue) * binsPerE;
const maxBin = Math.ceil(Math.log(maxValue) * binsPerE - shift);

/** Bin `i` holds the values in (minValue·γ^(i−1), minValue·γ^i]. */
export const binOf = (value: number): number =>
  Math.min(maxBin, Math.max(0, Math.ceil(Math.log(value) * binsPerE - shift)));

/** The point of a bin that is at most `relativeError` away from both ends. */
const valueOfBin = (bin: number): number => (minValue * gamma ** bin * 2) / (1 + gamma);

/** Where the last encoded sketch was read to: zeros, then bin and count by turns. Reading never yields, so one is enough. */
const scratch = new Float64Array(2 * (maxBin + 2) + 1);
const source = new VarintSource();

/** Fills {@link scratch} and returns how much of it. */
function readBins(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || bytes[start] !== format) throw new RangeError("not an encoded latency sketch");
  source.reset(bytes, start + 1, end);
  let filled = 0;
  let bin = 0;
  while (source.at < source.end) {
    let value = readVarint(source);
    if (filled % 2 === 1) {
      bin += value;
      if (bin > maxBin || (filled > 1 && value === 0))
        throw new RangeError(`the latency sketch has no bin ${bin} here`);
      value = bin;
    }
    scratch[filled++] = value;
  }
  if (filled % 2 === 0) throw new RangeError("the latency sketch is cut off");
  return filled;
}
