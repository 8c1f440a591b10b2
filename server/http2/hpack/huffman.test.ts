import { expect, test } from "vitest";
import { fractionsFrom } from "../../lib/testing/random.ts";
import { randomBytes } from "../testing/random.ts";
import { decodedBound, huffmanDecode, huffmanEncode, huffmanLength } from "./huffman.ts";
import { codeLengths, codes } from "./huffman-table.ts";

const encode = (text: string): Buffer => {
  const out = Buffer.alloc(text.length * 4 + 4);
  return out.subarray(0, huffmanEncode(text, out, 0));
};

const decode = (bytes: Buffer): string | undefined => {
  const out = Buffer.alloc(decodedBound(bytes.length));
  const written = huffmanDecode(bytes, 0, bytes.length, out);
  return written < 0 ? undefined : out.toString("latin1", 0, written);
};

test("the code is complete: every bit string means something", () => {
  let sum = 0;
  for (const length of codeLengths) sum += 2 ** (30 - length);
  expect(sum).toBe(2 ** 30);
});

test.each([
  [" ", 0x14, 6],
  ["!", 0x3f8, 10],
  ["0", 0x0, 5],
  ["a", 0x3, 5],
  ["z", 0x7b, 7],
  ["\\", 0x7fff0, 19],
  ["\u0000", 0x1ff8, 13],
  ["\u00ff", 0x3ffffee, 26],
])("code of %j as in RFC 7541, appendix B", (symbol, code, length) => {
  expect([codes[symbol.charCodeAt(0)], codeLengths[symbol.charCodeAt(0)]]).toEqual([code, length]);
});

test("every byte goes there and back, alone and among others", () => {
  for (let byte = 0; byte < 256; byte++) {
    for (const text of [String.fromCharCode(byte), `a${String.fromCharCode(byte, byte)}b`]) {
      expect(encode(text).length).toBe(huffmanLength(text));
      expect(decode(encode(text))).toBe(text);
    }
  }
});

test("random strings go there and back", () => {
  const random = fractionsFrom(1);
  for (let round = 0; round < 2000; round++) {
    const text = randomBytes(random, Math.floor(random() * 60)).toString("latin1");
    expect(decode(encode(text))).toBe(text);
  }
});

test.each([
  ["padding that is not ones", "18"],
  ["a whole byte of padding", "1fff"],
  ["EOS", "fffffffc"],
  ["EOS after a character", "1fffffffff"],
  ["a long code that is cut off", "fffe"],
])("refuses %s", (_what, hex) => {
  expect(decode(Buffer.from(hex, "hex"))).toBeUndefined();
});
