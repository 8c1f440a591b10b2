import { expect, it } from "vitest";
import { readVarint, VarintSource, writeVarint } from "./varint.ts";

const sourceOf = (bytes: number[]): VarintSource => {
  const source = new VarintSource();
  source.reset(Uint8Array.from(bytes));
  return source;
};

it("gives back every integer that a number holds exactly", () => {
  const values = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  const out: number[] = [];
  for (const value of values) writeVarint(out, value);
  const source = sourceOf(out);
  expect(values.map(() => readVarint(source))).toEqual(values);
  expect(source.at).toBe(source.end);
});

it("refuses a number that is cut off, or endless", () => {
  expect(() => readVarint(sourceOf([128]))).toThrow(RangeError);
  expect(() => readVarint(sourceOf(Array(20).fill(255)))).toThrow(RangeError);
});
