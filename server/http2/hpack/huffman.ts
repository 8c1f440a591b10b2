import {
  codeLengths,
  codes,
  countOf,
  firstCode,
  firstIndex,
  longestCode,
  shortestCode,
  symbolsByCode,
} from "./huffman-table.ts";

/** Every character of ordinary header fields has a code of at most this many bits: one look-up each. */
const fastBits = 10;

/** The next `fastBits` bits → symbol << 4 | length; 0: the code is longer. */
const fast = new Uint16Array(1 << fastBits);
for (let symbol = 0; symbol < 256; symbol++) {
  const length = codeLengths[symbol] as number;
  if (length > fastBits) continue;
  const from = (codes[symbol] as number) << (fastBits - length);
  fast.fill((symbol << 4) | length, from, from + (1 << (fastBits - length)));
}

/** How many bytes `length` coded bytes can become: no code is shorter than 5 bits. */
export const decodedBound = (length: number): number => Math.floor((length * 8) / shortestCode);

/**
 * Decodes `bytes[start, end)` into `out` from 0; `out` has room for {@link decodedBound}.
 * @returns bytes written, or −1: EOS inside, or padding that is longer than 7 bits or not all ones (RFC 7541, 5.2)
 */
export function huffmanDecode(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let written = 0;
  let bits = 0;
  let count = 0;
  let at = start;
  while (true) {
    while (count <= 16 && at < end) {
      bits = ((bits << 8) | (bytes[at++] as number)) & 0xffffff;
      count += 8;
    }
    if (count < fastBits) break;
    const entry = fast[(bits >>> (count - fastBits)) & (fast.length - 1)] as number;
    if (entry !== 0) {
      out[written++] = entry >>> 4;
      count -= entry & 15;
      continue;
    }
    // Rare: control characters and bytes beyond ASCII. The code is read on bit by bit.
    let length = fastBits;
    let code = (bits >>> (count - fastBits)) & (fast.length - 1);
    count -= fastBits;
    while (true) {
      if (count === 0) {
        if (at === end) return isPadding(code, length) ? written : -1;
        bits = bytes[at++] as number;
        count = 8;
      }
      count--;
      code = code * 2 + ((bits >>> count) & 1);
      length++;
      const offset = code - (firstCode[length] as number);
      if (offset >= 0 && offset < (countOf[length] as number)) {
        const symbol = symbolsByCode[(firstIndex[length] as number) + offset] as number;
        if (symbol === 256) return -1;
        out[written++] = symbol;
        break;
      }
      if (length >= longestCode) return -1;
    }
  }
  // Fewer bits are left than the table wants: fill up with ones, which is what padding is made of.
  while (count >= shortestCode) {
    const filled = ((bits & ((1 << count) - 1)) << (fastBits - count)) | ((1 << (fastBits - count)) - 1);
    const entry = fast[filled] as number;
    if (entry === 0 || (entry & 15) > count) break;
    out[written++] = entry >>> 4;
    count -= entry & 15;
  }
  return isPadding(bits & ((1 << count) - 1), count) ? written : -1;
}

const isPadding = (code: number, length: number): boolean => length < 8 && code === (1 << length) - 1;

/** Bytes that `text` takes; characters are bytes. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += codeLengths[text.charCodeAt(i) & 0xff] as number;
  return (bits + 7) >>> 3;
}

/** Writes `text` to `out` from `at`. @returns where it ends */
export function huffmanEncode(text: string, out: Uint8Array, at: number): number {
  let position = at;
  // Two halves of at most 30 + 7 bits: numbers stay exact below 2^53, and small ones stay integers of the machine.
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    const length = codeLengths[symbol] as number;
    const code = codes[symbol] as number;
    if (length <= 24) {
      bits = (bits << length) | code;
      count += length;
    } else {
      // Would overflow together with what is waiting: the upper part goes first.
      bits = (bits << (length - 16)) | (code >>> 16);
      count += length - 16;
      while (count >= 8) {
        count -= 8;
        out[position++] = (bits >>> count) & 0xff;
      }
      bits = ((bits & ((1 << count) - 1)) << 16) | (code & 0xffff);
      count += 16;
    }
    while (count >= 8) {
      count -= 8;
      out[position++] = (bits >>> count) & 0xff;
    }
    bits &= (1 << count) - 1;
  }
  if (count > 0) out[position++] = ((bits << (8 - count)) | ((1 << (8 - count)) - 1)) & 0xff;
  return position;
}
