import { expect, it } from "vitest";
import { parse } from "yaml";
import { writeYaml } from "./write-yaml.ts";

it("writes texts that a reader of YAML 1.1 takes as texts, too", () => {
  const value = { "x-walk": "yes", on: "off", at: "12:30:45", count: 3, is: true, subset: "v1", timeout: "3s" };
  const text = writeYaml(value);
  expect(parse(text, { version: "1.1" })).toEqual(value);
  expect(parse(text)).toEqual(value);
  expect(text).toContain("subset: v1\n");
});

it("writes long texts in one line, and alike objects each in full", () => {
  const shared = { says: "word ".repeat(40).trim() };
  expect(writeYaml([shared, shared])).toBe(`- says: ${shared.says}\n`.repeat(2));
});
