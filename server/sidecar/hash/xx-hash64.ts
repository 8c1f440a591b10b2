import { type Bits64, bits64, Word64 } from "./word64.ts";

const prime1 = bits64("9e3779b185ebca87");
const prime2 = bits64("c2b2ae3d27d4eb4f");
const prime3 = bits64("165667b19e3779f9");
const prime4 = bits64("85ebca77c2b2ae63");
const prime5 = bits64("27d4eb2f165667c5");
const minusPrime1 = bits64("61c8864e7a143579");

/**
 * XXH64, what Envoy hashes with.
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 *
 * @param bytes a byte string: one char each
 */
export function xxHash64(bytes: string, seed: Bits64 = zero): Bits64 {
  const { length } = bytes;
  const hash = length >= 32 ? stripes(bytes, seed) : new Word64(seed).add(prime5);
  hash.add({ hi: 0, lo: length });
  let at = length - (length % 32);
  for (; at + 8 <= length; at += 8) {
    hash
      .xor(round(zero, word(bytes, at)))
      .rotate(27)
      .multiply(prime1)
      .add(prime4);
  }
  if (at + 4 <= length) {
    const part = new Word64({ hi: 0, lo: half(bytes, at) });
    hash.xor(part.multiply(prime1)).rotate(23).multiply(prime2).add(prime3);
    at += 4;
  }
  for (; at < length; at++) {
    const part = new Word64({ hi: 0, lo: bytes.charCodeAt(at) });
    hash.xor(part.multiply(prime5)).rotate(11).multiply(prime1);
  }
  return hash.xorShift(33).multiply(prime2).xorShift(29).multiply(prime3).xorShift(32);
}

const zero: Bits64 = { hi: 0, lo: 0 };

/** What the whole blocks of 32 bytes come to, four lanes side by side. */
function stripes(bytes: string, seed: Bits64): Word64 {
  let a: Word64 = new Word64(seed).add(prime1).add(prime2);
  let b: Word64 = new Word64(seed).add(prime2);
  let c: Word64 = new Word64(seed);
  let d: Word64 = new Word64(seed).add(minusPrime1);
  for (let at = 0; at + 32 <= bytes.length; at += 32) {
    a = round(a, word(bytes, at));
    b = round(b, word(bytes, at + 8));
    c = round(c, word(bytes, at + 16));
    d = round(d, word(bytes, at + 24));
  }
  const hash = new Word64(a).rotate(1);
  hash.add(new Word64(b).rotate(7)).add(new Word64(c).rotate(12)).add(new Word64(d).rotate(18));
  for (const lane of [a, b, c, d]) hash.xor(round(zero, lane)).multiply(prime1).add(prime4);
  return hash;
}

const round = (lane: Bits64, input: Bits64): Word64 =>
  new Word64(input).multiply(prime2).add(lane).rotate(31).multiply(prime1);

/** 8 bytes, the lowest first. */
export const word = (bytes: string, at: number): Bits64 => ({ hi: half(bytes, at + 4), lo: half(bytes, at) });

const half = (bytes: string, at: number): number =>
  (bytes.charCodeAt(at) |
    (bytes.charCodeAt(at + 1) << 8) |
    (bytes.charCodeAt(at + 2) << 16) |
    (bytes.charCodeAt(at + 3) << 24)) >>>
  0;
