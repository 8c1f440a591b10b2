import { type Bits64, bits64, Word64 } from "./word64.ts";
import { word } from "./xx-hash64.ts";

const factor = bits64("c6a4a7935bd1e995");
/** Of `std::hash` in libstdc++, and so of Envoy's rings. */
const standardSeed: Bits64 = { hi: 0, lo: 0xc70f6907 };

/**
 * MurmurHash64A, which Envoy calls MURMUR_HASH_2.
 * https://github.com/aappleby/smhasher/blob/master/src/MurmurHash2.cpp
 *
 * @param bytes a byte string: one char each
 */
export function murmurHash2(bytes: string, seed = standardSeed): Bits64 {
  const { length } = bytes;
  const hash = new Word64({ hi: 0, lo: length }).multiply(factor).xor(seed);
  const whole = length - (length % 8);
  for (let at = 0; at < whole; at += 8) {
    hash.xor(new Word64(word(bytes, at)).multiply(factor).xorShift(47).multiply(factor)).multiply(factor);
  }
  if (whole < length) hash.xor(word(bytes.slice(whole).padEnd(8, "\0"), 0)).multiply(factor);
  return hash.xorShift(47).multiply(factor).xorShift(47);
}
