import { describe, expect, it } from "vitest";
import { covers, intersect, resolveHost } from "./hostname.ts";

describe("resolveHost", () => {
  it.each([
    ["reviews", "reviews.default.svc.cluster.local"],
    ["Reviews", "reviews.default.svc.cluster.local"],
    ["reviews.other", "reviews.other"],
    ["api.example.com", "api.example.com"],
    ["*", "*"],
    ["*.example.com", "*.example.com"],
  ])("%s", (host, expected) => {
    expect(resolveHost(host, "default", "cluster.local")).toBe(expected);
  });
});

describe("covers", () => {
  it.each([
    ["a.com", "a.com", true],
    ["a.com", "b.com", false],
    ["*", "a.com", true],
    ["*", "*", true],
    ["*.com", "a.com", true],
    ["*.com", ".com", false],
    ["*.com", "*.a.com", true],
    ["*.a.com", "*.com", false],
    ["*.a.com", "a.com", false],
    ["a.com", "*.com", false],
    ["*.com", "*.com", true],
  ])("%s over %s: %s", (pattern, host, expected) => {
    expect(covers(pattern, host)).toBe(expected);
  });
});

describe("intersect", () => {
  it.each([
    ["*", "a.com", "a.com"],
    ["*.com", "*.a.com", "*.a.com"],
    ["a.com", "*", "a.com"],
    ["a.com", "b.com", undefined],
  ])("%s and %s", (a, b, expected) => {
    expect(intersect(a, b)).toBe(expected);
  });
});
