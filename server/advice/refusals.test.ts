import { expect, it } from "vitest";
import { refusalOf } from "./refusal.ts";
import { groupRefusals, strictRefusals } from "./refusals.ts";
import { advised, edge, guardingOf, line, object, shopMesh } from "./testing/shop.ts";

const rule = (index: number) => `rbac_access_denied_matched_policy[ns[default]-policy[deny]-rule[${index}]]`;

it.each([
  [rule(2), { kind: "rule", rule: { namespace: "default", name: "deny", index: 2 } }],
  ["rbac_access_denied_matched_policy[none]", { kind: "no-rule", rule: undefined }],
  ["rbac_access_denied", { kind: "no-rule", rule: undefined }],
  ["rbac_access_denied_matched_policy[by_hand]", { kind: "rule", rule: undefined }],
  [
    "rbac_access_denied_matched_policy[istio-ext-authz-ns[a]-policy[b]-rule[0]-deny-due-to-bad-CUSTOM-action]",
    { kind: "rule", rule: { namespace: "a", name: "b", index: 0 } },
  ],
  ["jwt_authn_access_denied{Jwt_is_expired}", { kind: "token", rule: undefined }],
  ["ext_authz_denied", { kind: "provider", rule: undefined }],
  ["via_upstream", undefined],
  ["", undefined],
])("reads %s", (details, expected) => {
  expect(refusalOf(details)).toEqual(expected);
});

it("groups refusals by rule, and alike calls within, without queries; the newest is shown", () => {
  const refused = edge("page", "reviews");
  const groups = groupRefusals(
    [
      line(refused, { id: 1, atMs: 10, code: 403, details: rule(0), path: "/admin?key=secret", requestId: "a" }),
      line(refused, { id: 2, atMs: 20, code: 403, details: rule(0), path: "/admin?key=other", requestId: "b" }),
      line(edge("", "reviews", { mtls: false }), { atMs: 5, code: 403, details: rule(0), path: "/x" }),
      line(refused, { atMs: 30, code: 403, details: rule(1) }),
      line(refused),
    ],
    advised,
    guardingOf(shopMesh()),
  );
  expect(groups).toMatchObject([
    {
      kind: "rule",
      by: [{ kind: "AuthorizationPolicy", namespace: "default", name: "deny", rule: "rules[0]" }],
      calls: 3,
      lastAt: 20,
      callers: [
        {
          caller: "default/page-v1",
          destination: "default/reviews-v1",
          mtls: true,
          calls: 2,
          sample: { path: "/admin", requestId: "b" },
        },
        { caller: "", mtls: false, calls: 1 },
      ],
    },
    { by: [{ rule: "rules[1]" }], calls: 1 },
  ]);
});

it("names the policies of which none allows, and those that know tokens", () => {
  const selector = { matchLabels: { app: "reviews" } };
  const mesh = shopMesh(
    object("AuthorizationPolicy", "one", { selector, rules: [] }),
    object("AuthorizationPolicy", "other", { selector: { matchLabels: { app: "page" } }, rules: [] }),
    object("RequestAuthentication", "tokens", { selector, jwtRules: [{ issuer: "x" }] }),
  );
  const refused = edge("page", "reviews");
  const groups = groupRefusals(
    [
      line(refused, { code: 403, details: "rbac_access_denied_matched_policy[none]" }),
      line(refused, { code: 401, details: "jwt_authn_access_denied{Jwt_is_missing}" }),
    ],
    advised,
    guardingOf(mesh),
  );
  expect(groups.map(({ kind, by }) => [kind, by.map(({ name }) => name)])).toEqual([
    ["no-rule", ["one"]],
    ["token", ["tokens"]],
  ]);
});

it("knows a gateway's own refusals by who told them", () => {
  const outward = edge("reviews", "page", { gateway: true, reporter: "source" });
  const told = { direction: "gateway" as const, proxy: "router~10.0.0.9~ingress.default~default.svc.cluster.local" };
  const [group] = groupRefusals([line(outward, { ...told, details: rule(0) })], advised, guardingOf(shopMesh()));
  expect(group?.callers).toMatchObject([{ caller: "", destination: "default/ingress" }]);
});

it("has what STRICT turned away with the object that says STRICT", () => {
  const by = { namespace: "default", name: "strict", field: "mtls" };
  const counts = { plain: 0, mutual: 0, plainCallers: [] };
  const workload = {
    namespace: "default",
    name: "reviews-v1",
    app: "reviews",
    version: "v1",
    proxy: "certified" as const,
  };
  const ports = [{ port: 9080, mode: "STRICT" as const, by, plain: 0, mutual: 0 }];
  expect(
    strictRefusals([
      { ...workload, ...counts, ports, turnedAway: 3 },
      { ...workload, ...counts, ports, turnedAway: 0 },
    ]),
  ).toMatchObject([
    { kind: "strict", calls: 3, lastAt: null, by: [{ kind: "PeerAuthentication", name: "strict", rule: "mtls" }] },
  ]);
});
