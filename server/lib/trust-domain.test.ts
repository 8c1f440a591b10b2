import { expect, it } from "vitest";
import { trustDomainOf } from "./trust-domain.ts";

it("is cluster.local unless it is said, and refuses what stands in no SPIFFE id", () => {
  expect([{}, { LIMPID_TRUST_DOMAIN: "" }].map((env) => trustDomainOf(env))).toEqual([
    "cluster.local",
    "cluster.local",
  ]);
  expect(trustDomainOf({ LIMPID_TRUST_DOMAIN: "mesh-1.example.com" })).toBe("mesh-1.example.com");
  for (const wrong of ["Mesh", "a..b", "a/b", "a b", "-a", "a.", "spiffe://a", "*", "a:1", "x".repeat(64)]) {
    expect(() => trustDomainOf({ LIMPID_TRUST_DOMAIN: wrong }), wrong).toThrow(/LIMPID_TRUST_DOMAIN is .*must be/);
  }
});
