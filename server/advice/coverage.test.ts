import { expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import type { LogRow } from "../query/reader.ts";
import { coverage } from "./coverage.ts";
import { createReach } from "./reach.ts";
import { recordedCall } from "./recorded-call.ts";
import { advised, calls, edge, guardingOf, identities, line, object, shopMesh, views } from "./testing/shop.ts";

const cover = (config: ConfigObject[], sums = [calls(edge("page", "reviews"), 9)], rows: LogRow[] = []) => {
  const mesh = shopMesh(...config);
  return coverage({
    ...{ mesh, sums, identities, workloads: advised },
    calls: rows.map((row) => recordedCall(row, identities)),
    guarding: guardingOf(mesh),
    reach: createReach(mesh, views),
  });
};
const allow = (rules: object[]) =>
  object("AuthorizationPolicy", "reviews", { selector: { matchLabels: { app: "reviews" } }, rules });
const from = (app: string) => ({ from: [{ source: { principals: [`cluster.local/ns/default/sa/${app}`] } }] });

it("has each pair that called, with how it came and who is guarded by nobody; and all pairs that could", () => {
  const sums = [calls(edge("page", "reviews"), 9), calls(edge("page", "reviews", { mtls: false }), 1)];
  const found = cover([], sums);
  expect(found.calls).toEqual([
    {
      ...{ caller: "default/page", called: "default/reviews", calls: 10, mutual: 9, refused: 0 },
      ...{ gateway: false, reach: "all", policies: [] },
    },
  ]);
  expect(found.unguarded).toEqual(["default/legacy", "default/page", "default/reviews"]);
  expect(found.idle).toHaveLength(5);
});

it("says which rule spoke, and what was refused", () => {
  const rows = [
    line(edge("page", "reviews")),
    line(edge("legacy", "reviews", { mtls: false }), {
      code: 403,
      details: "rbac_access_denied_matched_policy[none]",
    }),
  ];
  const sums = [calls(edge("page", "reviews"), 9), calls(edge("legacy", "reviews", { mtls: false }), 1)];
  const { calls: found } = cover([allow([from("other"), from("page")])], sums, rows);
  const policies = { namespace: "default", name: "reviews", action: "ALLOW", dryRun: false };
  expect(found).toMatchObject([
    { caller: "default/page", refused: 0, reach: "all", policies: [{ ...policies, rules: [1] }] },
    { caller: "default/legacy", refused: 1, reach: "none", policies: [{ ...policies, rules: [] }] },
  ]);
});

it("says what callers may by their certificate: everything, some requests, nothing", () => {
  const some = { ...from("page"), to: [{ operation: { paths: ["/reviews/*"] } }] };
  expect(cover([allow([some])]).calls).toMatchObject([{ reach: "some" }]);
  expect(cover([allow([from("page")])]).calls).toMatchObject([{ reach: "all" }]);
  const { calls: refused, idle } = cover([allow([from("other")])]);
  expect(refused).toMatchObject([{ reach: "none" }]);
  expect(idle.filter(({ called }) => called === "default/reviews")).toEqual([]);
});

it("says what strangers could call where one was seen, who are nobody to a policy", () => {
  const sums = [calls(edge("", "page", { mtls: false }), 1)];
  const pairs = cover([allow([from("page")])], sums).idle.filter(({ caller }) => caller === "");
  expect(pairs).toEqual([{ caller: "", called: "default/legacy", reach: "all" }]);
});

it("lets nobody without a certificate call what is STRICT", () => {
  const strict = object("PeerAuthentication", "default", { mtls: { mode: "STRICT" } });
  const pairs = cover([strict]).idle.map(({ caller, called }) => `${caller} ${called}`);
  expect(pairs).not.toContain("default/legacy default/reviews");
  // It has no proxy that could refuse anything.
  expect(pairs).toContain("default/page default/legacy");
});
