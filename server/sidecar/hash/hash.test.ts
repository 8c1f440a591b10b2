import { expect, it } from "vitest";
import { murmurHash2 } from "./murmur-hash2.ts";
import { type Bits64, hex64, modulo64, Word64 } from "./word64.ts";
import { xxHash64 } from "./xx-hash64.ts";

const big = (bits: Bits64): bigint => BigInt(`0x${hex64(bits)}`);
const from = (value: bigint): Bits64 => ({ hi: Number(value >> 32n), lo: Number(value & 0xffff_ffffn) });
const mask = 2n ** 64n - 1n;

it.each([
  // From xxHash's own documentation and the implementations listed there.
  ["", 0n, "ef46db3751d8e999"],
  ["a", 0n, "d24ec4f1a98c6e5b"],
  ["abc", 0n, "44bc2cf5ad770999"],
  ["Nobody inspects the spammish repetition", 0n, "fbcea83c8a378bf1"],
])("xxHash64 of %j, seed %d", (text, seed, expected) => {
  expect(hex64(xxHash64(text, from(seed)))).toBe(expected);
});

it.each([
  // xxHash's self-test: the first bytes of its generated buffer, without and with its seed.
  [1, 0n, "e934a84adb052768"],
  [1, 2654435761n, "5014607643a9b4c3"],
  [4, 0n, "9136a0dca57457ee"],
  [14, 0n, "8282dcc4994e35c8"],
  [14, 2654435761n, "c3bd6bf63deb6df0"],
  [222, 0n, "b641ae8cb691c174"],
  [222, 2654435761n, "20cb8ab7ae10c14a"],
])("xxHash64 of %d bytes of the self-test, seed %d", (length, seed, expected) => {
  expect(hex64(xxHash64(selfTest(length), from(seed)))).toBe(expected);
});

function selfTest(length: number): string {
  let generator = 2654435761n;
  let bytes = "";
  for (let i = 0; i < length; i++) {
    bytes += String.fromCharCode(Number(generator >> 56n));
    generator = (generator * 11400714785074694797n) & mask;
  }
  return bytes;
}

it("multiplies, adds, rotates and shifts like integers of 64 bits", () => {
  let value = 0x0123_4567_89ab_cdefn;
  for (let i = 0; i < 500; i++) {
    const other = value;
    value = (value * 6364136223846793005n + 1442695040888963407n) & mask;
    const by = 1 + (i % 31);
    const word = () => new Word64(from(value));
    expect(big(word().multiply(from(other)))).toBe((value * other) & mask);
    expect(big(word().add(from(other)))).toBe((value + other) & mask);
    expect(big(word().rotate(by))).toBe(((value << BigInt(by)) | (value >> BigInt(64 - by))) & mask);
    for (const shift of [by, by + 32]) expect(big(word().xorShift(shift))).toBe(value ^ (value >> BigInt(shift)));
    for (const modulus of [65_537, 5_000_011]) {
      expect(modulo64(word(), modulus)).toBe(Number(value % BigInt(modulus)));
    }
  }
});

/** The definition, over BigInt. */
function murmur(text: string): bigint {
  const factor = 0xc6a4_a793_5bd1_e995n;
  const times = (value: bigint) => (value * factor) & mask;
  const bytes = Buffer.from(text, "latin1");
  let hash = 0xc70f6907n ^ times(BigInt(bytes.length));
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    const mixed = times(bytes.readBigUInt64LE(at));
    hash = times(hash ^ times(mixed ^ (mixed >> 47n)));
  }
  if (at < bytes.length) {
    hash = times(hash ^ Buffer.concat([bytes.subarray(at), Buffer.alloc(8)]).readBigUInt64LE(0));
  }
  hash = times(hash ^ (hash >> 47n));
  return hash ^ (hash >> 47n);
}

it("MurmurHash64A of every length up to 40 bytes", () => {
  for (let length = 0; length <= 40; length++) {
    expect(big(murmurHash2(selfTest(length)))).toBe(murmur(selfTest(length)));
  }
});
