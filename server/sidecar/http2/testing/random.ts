/** Numbers in [0, 1) that are the same for the same seed (mulberry32): a failure can be had again. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000;
  };
}

export function randomBytes(random: () => number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = random() * 256;
  return bytes;
}

export const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

/** Cuts bytes into pieces, empty ones among them, at places that the seed chooses. */
export function cut(random: () => number, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  const largest = pick(random, [1, 2, 7, 40, 1000, bytes.length]);
  for (let at = 0; at < bytes.length; ) {
    const length = Math.floor(random() * (largest + 1));
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
