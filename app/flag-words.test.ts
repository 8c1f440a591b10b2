import { expect, it } from "vitest";
import { knownFlags } from "../components/mesh-graph/flag-words.ts";
import en from "../messages/en.json" with { type: "json" };
import zh from "../messages/zh-CN.json" with { type: "json" };

it.each([
  ["English", en.flags],
  ["Chinese", zh.flags],
])("says of each what it means and what to do, in %s", (_, words: Record<string, string>) => {
  const wanted = knownFlags.flatMap((flag) => [`means-${flag}`, `advice-${flag}`]);
  expect(Object.keys(words)).toEqual(wanted);
  expect(wanted.filter((key) => (words[key] ?? "").trim().length < 3)).toEqual([]);
});
