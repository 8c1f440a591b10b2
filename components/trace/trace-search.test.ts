import { expect, it } from "vitest";
import { traceSearch } from "./trace-search.ts";

it.each<[Record<string, string>, Record<string, string>]>([
  [{}, { window: "3600", limit: "300" }],
  [
    { window: "60", errors: "true", sort: "-duration", tag: "a=b", service: "" },
    { window: "60", limit: "300", errors: "true", tag: "a=b" },
  ],
  [
    { window: "7", from: "1700000000000", to: "1700000060000" },
    { from: "1700000000000", to: "1700000060000", limit: "300" },
  ],
  [
    { window: "60", at: "1700000060000" },
    { from: "1700000000000", to: "1700000060000", limit: "300" },
  ],
])("%j asks %j", (url, expected) => {
  expect(traceSearch((name) => url[name])).toEqual(expected);
});
