import { describe, expect, it } from "vitest";
import { AffixTable, beginning, ending, type Side } from "./affix-table.ts";
import { addBit, nextBit, noBits } from "./bits.ts";

const texts = ["", "a", "ab", "abc", "abd", "b", "ba", "bab", "cab", "aab", "dab", "\u{1F600}a", "a\uFFFD"];

describe.each<[string, Side]>([
  ["beginnings", beginning],
  ["endings", ending],
])("%s", (_, side) => {
  it("are all found, the nested ones too", () => {
    const affixes = texts.filter((_text, at) => at % 3 !== 2);
    const bitsOf = new Map(
      affixes.map((affix, at) => {
        const bits = noBits(40);
        addBit(bits, at + 27);
        return [affix, bits] as const;
      }),
    );
    const table = new AffixTable(side, bitsOf);
    for (const text of [...texts, "abcd", "x", "xaab"]) {
      const bits = table.find(text) ?? noBits(40);
      const found: string[] = [];
      for (let at = nextBit(bits, 0); at >= 0; at = nextBit(bits, at + 1)) found.push(affixes[at - 27] ?? "?");
      expect(found, text).toEqual(affixes.filter((affix) => side.has(text, affix)));
    }
  });
});
