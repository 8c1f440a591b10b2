import type { Random } from "./random.ts";

const maxBytes = 256 * 1024;

/** One to six changes to a sample, each of a kind that parsers have been seen to stumble over. `words` are what the protocol gives a meaning. */
export function mutate(sample: Buffer, random: Random, words: readonly string[]): Buffer {
  let bytes = sample;
  const rounds = 1 + random.below(6);
  for (let round = 0; round < rounds; round++) bytes = random.pick(changes)(bytes, random, words).subarray(0, maxBytes);
  return bytes;
}

type Change = (bytes: Buffer, random: Random, words: readonly string[]) => Buffer;

/** A range of up to 64 bytes, or, seldom, of any length. */
function rangeOf(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length + 1);
  const length = random.below(random.chance(0.1) ? bytes.length + 1 : 64);
  return [from, Math.min(bytes.length, from + length)];
}

const put = (bytes: Buffer, from: number, to: number, what: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, from), what, bytes.subarray(to)]);

const changes: readonly Change[] = [
  function flipBit(bytes, random) {
    if (bytes.length === 0) return bytes;
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  },
  function setByte(bytes, random) {
    if (bytes.length === 0) return bytes;
    const copy = Buffer.from(bytes);
    copy[random.below(copy.length)] = random.pick([0, 9, 10, 13, 32, 37, 47, 58, 91, 92, 127, 128, 255]);
    return copy;
  },
  function remove(bytes, random) {
    return put(bytes, ...rangeOf(bytes, random), Buffer.alloc(0));
  },
  function repeat(bytes, random) {
    const [from, to] = rangeOf(bytes, random);
    const copies = random.pick([1, 2, 3, 30, 300]);
    return put(bytes, to, to, Buffer.concat(Array.from({ length: copies }, () => bytes.subarray(from, to))));
  },
  function insertNoise(bytes, random) {
    const at = random.below(bytes.length + 1);
    return put(bytes, at, at, random.bytes(1 + random.below(16)));
  },
  function insertWord(bytes, random, words) {
    const [from, to] = random.chance(0.5) ? rangeOf(bytes, random) : [random.below(bytes.length + 1), -1];
    return put(bytes, from, Math.max(from, to), Buffer.from(random.pick(words), "latin1"));
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function swap(bytes, random) {
    const [from, to] = rangeOf(bytes, random);
    return put(put(bytes, from, to, Buffer.alloc(0)), 0, 0, bytes.subarray(from, to));
  },
  function replaceNumber(bytes, random) {
    const numbers = [...bytes.toString("latin1").matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: digits } = random.pick(numbers);
    const edge = random.pick([
      "0",
      "-1",
      "65536",
      "2147483648",
      "4294967296",
      "9007199254740993",
      "1e999",
      "0x10",
      "9".repeat(40),
    ]);
    return put(bytes, index, index + digits.length, Buffer.from(edge));
  },
];
