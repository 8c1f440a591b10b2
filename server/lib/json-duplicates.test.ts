import { expect, test } from "vitest";
import { duplicateKeys } from "./json-duplicates.ts";

test.each([
  ['{"a":1,"b":{"a":2}}', []],
  ['{"a":1,"a":2}', ["a"]],
  ['{"a":1,"\\u0061":2}', ["a"]],
  ['{ "spec" : { "hosts" : [ "x" , { "n" : 1 , "n" : 2 } ] , "hosts" : null } }', ["spec.hosts[1].n", "spec.hosts"]],
  ['{"a":"\\"},{\\"a\\":1","b":[[],[[{"c":true,"c":false}]]]}', ["b[1][0][0].c"]],
  ["[]", []],
  ["7", []],
  ['"{\\"a\\":1,\\"a\\":1}"', []],
])("%s", (text, expected) => {
  JSON.parse(text);
  expect(duplicateKeys(text)).toEqual(expected);
});

test("agrees with JSON.parse on texts of all shapes, and bounds what it tells", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const value = (depth: number): unknown => {
    const kind = random(depth > 0 ? 6 : 4);
    if (kind < 4) return [null, true, random(1000) / 7, 'a"\\\n{['][kind];
    const parts = Array.from({ length: random(4) }, () => value(depth - 1));
    return kind === 4 ? parts : Object.fromEntries(parts.map((part, index) => [`k${index}"`, part]));
  };
  for (let round = 0; round < 200; round++) {
    expect(duplicateKeys(JSON.stringify(value(5), undefined, random(3)))).toEqual([]);
  }
  expect(duplicateKeys(`{${Array.from({ length: 500 }, () => '"a":1').join(",")}}`)).toHaveLength(20);
});
