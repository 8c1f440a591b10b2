import { expect, it } from "vitest";
import en from "../../messages/en.json" with { type: "json" };
import { toldInEnglish } from "../../server/contract/index.ts";

it("has the server's own words in English", () => {
  expect(en.told).toEqual(toldInEnglish);
});
