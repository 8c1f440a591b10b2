import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { RouteAction_HashPolicySchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { hex64 } from "../hash/word64.ts";
import { xxHash64 } from "../hash/xx-hash64.ts";
import type { DownstreamFacts } from "../http/stream.ts";
import { compileHashPolicy } from "./hash-policy.ts";

const connection: DownstreamFacts = {
  remoteAddress: "10.0.0.9",
  remotePort: 4242,
  localAddress: "::1",
  localPort: 80,
  proxied: undefined,
  tls: undefined,
  draining: false,
};

function run(policies: JsonValue[], headers: string[] = [], path = "/", atEdge = false) {
  const hasher = compileHashPolicy(policies.map((it) => fromJson(RouteAction_HashPolicySchema, it)));
  const result = hasher?.({ method: "GET", path, authority: "a", scheme: "http", headers }, { connection, atEdge });
  return { hash: result?.hash && hex64(result.hash), cookies: result?.cookies };
}
const of = (text: string) => hex64(xxHash64(text));
const header: JsonValue = { header: { header_name: "X-User" } };

it("hashes a header's values in any order, rewritten where told", () => {
  expect(run([header], ["x-user", "ada"])).toEqual({ hash: of("ada"), cookies: [] });
  expect(run([header], ["x-user", "b", "x-user", "a"]).hash).toBe(hex64(xxHash64("b", xxHash64("a"))));
  expect(run([header], ["x-other", "x-user"]).hash).toBeUndefined();
  expect(run([{ header: { header_name: ":path" } }], [], "/x?y").hash).toBe(of("/x?y"));
  const rewrite = { pattern: { regex: "^(\\w+)-.*" }, substitution: "\\1" };
  const rewritten = { header: { header_name: "x-user", regex_rewrite: rewrite } };
  expect(run([rewritten], ["x-user", "ada-17"]).hash).toBe(of("ada"));
});

it("hashes the client's address and a query parameter", () => {
  expect(run([{ connection_properties: { source_ip: true } }]).hash).toBe(of("10.0.0.9"));
  const source = { connection_properties: { source_ip: true } };
  const forwarded = ["x-forwarded-for", "1.1.1.1, 2.2.2.2"];
  expect(run([source], forwarded).hash).toBe(of("2.2.2.2"));
  expect(run([source], forwarded, "/", true).hash).toBe(of("10.0.0.9"));
  expect(run([source], ["x-forwarded-for", "unknown"]).hash).toBe(of("10.0.0.9"));
  expect(run([{ connection_properties: {} }]).hash).toBeUndefined();
  const query = { query_parameter: { name: "k" } };
  expect(run([query], [], "/?a=1&k=v%20w&k=2").hash).toBe(of("v%20w"));
  expect(run([query], [], "/?kk=1").hash).toBeUndefined();
});

it("hashes a cookie, and makes one where it may", () => {
  const policy = (cookie: JsonValue): JsonValue[] => [{ cookie }];
  const sent = ["cookie", 'a=1; s="x y"; s=z'];
  expect(run(policy({ name: "s", ttl: "60s" }), sent)).toEqual({ hash: of("x y"), cookies: [] });
  expect(run(policy({ name: "s" }))).toEqual({ hash: undefined, cookies: [] });
  const value = of("10.0.0.9:4242[::1]:80");
  const attributes = [
    { name: "SameSite", value: "Lax" },
    { name: "Secure", value: "" },
  ];
  expect(run(policy({ name: "s", ttl: "60s", path: "/p", attributes }))).toEqual({
    hash: of(value),
    cookies: [`s="${value}"; Max-Age=60; Path=/p; SameSite=Lax; Secure; HttpOnly`],
  });
  expect(run(policy({ name: "s", ttl: "0s" })).cookies).toEqual([`s="${value}"; HttpOnly`]);
});

it("combines what is there, up to a terminal one", () => {
  const source: JsonValue = { connection_properties: { source_ip: true } };
  const both = run([header, source], ["x-user", "ada"]).hash;
  expect(both).not.toBe(of("ada"));
  expect(run([header, header], ["x-user", "ada"]).hash).not.toBe("0000000000000000");
  expect(run([{ ...(header as object), terminal: true }, source], ["x-user", "ada"]).hash).toBe(of("ada"));
  expect(run([{ ...(header as object), terminal: true }, source]).hash).toBe(of("10.0.0.9"));
});

it("says what it does not take", () => {
  expect(() => run([{ filter_state: { key: "k" } }])).toThrow("hash_policy[0].filter_state: not supported");
  expect(() => compileHashPolicy([create(RouteAction_HashPolicySchema)])).toThrow("policy_specifier: required");
  expect(() => run([{ header: { header_name: "" } }])).toThrow("hash_policy[0].header.header_name: required");
  expect(compileHashPolicy([])).toBeUndefined();
});
