import { describe, expect, it } from "vitest";
import { proxyDomains } from "./domains.ts";

const client = "default.svc.cluster.local";

describe("proxyDomains", () => {
  it("shortens the names of the client's namespace most, and only those of its own cluster", () => {
    expect(proxyDomains("reviews.default.svc.cluster.local", [], 9080, client)).toEqual([
      "reviews.default.svc.cluster.local:9080",
      "reviews:9080",
      "reviews.default:9080",
      "reviews.default.svc:9080",
    ]);
    expect(proxyDomains("reviews.shop.svc.cluster.local", [], 9080, client)).toEqual([
      "reviews.shop.svc.cluster.local:9080",
      "reviews.shop:9080",
      "reviews.shop.svc:9080",
    ]);
    expect(proxyDomains("reviews.default.svc.other.cluster", [], 9080, client)).toEqual([
      "reviews.default.svc.other.cluster:9080",
    ]);
  });

  it("leaves wildcards whole: shortened to *, one would take every host", () => {
    expect(proxyDomains("*.default.svc.cluster.local", [], 80, client)).toEqual([
      "*.default.svc.cluster.local",
      "*.default.svc.cluster.local:80",
    ]);
  });

  it("needs no port for 80, and brackets IPv6 addresses", () => {
    expect(proxyDomains("a.com", ["10.0.0.1", "fd00::1"], 80, client)).toEqual([
      "a.com",
      "a.com:80",
      "10.0.0.1",
      "10.0.0.1:80",
      "[fd00::1]",
      "[fd00::1]:80",
    ]);
  });
});
