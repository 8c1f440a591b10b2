import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { RBACSchema } from "../../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { randomFrom } from "../../lib/testing/random.ts";
import { compileRbac } from "./engine.ts";
import type { RbacConnection, RbacSubject } from "./subject.ts";

const rbac = (policies: Record<string, JsonObject>, action = "ALLOW") =>
  compileRbac(fromJson(RBACSchema, { action, policies }));
const policy = (permission: JsonObject, principal: JsonObject = { any: true }): JsonObject => ({
  permissions: [permission],
  principals: [principal],
});
const path = (how: string, value: string, ignore_case = false): JsonObject => ({
  url_path: { path: { [how]: value, ignore_case } },
});
const header = (name: string, how: string, value: string, more: JsonObject = {}): JsonObject => ({
  header: { name, string_match: { [how]: value }, ...more },
});
const caller = (how: string, value: string): JsonObject => ({ authenticated: { principal_name: { [how]: value } } });
const claim = (key: string, value: JsonObject): JsonObject => ({
  metadata: { filter: "jwt", path: [{ key }], value },
});
const oneOf = (exact: string): JsonObject => ({
  or_match: { value_matchers: [{ list_match: { one_of: { string_match: { exact } } } }, { string_match: { exact } }] },
});

const connection = (uri: string | undefined, remoteAddress = "10.0.0.1", localPort = 80): RbacConnection => ({
  remoteAddress,
  localAddress: "127.0.0.1",
  localPort,
  tls: uri === undefined ? undefined : { peer: { uris: [uri], dns: [], subject: "" } },
});
const asked = (path_: string, more: Partial<RbacSubject["request"]> = {}, from = connection("a")): RbacSubject => ({
  connection: from,
  serverName: "",
  remoteAddress: from.remoteAddress,
  request: { method: "GET", path: path_, authority: "Shop.test", scheme: "http", headers: [], ...more },
});

describe("many policies", () => {
  it("are in the order of the bytes of their names, and the first that holds decides", () => {
    const names = ["\u{1F600}", "\uFFFD", "b", "a", "aa", "B"];
    const engine = rbac(Object.fromEntries(names.map((name) => [name, policy(path("prefix", "/"))])));
    expect(engine(asked("/x")).policy).toBe("B");
    const late = rbac({ "\u{1F600}": policy({ any: true }), "\uFFFD": policy({ any: true }) });
    expect(late(asked("/x")).policy).toBe("\uFFFD");
  });

  it("are told apart by the longest of nested prefixes, by exact texts, and by neither", () => {
    const engine = rbac({
      a: policy(path("exact", "/api/v1")),
      b: policy({ and_rules: { rules: [path("prefix", "/api/v1/"), path("prefix", "/api/")] } }),
      c: policy(path("prefix", "/api")),
      d: policy(path("suffix", ".css")),
      e: policy(path("exact", "/HOME", true)),
      f: policy(path("prefix", "/apricot")),
    });
    const decided = (text: string) => engine(asked(text)).policy;
    expect(["/api/v1", "/api/v1?x=/", "/api/v1/x", "/api/v2", "/apx"].map(decided)).toEqual(["a", "a", "b", "c", ""]);
    expect(["/x.css", "/home", "/apricots", "/", ""].map(decided)).toEqual(["d", "e", "f", "", ""]);
  });

  it("are judged anew for each connection, whoever asked before", () => {
    const engine = rbac(
      Object.fromEntries(["a", "b", "c", "d"].map((name) => [name, policy({ any: true }, caller("exact", name))])),
    );
    const [a, d, nobody] = [connection("a"), connection("d"), connection(undefined)];
    const decided = [a, d, nobody, a, d].map((from) => engine(asked("/", {}, from)).policy);
    expect(decided).toEqual(["a", "d", "", "a", "d"]);
  });

  it("decide as each of them would alone", () => {
    const random = randomFrom(12);
    for (let round = 0; round < 60; round++) {
      const made = Array.from({ length: 4 + random(40) }, (_, at) => [`p${100 + at}`, somePolicy(random)] as const);
      const engine = rbac(Object.fromEntries(made));
      const alone = made.map(([name, each]) => ({ name, engine: rbac({ [name]: each }) }));
      for (let each = 0; each < 8; each++) {
        const subject = someSubject(random);
        const first = alone.find((policy_) => policy_.engine(subject).allowed)?.name ?? "";
        expect(engine(subject).policy, `round ${round}`).toBe(first);
      }
    }
  });
});

type Random = (bound: number) => number;
const oneIn = <T>(random: Random, from: readonly [T, ...T[]]): T => from[random(from.length)] ?? from[0];
const someText = (random: Random): string => oneIn(random, ["a", "ab", "abc", "b", "A", ""]);

function leaf(random: Random): JsonObject {
  const how = oneIn(random, ["exact", "prefix", "suffix"]);
  const text = someText(random);
  switch (random(6)) {
    case 0:
      return path(how, how === "suffix" ? text || "b" : `/${text}`, random(2) === 0);
    case 1:
      return header(oneIn(random, ["x-a", ":method", ":authority"]), how, text || "a", {
        invert_match: random(4) === 0,
      });
    case 2:
      return header("x-a", how, text || "b", { treat_missing_header_as_empty: true });
    case 3:
      return claim("sub", oneOf(text));
    case 4:
      return { url_path: { path: { safe_regex: { regex: "/a{1,2}" } } } };
    default:
      return { any: true };
  }
}

const permissionLeaf = (random: Random): JsonObject =>
  random(4) === 0 ? { destination_port: 80 + random(2) } : leaf(random);

function principalLeaf(random: Random): JsonObject {
  if (random(3) > 0) return leaf(random);
  if (random(3) === 0) return { remote_ip: oneIn(random, ranges) };
  if (random(2) === 0) return caller(oneIn(random, ["exact", "prefix", "suffix"]), someText(random) || "a");
  return { direct_remote_ip: { address_prefix: `10.0.0.${1 + random(2)}`, prefix_len: 32 } };
}

interface Words {
  readonly and: string;
  readonly or: string;
  readonly not: string;
  readonly inner: string;
}

function tree(random: Random, of: (random: Random) => JsonObject, words: Words, depth = 3): JsonObject {
  const below = () => tree(random, of, words, depth - 1);
  const some = () => ({ [words.inner]: Array.from({ length: 1 + random(3) }, below) });
  switch (depth === 0 ? 3 : random(5)) {
    case 0:
      return { [words.and]: some() };
    case 1:
      return { [words.or]: some() };
    case 2:
      return { [words.not]: below() };
    default:
      return of(random);
  }
}

function somePolicy(random: Random): JsonObject {
  const ofPermissions = { and: "and_rules", or: "or_rules", not: "not_rule", inner: "rules" };
  const ofPrincipals = { and: "and_ids", or: "or_ids", not: "not_id", inner: "ids" };
  return {
    permissions: Array.from({ length: 1 + random(2) }, () => tree(random, permissionLeaf, ofPermissions)),
    principals: Array.from({ length: 1 + random(2) }, () => tree(random, principalLeaf, ofPrincipals)),
  };
}

const range = (address_prefix: string, prefix_len: number): JsonObject => ({ address_prefix, prefix_len });
const ranges = [
  range("10.0.0.0", 8),
  range("10.0.0.2", 31),
  range("0.0.0.0", 0),
  range("::", 0),
  range("2001:db8::", 33),
  range("::ffff:10.0.0.1", 128),
] as const;
const remotes = [
  "10.0.0.1",
  "10.0.0.3",
  "11.0.0.1",
  "::ffff:10.0.0.1",
  "2001:db8::1",
  "2001:db8:8000::1",
  "x",
] as const;

const connections = [
  connection(undefined),
  connection("a", "10.0.0.2", 81),
  connection("abc"),
  connection("b"),
] as const;

function someSubject(random: Random): RbacSubject {
  const headers = Array.from({ length: random(3) }, () => ["x-a", someText(random)]).flat();
  const sub = oneIn<unknown>(random, [someText(random), [someText(random), someText(random)], 1, undefined]);
  const remoteAddress = oneIn(random, remotes);
  const subject = asked(
    `/${someText(random)}?q`,
    { method: someText(random), authority: someText(random), headers, dynamicMetadata: { jwt: { sub } } },
    oneIn(random, connections),
  );
  return { ...subject, remoteAddress };
}
