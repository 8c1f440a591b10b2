/** Bytes and choices by random numbers in [0, 1): of a seed, so that a failure can be had again. */
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
