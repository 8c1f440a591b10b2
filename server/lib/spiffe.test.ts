import { describe, expect, it } from "vitest";
import { parseSpiffeUri, spiffeUri } from "./spiffe.ts";

describe("SPIFFE ids", () => {
  it("are written and read in Istio's form", () => {
    const id = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "bookinfo-reviews" };
    expect(spiffeUri(id)).toBe("spiffe://cluster.local/ns/default/sa/bookinfo-reviews");
    expect(parseSpiffeUri(spiffeUri(id))).toEqual(id);
  });

  it.each([
    "",
    "https://cluster.local/ns/a/sa/b",
    "spiffe://cluster.local/workload",
    "spiffe:///ns/a/sa/b",
    "spiffe://cluster.local/ns/a/sa/b/c",
    "spiffe://cluster.local/ns//sa/b",
  ])("%j is none", (uri) => {
    expect(parseSpiffeUri(uri)).toBeUndefined();
  });
});
