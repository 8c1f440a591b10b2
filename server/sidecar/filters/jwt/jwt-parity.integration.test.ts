import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, staticCluster, toCluster } from "../../test-plane.ts";
import { envoyMissing } from "../../testing/beside-envoy.ts";
import { Twins } from "../../testing/twins.ts";
import { forge, type Issuer, makeIssuer } from "./testing/issuer.ts";

// The same tokens to real Envoy and to our filter: what the client hears, what the upstream sees, what is logged and noted must agree.

const fixtures = new Fixtures();
const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const name = "envoy.filters.http.jwt_authn";
const now = Math.floor(Date.now() / 1000);
let issuer: Issuer;
let stranger: Issuer;
let twins: Twins;
let few: Twins;

/** Sees what came by answering with it. */
const echo = () =>
  fixtures.http((request, response) => {
    const fields = Object.entries(request.headers).filter(([field]) => !/^(x-request-id|host)$/.test(field));
    response.end(JSON.stringify([request.method, request.url, fields.sort()]));
  });

const provider = (jwks: JsonObject, more: JsonObject = {}): JsonObject => ({
  issuer: "me",
  ...jwks,
  payload_in_metadata: "payload",
  failed_status_in_metadata: "failed",
  ...more,
});

const byPath = (path: string, requires: JsonObject): JsonObject => ({ match: { prefix: path }, requires });

/** By their issuers, of which each has one provider: of several Envoy takes any. */
const byIssuer = (): JsonObject => ({
  providers: {
    all: provider({ local_jwks: { inline_string: issuer.jwks() } }),
    other: provider(
      { local_jwks: { inline_string: issuer.jwks("ec") } },
      { issuer: "other", from_headers: [{ name: "x-token" }] },
    ),
  },
  rules: [byPath("/missing", { allow_missing: {} }), byPath("/failed", { allow_missing_or_failed: {} })],
});

const named = (provider_name: string): JsonObject => ({ provider_name });
const any = (...requirements: JsonObject[]): JsonObject => ({ requires_any: { requirements } });
const all = (...requirements: JsonObject[]): JsonObject => ({ requires_all: { requirements } });
const maybe = (provider: string): JsonObject => any(named(provider), { allow_missing: {} });

function filterConfig(jwksCluster: string): JsonObject {
  const inline = (...keys: Parameters<Issuer["jwks"]>) => ({ local_jwks: { inline_string: issuer.jwks(...keys) } });
  const remote = (path: string, more: JsonObject = {}): JsonObject => ({
    remote_jwks: { http_uri: { uri: `http://keys.test${path}`, cluster: jwksCluster, timeout: "5s" }, ...more },
  });
  return {
    providers: {
      all: provider(inline()),
      audience: provider(inline(), { audiences: ["https://shop/", "other"] }),
      handed: provider(inline(), {
        forward: true,
        forward_payload_header: "x-payload",
        pad_forward_payload_header: true,
        header_in_metadata: "head",
        normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
        claim_to_headers: [
          { header_name: "x-sub", claim_name: "sub" },
          { header_name: "x-age", claim_name: "age" },
          { header_name: "x-half", claim_name: "half" },
          { header_name: "x-yes", claim_name: "yes" },
          { header_name: "x-deep", claim_name: "deep.er.still" },
          { header_name: "x-list", claim_name: "list" },
          { header_name: "x-none", claim_name: "none" },
        ],
      }),
      places: provider(inline(), {
        from_headers: [{ name: "X-Token" }, { name: "x-own", value_prefix: "Mine " }],
        from_params: ["t", "u"],
        from_cookies: ["c"],
      }),
      strict: provider(inline(), { subjects: { prefix: "good" }, max_lifetime: "3600s", clock_skew_seconds: 5 }),
      ends: provider(inline(), { require_expiration: true }),
      other: provider(inline("ec"), { issuer: "other" }),
      anybody: provider(inline("rsa"), { issuer: "" }),
      remote: provider(remote("/jwks")),
      remoteBad: provider(remote("/bad")),
      remoteGone: provider(remote("/404")),
      remoteNone: provider(remote("/jwks", { http_uri: { uri: "http://k/", cluster: "nosuch", timeout: "1s" } })),
    },
    rules: [
      byPath("/none", {}),
      { match: { prefix: "/open" } },
      ...["all", "audience", "handed", "places", "strict", "ends", "anybody", "remote"].map((each) =>
        byPath(`/${each}`, { provider_name: each }),
      ),
      ...["Bad", "Gone", "None"].map((each) => byPath(`/x${each}`, { provider_name: `remote${each}` })),
      byPath("/aud", { provider_and_audiences: { provider_name: "all", audiences: ["http://asked"] } }),
      byPath("/any", any(named("all"), named("other"))),
      byPath("/maybe", any(named("all"), { allow_missing: {} })),
      byPath("/lax", any(named("all"), { allow_missing_or_failed: {} })),
      byPath("/two", all(named("all"), named("places"))),
      byPath("/istio", any(named("all"), named("other"), all(maybe("all"), maybe("other")))),
      { match: { path: "/named" }, requirement_name: "named" },
    ],
    requirement_map: { named: { provider_name: "ends" }, unused: { allow_missing: {} } },
    bypass_cors_preflight: true,
  };
}

beforeAll(async () => {
  if (envoyMissing) return;
  [issuer, stranger] = await Promise.all([makeIssuer(), makeIssuer()]);
  const jwks = await fixtures.http((request, response) => {
    response.statusCode = request.url === "/404" ? 404 : 200;
    response.end(request.url === "/jwks" ? issuer.jwks() : "nothing");
  });
  const perRoute = (config: JsonObject): JsonObject => ({
    typed_per_filter_config: { [name]: { "@type": type("jwt_authn.v3.PerRouteConfig"), ...config } },
  });
  const routes = [
    { ...toCluster("up"), match: { prefix: "/all/off" }, ...perRoute({ disabled: true }) },
    { ...toCluster("up"), match: { prefix: "/route" }, ...perRoute({ requirement_name: "named" }) },
    { ...toCluster("up"), match: { prefix: "/wrong" }, ...perRoute({ requirement_name: "nosuch" }) },
    toCluster("up"),
  ];
  const filter = (config: JsonObject): JsonObject => ({
    name,
    typed_config: { "@type": type("jwt_authn.v3.JwtAuthentication"), ...config },
  });
  const clusters = [staticCluster("up", [await echo()]), staticCluster("jwks", [jwks])];
  const common = { clusters };
  twins = await Twins.start(fixtures, { ...common, routes, filters: [filter(filterConfig("jwks"))] }, name);
  few = await Twins.start(fixtures, { ...common, routes: [toCluster("up")], filters: [filter(byIssuer())] }, name);
});

afterAll(() => fixtures.close());

const get = (path: string, ...fields: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n$ASK\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
const bearer = (token: string) => `Authorization: Bearer ${token}`;
const claims = (more: object = {}) => ({ iss: "me", sub: "sub", aud: "shop", exp: now + 1000, ...more });

async function same(text: string, pair = twins): Promise<void> {
  const { ours, envoys } = await pair.ask(text);
  expect(ours).toEqual(envoys);
}

describe.skipIf(envoyMissing)("tokens, as Envoy takes them", () => {
  it.each<[string, () => Promise<string> | string]>([
    ["RS256", () => issuer.sign(claims())],
    ["PS384", () => issuer.sign(claims(), { by: "pss" })],
    ["ES256", () => issuer.sign(claims(), { by: "ec" })],
    ["ES384", () => issuer.sign(claims(), { by: "ec384" })],
    ["EdDSA", () => issuer.sign(claims(), { by: "ed" })],
    ["HS256", () => forge({ alg: "HS256", kid: "hs" }, claims(), "a secret of thirty-two bytes ....")],
    ["HS256 with another secret", () => forge({ alg: "HS256", kid: "hs" }, claims(), "another")],
    ["no kid", () => issuer.sign(claims(), { header: { kid: undefined } })],
    ["another key's kid", () => issuer.sign(claims(), { header: { kid: "ec" } })],
    ["an unknown kid", () => issuer.sign(claims(), { header: { kid: "nosuch" } })],
    ["a kid that is no text", () => forge({ alg: "RS256", kid: 1 }, claims(), "x")],
    ["a stranger's key", () => stranger.sign(claims())],
    ["a stranger's key, Ed25519", () => stranger.sign(claims(), { by: "ed" })],
    ["no algorithm", () => forge({ kid: "rsa" }, claims(), "x")],
    ["algorithm none", () => forge({ alg: "none" }, claims(), undefined)],
    ["algorithm none with a signature", () => forge({ alg: "none" }, claims(), "x")],
    ["algorithm None", () => forge({ alg: "None" }, claims(), "x")],
    ["the public key as a secret", () => forge({ alg: "HS256", kid: "rsa" }, claims(), issuer.keys.rsa.n ?? "")],
    ["the public key as a secret, no kid", () => forge({ alg: "HS256" }, claims(), issuer.keys.rsa.n ?? "")],
    ["a short signature for Ed25519", () => forge({ alg: "EdDSA", kid: "ed" }, claims(), "x")],
    ["expired", () => issuer.sign(claims({ exp: now - 1000 }))],
    ["expired within the skew", () => issuer.sign(claims({ exp: now - 20 }))],
    ["not yet valid", () => issuer.sign(claims({ nbf: now + 1000 }))],
    ["no end", () => issuer.sign(claims({ exp: undefined }))],
    ["an end of 0", () => issuer.sign(claims({ exp: 0 }))],
    ["an end before the beginning of time", () => issuer.sign(claims({ exp: -1 }))],
    ["an end that is a text", () => issuer.sign(claims({ exp: "later" }))],
    ["a beginning that is a text", () => issuer.sign(claims({ nbf: "later" }))],
    ["issued too far away", () => issuer.sign(claims({ iat: 2 ** 65 }))],
    ["another issuer", () => issuer.sign(claims({ iss: "you" }))],
    ["an issuer that is no text", () => issuer.sign(claims({ iss: 1 }))],
    ["no issuer", () => issuer.sign(claims({ iss: undefined }))],
    ["a subject that is no text", () => issuer.sign(claims({ sub: 1 }))],
    ["an id that is no text", () => issuer.sign(claims({ jti: {} }))],
    ["an audience that is no text", () => issuer.sign(claims({ aud: [1] }))],
    ["an issuer twice", () => issuer.sign(`{"iss":"you","iss":"me","exp":${now + 1000}}`)],
    ["an issuer twice, deep inside", () => issuer.sign(`{"iss":"me","x":{"a":1,"a":2}}`)],
    ["claims that are no object", () => issuer.sign("[]")],
    ["claims that are no JSON", () => issuer.sign("{")],
    ["claims that are no JSON: null", () => issuer.sign("null")],
    ["claims nested too deep", () => issuer.sign(`{"iss":"me","x":${"[".repeat(200)}${"]".repeat(200)}}`)],
    ["a header that is no JSON", () => forge("{", claims(), "x")],
    ["two sections", () => "a.b"],
    ["four sections", () => "a.b.c.d"],
    ["nothing", () => ""],
    ["a header that is not Base64url", () => "+++.e30.e30"],
    ["a payload that is not Base64url", () => `${Buffer.from('{"alg":"RS256"}').toString("base64url")}.+.e30`],
    ["a signature that is not Base64url", async () => `${(await issuer.sign(claims())).split(".", 2).join(".")}.+++`],
    [
      "changed by a bit",
      async () => (await issuer.sign(claims())).replace(/\.(.)/, (_, c) => `.${c === "e" ? "f" : "e"}`),
    ],
    ["huge", () => issuer.sign(claims({ filler: "x".repeat(40_000) }))],
    ["claims of every kind", () => issuer.sign(claims({ a: [1, "b", null, { c: true }], d: 1.5, e: "é\u0000" }))],
  ])("%s", async (_, token) => {
    const text = await token();
    await same(get("/all", bearer(text)));
    await same(get("/all", bearer(text)));
  });

  it.each<[string, (good: string, bad: string) => string]>([
    ["no token", () => get("/all/x?y=z")],
    ["a long path", () => get(`/all/${"x".repeat(300)}`)],
    ["another scheme", () => get("/all", "Authorization: Basic abc")],
    ["Bearer somewhere inside", (good) => get("/all", `Authorization: x Bearer ${good}`)],
    ["more than one space", (good) => get("/all", `Authorization: Bearer   ${good}`)],
    ["lower case", (good) => get("/all", `Authorization: bearer ${good}`)],
    ["two good ones", (good) => get("/all", bearer(good), bearer(good))],
    ["a good one and a bad one", (good, bad) => get("/all", bearer(good), bearer(bad))],
    ["a bad one and a good one", (good, bad) => get("/all", bearer(bad), bearer(good))],
    ["the query parameter", (good) => get(`/all?a=b&access_token=${good}&c=d`)],
    ["the query parameter alone", (good) => get(`/all?access_token=${good}`)],
    ["the query parameter, encoded", (good) => get(`/all?a=b&access_token=${good.replace(".", "%2E")}`)],
    ["the query parameter and a bad header", (good, bad) => get(`/all?access_token=${good}`, bearer(bad))],
    ["own places: none", (good) => get("/places", bearer(good))],
    ["own places: header", (good) => get("/places", `X-Token: ${good}`)],
    ["own places: header with a prefix", (good) => get("/places", `X-Own: Mine ${good}`)],
    ["own places: header without its prefix", (good) => get("/places", `X-Own: ${good}`)],
    ["own places: parameter", (good) => get(`/places?u=${good}`)],
    ["own places: cookie", (good) => get("/places", `Cookie: a=b; c=${good}`)],
    ["own places: cookie in quotes", (good) => get("/places", `Cookie: a=b; c="${good}"`)],
    ["own places: one good, one bad", (good, bad) => get(`/places?u=${good}`, `Cookie: c=${bad}`)],
    ["what a client claims itself", () => get("/handed", "x-payload: mine", "x-sub: root")],
    ["nothing is required", (_, bad) => get("/none", bearer(bad))],
    ["nobody asks", (_, bad) => get("/open", bearer(bad))],
    ["no rule", (_, bad) => get("/else", bearer(bad))],
    ["a route that asks for nothing", () => get("/all/off")],
    ["a route's own requirement", () => get("/route")],
    ["a route's own requirement, met", (good) => get("/route", bearer(good))],
    ["a route's wrong requirement", (good) => get("/wrong", bearer(good))],
    ["a named requirement", (good) => get("/named", bearer(good))],
    [
      "a preflight",
      () => get("/all", "Origin: http://a", "Access-Control-Request-Method: PUT").replace("GET", "OPTIONS"),
    ],
    ["an OPTIONS that is none", () => get("/all", "Origin: http://a").replace("GET", "OPTIONS")],
    ["remote keys", (good) => get("/remote", bearer(good))],
    ["remote keys, again", (good) => get("/remote", bearer(good))],
    ["remote keys that are none", (good) => get("/xBad", bearer(good))],
    ["remote keys that are not there", (good) => get("/xGone", bearer(good))],
    ...["/any", "/maybe", "/lax", "/two", "/istio"].flatMap(
      (path): [string, (good: string, bad: string) => string][] => [
        [`${path}: none`, () => get(path)],
        [`${path}: good`, (good) => get(path, bearer(good))],
        [`${path}: bad`, (_, bad) => get(path, bearer(bad))],
        [`${path}: elsewhere`, (good) => get(path, `X-Token: ${good}`)],
        [`${path}: both`, (good) => get(path, bearer(good), `X-Token: ${good}`)],
        [`${path}: no token at all`, () => get(path, bearer("abc"))],
      ],
    ),
  ])("%s", async (_, text) => {
    await same(text(await issuer.sign(claims()), await stranger.sign(claims())));
  });

  it.each<[string, string, object]>([
    ["the audience", "/audience", { aud: "shop" }],
    ["the audience with a scheme", "/audience", { aud: ["x", "http://shop"] }],
    ["another audience", "/audience", { aud: "shops" }],
    ["no audience", "/audience", { aud: undefined }],
    ["the requirement's audience", "/aud", { aud: "asked" }],
    ["not the requirement's audience", "/aud", { aud: "shop" }],
    [
      "handed on",
      "/handed",
      { age: 3, half: 1.5, yes: false, deep: { er: { still: "x" } }, list: [1, "a"], scope: "a  b" },
    ],
    ["handed on, numbers", "/handed", { age: -3, half: 1e20, yes: null, deep: {}, list: {}, scope: "" }],
    ["handed on, big", "/handed", { age: 2 ** 53, half: 0.1234567, yes: 1e-9, sub: "é" }],
    ["subject and lifetime", "/strict", { sub: "good1" }],
    ["another subject", "/strict", { sub: "bad" }],
    ["too long a life", "/strict", { sub: "good", exp: now + 10_000 }],
    ["for ever", "/strict", { sub: "good", exp: undefined }],
    ["expired past a small skew", "/strict", { sub: "good", exp: now - 20 }],
    ["an end is asked for", "/ends", {}],
    ["an end is asked for and not there", "/ends", { exp: undefined }],
    ["any issuer", "/anybody", { iss: "whoever" }],
  ])("%s", async (_, path, more) => {
    await same(get(path, bearer(await issuer.sign(claims(more)))));
  });

  it("another issuer's token, by one of two", async () => {
    const token = await issuer.sign(claims({ iss: "other" }), { by: "ec" });
    for (const path of ["/any", "/istio", "/maybe"]) await same(get(path, bearer(token)));
  });

  it.each(["/missing", "/failed"])("by its issuer: %s", async (path) => {
    const good = bearer(await issuer.sign(claims()));
    const bad = bearer(await stranger.sign(claims()));
    const others = await issuer.sign(claims({ iss: "other" }), { by: "ec" });
    const unknown = bearer(await issuer.sign(claims({ iss: "whoever" })));
    const cases = [[], [good], [bad], [bearer(others)], [`x-token: ${others}`], [good, `x-token: ${others}`]];
    const worse = [[bad, `x-token: ${others}`], [good, "x-token: a.b"], [unknown], [bearer("abc")], ["x-token: "]];
    for (const fields of [...cases, ...worse]) await same(get(path, ...fields), few);
  });

  it("counts alike", async () => {
    for (const counter of ["allowed", "denied", "cors_preflight_bypassed"]) {
      const { ours, envoys } = await twins.counters(`http.test.jwt_authn.${counter}`);
      expect([counter, ours]).toEqual([counter, envoys]);
      expect(ours).toBeGreaterThan(0);
    }
  });
});
