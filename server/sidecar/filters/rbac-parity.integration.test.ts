import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, staticCluster, toCluster } from "../test-plane.ts";
import { envoyMissing } from "../testing/beside-envoy.ts";
import { Twins } from "../testing/twins.ts";
import { type Issuer, makeIssuer } from "./jwt/testing/issuer.ts";

// Who may come in by what a token claims, in the forms that Istio's translation has: the verdict and what is logged agree with real Envoy.

const fixtures = new Fixtures();
const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const filter = (name: string, proto: string, config: JsonObject): JsonObject => ({
  name: `envoy.filters.http.${name}`,
  typed_config: { "@type": type(proto), ...config },
});
let issuer: Issuer;
let twins: Twins;

const claim = (path: string, value: JsonObject): JsonObject => ({
  filter: "envoy.filters.http.jwt_authn",
  path: ["payload", ...path.split(".")].map((key) => ({ key })),
  value,
});
const metadata = (path: string, value: JsonObject): JsonObject => ({ metadata: claim(path, value) });
const text = (exact: string): JsonObject => ({ string_match: { exact } });
const oneOf = (value: JsonObject): JsonObject => ({
  or_match: { value_matchers: [{ list_match: { one_of: value } }, value] },
});
const anything: JsonObject = { string_match: { safe_regex: { regex: ".+" } } };

/** By the name of its policy, which stands in the log. */
const principals: Record<string, JsonObject> = {
  principal: { and_ids: { ids: [metadata("iss", text("me")), metadata("sub", text("you"))] } },
  any: { and_ids: { ids: [metadata("iss", anything), metadata("sub", anything)] } },
  nobody: { not_id: metadata("iss", anything) },
  audience: metadata("aud", oneOf(text("shop"))),
  scope: metadata("scope", oneOf(text("write"))),
  nested: metadata("realm.roles", oneOf({ string_match: { prefix: "adm" } })),
  age: metadata("age", { double_match: { range: { start: 18, end: 99 } } }),
  sourced: { sourced_metadata: { metadata_matcher: claim("sub", text("you")) } },
  route: {
    sourced_metadata: {
      metadata_matcher: { filter: "who", path: [{ key: "may" }], value: text("all") },
      metadata_source: "ROUTE",
    },
  },
};

beforeAll(async () => {
  if (envoyMissing) return;
  issuer = await makeIssuer();
  const up = await fixtures.http((_, response) => void response.end("in"));
  const only = (name: string, principal: JsonObject): JsonObject => ({
    action: "ALLOW",
    policies: { [name]: { permissions: [{ any: true }], principals: [principal] } },
  });
  const routes = Object.entries(principals).map(([name, principal]) => ({
    ...toCluster("up"),
    match: { prefix: `/${name}` },
    metadata: { filter_metadata: { who: { may: name === "route" ? "all" : "none" } } },
    typed_per_filter_config: {
      "envoy.filters.http.rbac": { "@type": type("rbac.v3.RBACPerRoute"), rbac: { rules: only(name, principal) } },
    },
  }));
  const claimed = { prefix: "/", dynamic_metadata: [claim("sub", text("vip"))] };
  const provider: JsonObject = {
    local_jwks: { inline_string: issuer.jwks() },
    payload_in_metadata: "payload",
    normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
    clear_route_cache: true,
  };
  const requires: JsonObject = { requires_any: { requirements: [{ provider_name: "p" }, { allow_missing: {} }] } };
  twins = await Twins.start(fixtures, {
    clusters: [staticCluster("up", [up])],
    routes: [{ match: claimed, direct_response: { status: 210 } }, ...routes, toCluster("up")],
    filters: [
      filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", {
        providers: { p: provider },
        rules: [{ match: { prefix: "/" }, requires }],
      }),
      filter("rbac", "rbac.v3.RBAC", {}),
    ],
  });
});

afterAll(() => fixtures.close());

const tokens: Record<string, object | undefined> = {
  none: undefined,
  you: { iss: "me", sub: "you", aud: "shop", scope: "read write", age: 18, realm: { roles: ["user", "admin"] } },
  other: { iss: "me", sub: "other", aud: ["a", "shop"], scope: "read", age: 17, realm: { roles: "admin" } },
  bare: { iss: "me", scope: ["write"], age: "20", realm: "roles" },
};

describe.skipIf(envoyMissing)("by claims, as Envoy decides", () => {
  it.each(Object.keys(principals).flatMap((name) => Object.keys(tokens).map((token) => [name, token])))(
    "%s: %s",
    async (name, token) => {
      const claims = tokens[token ?? ""];
      const field = claims === undefined ? "" : `Authorization: Bearer ${await issuer.sign(claims)}\r\n`;
      const { ours, envoys } = await twins.ask(
        `GET /${name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n$ASK\r\n${field}\r\n`,
      );
      expect(ours).toEqual(envoys);
    },
  );

  it("a claim chooses the route", async () => {
    const field = `Authorization: Bearer ${await issuer.sign({ sub: "vip" })}\r\n`;
    const { ours, envoys } = await twins.ask(`GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n$ASK\r\n${field}\r\n`);
    expect(ours).toEqual(envoys);
    expect(ours.log).toBe("210 - direct_response");
  });
});
