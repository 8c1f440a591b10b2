/** Bits of each code of RFC 7541, appendix B. The code is canonical: lengths alone determine it. The last is EOS. */
// biome-ignore format: sixteen symbols a row, as they stand in the character table
const lengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
] as const;

export const shortestCode = 5;
export const longestCode = 30;

/** Of each symbol; 256 is EOS. */
export const codes = new Uint32Array(257);
export const codeLengths = Uint8Array.from(lengths);

/** Symbols in the order of their codes; those of one length stand together from `firstIndex[length]`. */
export const symbolsByCode = new Uint16Array(257);
/** The smallest code of a length, and how many have that length. */
export const firstCode = new Uint32Array(longestCode + 1);
export const firstIndex = new Uint16Array(longestCode + 1);
export const countOf = new Uint16Array(longestCode + 1);

let code = 0;
let index = 0;
for (let length = shortestCode; length <= longestCode; length++) {
  code *= 2;
  firstCode[length] = code;
  firstIndex[length] = index;
  for (let symbol = 0; symbol < 257; symbol++) {
    if (lengths[symbol] !== length) continue;
    codes[symbol] = code++;
    symbolsByCode[index++] = symbol;
  }
  countOf[length] = index - (firstIndex[length] as number);
}
