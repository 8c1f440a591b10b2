/** 64 bits as two halves, each an integer from 0 to 2³² − 1: many times faster than BigInt. */
export interface Bits64 {
  readonly hi: number;
  readonly lo: number;
}

/** @param hex 16 digits */
export const bits64 = (hex: string): Bits64 => ({
  hi: Number.parseInt(hex.slice(0, 8), 16),
  lo: Number.parseInt(hex.slice(8), 16),
});

/** 16 digits in lower case. */
export const hex64 = ({ hi, lo }: Bits64): string =>
  hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");

/** @param modulus up to 2²⁶, so that no product leaves the integers that a double holds */
export const modulo64 = ({ hi, lo }: Bits64, modulus: number): number =>
  ((hi % modulus) * (0x1_0000_0000 % modulus) + (lo % modulus)) % modulus;

export const random64 = (random: () => number): Bits64 => ({
  hi: Math.floor(random() * 0x1_0000_0000),
  lo: Math.floor(random() * 0x1_0000_0000),
});

/** A register of 64 bits, without sign; overflow is cut off. */
export class Word64 implements Bits64 {
  hi: number;
  lo: number;

  constructor({ hi, lo }: Bits64) {
    this.hi = hi;
    this.lo = lo;
  }

  multiply({ hi, lo }: Bits64): this {
    const [a0, a1, b0, b1] = [this.lo & 0xffff, this.lo >>> 16, lo & 0xffff, lo >>> 16];
    const [low, cross, other] = [a0 * b0, a0 * b1, a1 * b0];
    const middle = (low >>> 16) + (cross & 0xffff) + (other & 0xffff);
    const carry = a1 * b1 + (cross >>> 16) + (other >>> 16) + (middle >>> 16);
    this.hi = (carry + Math.imul(this.hi, lo) + Math.imul(this.lo, hi)) >>> 0;
    this.lo = ((middle << 16) | (low & 0xffff)) >>> 0;
    return this;
  }

  add({ hi, lo }: Bits64): this {
    const sum = this.lo + lo;
    this.hi = (this.hi + hi + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
    this.lo = sum >>> 0;
    return this;
  }

  xor({ hi, lo }: Bits64): this {
    this.hi = (this.hi ^ hi) >>> 0;
    this.lo = (this.lo ^ lo) >>> 0;
    return this;
  }

  /** Rotates to the left. @param by 1 to 31 */
  rotate(by: number): this {
    const { hi, lo } = this;
    this.hi = ((hi << by) | (lo >>> (32 - by))) >>> 0;
    this.lo = ((lo << by) | (hi >>> (32 - by))) >>> 0;
    return this;
  }

  /** Xors with itself, shifted to the right. @param by 1 to 63 */
  xorShift(by: number): this {
    const { hi, lo } = this;
    if (by >= 32) return this.xor({ hi: 0, lo: hi >>> (by - 32) });
    return this.xor({ hi: hi >>> by, lo: (lo >>> by) | (hi << (32 - by)) });
  }
}
