import { expect, it } from "vitest";
import { yamlTokens } from "./yaml-tokens.ts";

const kinds = (line: string) => yamlTokens(line).map(({ kind, text }) => `${kind}:${text}`);

it("tells keys from values", () => {
  expect(kinds("    weight: 80")).toEqual(["mark:    ", "key:weight", "mark:: ", "number:80"]);
  expect(kinds("- destination:")).toEqual(["mark:- ", "key:destination", "mark::"]);
  expect(kinds('  "a b": "c: d"')).toEqual(["mark:  ", 'key:"a b"', "mark:: ", 'string:"c: d"']);
  expect(kinds("simple: true # yes")).toEqual(["key:simple", "mark:: ", "word:true", "comment: # yes"]);
});

it("keeps every character", () => {
  for (const line of [
    "",
    "   ",
    "# note",
    "- - a",
    "url: http://x:80/y",
    "{a: 1}",
    "key:value",
    "- 'it''s'",
    "a: b # c",
  ]) {
    expect(
      yamlTokens(line)
        .map(({ text }) => text)
        .join(""),
    ).toBe(line);
  }
});
