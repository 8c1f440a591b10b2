import { expect, test } from "vitest";
import { suggest } from "./suggest.ts";

test.each([
  ["weigth", "weight"],
  ["Weight", "weight"],
  ["anotations", "annotations"],
  ["prefx", "prefix"],
  ["host", "hosts"],
  ["xyz", undefined],
  ["", undefined],
])("%s → %s", (word, meant) => expect(suggest(word, ["weight", "annotations", "prefix", "hosts", "tls"])).toBe(meant));
