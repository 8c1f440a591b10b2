/** A set of policies by their places: 32 to a word. */
export type Bits = Uint32Array;

export const noBits = (size: number): Bits => new Uint32Array(Math.ceil(size / 32));

export function addBit(bits: Bits, place: number): void {
  const word = place >>> 5;
  bits[word] = (bits[word] ?? 0) | (1 << (place & 31));
}

export const hasBit = (bits: Bits, place: number): boolean => ((bits[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0;

export function addBits(bits: Bits, others: Bits): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] ?? 0) | (others[word] ?? 0);
}

export function keepBits(bits: Bits, others: Bits): void {
  for (let word = 0; word < bits.length; word++) bits[word] = (bits[word] ?? 0) & (others[word] ?? 0);
}

/** The first place from one on; -1: there is none. */
export function nextBit(bits: Bits, from: number): number {
  let word = from >>> 5;
  let rest = (bits[word] ?? 0) & (-1 << (from & 31));
  while (rest === 0) {
    word++;
    if (word >= bits.length) return -1;
    rest = bits[word] ?? 0;
  }
  return word * 32 + 31 - Math.clz32(rest & -rest);
}
