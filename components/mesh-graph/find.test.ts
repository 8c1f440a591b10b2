import { describe, expect, it } from "vitest";
import { type Findable, parseFind } from "./find.ts";

const item = (over: Partial<Findable> = {}): Findable => ({
  text: "default/reviews/v2 http",
  facts: new Set(["fault", "http"]),
  errors: 0.02,
  rate: 13,
  p50: 8,
  p95: 120,
  p99: 300,
  "client-errors": 0.06,
  bytes: null,
  words: { name: ["reviews"], namespace: ["default"], version: ["v2"], service: ["reviews", "reviews.default"] },
  ...over,
});
const matches = (text: string, over?: Partial<Findable>) => {
  const found = parseFind(text);
  if (!found.ok || !found.matches) throw new Error(`no matcher: ${JSON.stringify(found)}`);
  return found.matches(item(over));
};

describe("parseFind", () => {
  it.each([
    ["errors > 1%", true],
    ["errors > 1", true],
    ["errors>=2%", true],
    ["errors < 2%", false],
    ["rate > 10", true],
    ["rate > 13 rps", null],
    ["rate > 12.5rps", true],
    ["p95 > 100ms", true],
    ["p95 > 0.2s", false],
    ["reviews", true],
    ["REV", true],
    ["ratings", false],
    ["not ratings", true],
    ["not not reviews", true],
    ["errors > 1% and reviews", true],
    ["errors > 1% reviews", true],
    ["ratings or rate > 10", true],
    ["ratings and reviews or v2", true],
    ["ratings and (reviews or v2)", false],
    ["not (ratings or v1)", true],
    ['"reviews/v2"', true],
    ["fault", true],
    ["http and not split", true],
    ["mtls", false],
    ['"fault"', true],
    ['"split"', false],
    ["name = reviews", true],
    ["name = Reviews", true],
    ["name != reviews", false],
    ["name *= view", true],
    ["name contains view", true],
    ["name ^= rev", true],
    ["name startswith views", false],
    ["name $= views", true],
    ['name endswith "iews"', true],
    ["ns = default and version = v2", true],
    ["service = reviews.default", true],
    ["not name = ratings", true],
    // What has no such field is found neither so nor so.
    ["code = 503", false],
    ["not code = 503", false],
    ["code != 503", false],
    ["not code = 503 or reviews", true],
    ["client-errors > 5%", true],
    ["bytes > 1kB", false],
    ["name", false],
  ])("judges %j", (text, expected) => {
    if (expected === null) expect(matches(text)).toBe(false);
    else expect(matches(text)).toBe(expected);
  });
  it("never compares what was not measured", () => {
    expect(matches("p95 < 100ms", { p95: null })).toBe(false);
    expect(matches("p95 != 100ms", { p95: null })).toBe(false);
  });
  it("knows the units of bytes", () => {
    expect(matches("bytes > 1.5kB", { bytes: 1501 })).toBe(true);
    expect(matches("bytes > 1MB", { bytes: 1501 })).toBe(false);
  });
  it("has no matcher for nothing", () => expect(parseFind("  ")).toEqual({ ok: true, matches: null }));
  it.each([
    ["errors >", { key: "want-number", field: "errors", operator: ">", example: "1%" }],
    ["p95 > fast", { key: "want-number", field: "p95", operator: ">", example: "100ms" }],
    ["rate > 5%", { key: "want-number", field: "rate", operator: ">", example: "10" }],
    ["(reviews", { key: "want-close" }],
    ["reviews)", { key: "unknown-word", word: ")", at: 8 }],
    ["reviews and", { key: "want-operand" }],
    ["not", { key: "want-operand" }],
    ["name =", { key: "want-text", field: "name", operator: "=" }],
    ["name = )", { key: "want-text", field: "name", operator: "=" }],
    ["name > a", { key: "unknown-operator", field: "name", operator: ">" }],
    ["errors ^= 1", { key: "unknown-word", word: "errors", at: 1 }],
    ["bytes > 5ms", { key: "want-number", field: "bytes", operator: ">", example: "10kB" }],
    ["latency > 5", { key: "unknown-word", word: "latency", at: 1 }],
    ["> 5", { key: "unknown-word", word: ">", at: 1 }],
    ["reviews or or v1", { key: "unknown-word", word: "or", at: 12 }],
  ])("says what is wrong with %j", (text, error) => expect(parseFind(text)).toEqual({ ok: false, error }));
});
