import { describe, expect, it } from "vitest";
import { isAllowedHost, isSameOrigin } from "../proxy.ts";

describe("isAllowedHost", () => {
  it.each(["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST", "mesh.localhost:80"])("serves %s", (host) =>
    expect(isAllowedHost(host, "")).toBe(true),
  );
  it.each(["evil.example", "127.0.0.1.evil.example:3000", "", "localhost.evil.example", "127.0.0.10"])(
    "refuses %j",
    (host) => expect(isAllowedHost(host, "")).toBe(false),
  );
  it("serves what LIMPID_ALLOWED_HOSTS names, and nothing like it", () => {
    expect(isAllowedHost("mesh.corp:3000", "a.b, Mesh.corp")).toBe(true);
    expect(isAllowedHost("x.mesh.corp", "mesh.corp")).toBe(false);
    expect(isAllowedHost("", "a.b,")).toBe(false);
  });
});

describe("isSameOrigin", () => {
  const from = (headers: Record<string, string>) => isSameOrigin(new Headers(headers), "localhost:3000");
  it("takes the dashboard's own pages and tools that send no origin", () => {
    expect(from({ origin: "http://localhost:3000", "sec-fetch-site": "same-origin" })).toBe(true);
    expect(from({})).toBe(true);
  });
  it.each<Record<string, string>>([
    { origin: "http://evil.example" },
    { origin: "http://localhost:4000" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://localhost:3000" },
  ])("refuses %j", (headers) => expect(from(headers)).toBe(false));
});
