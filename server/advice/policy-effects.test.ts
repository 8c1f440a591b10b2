import { expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { policyEffects } from "./policy-effects.ts";
import { recordedCall } from "./recorded-call.ts";
import { advised, edge, guardingOf, identities, line, object, shopMesh } from "./testing/shop.ts";

const trial = (it: ConfigObject): ConfigObject => ({
  ...it,
  metadata: { ...it.metadata, annotations: { "istio.io/dry-run": "true" } },
});

it("counts what each policy allowed and refused, and what one on trial would have refused", () => {
  const selector = { matchLabels: { app: "reviews" } };
  const from = [{ source: { principals: ["cluster.local/ns/default/sa/page"] } }];
  const config = [
    object("AuthorizationPolicy", "allow", { selector, rules: [{ from }] }),
    trial(
      object("AuthorizationPolicy", "tried", {
        selector,
        action: "DENY",
        rules: [{ to: [{ operation: { paths: ["/reviews/1"] } }] }],
      }),
    ),
  ];
  const mesh = shopMesh(...config);
  const denied = { code: 403, details: "rbac_access_denied_matched_policy[none]" };
  const rows = [
    line(edge("page", "reviews")),
    line(edge("page", "reviews"), { path: "/reviews/1" }),
    line(edge("legacy", "reviews", { mtls: false }), denied),
  ];
  const objects = [...mesh.objects.values()].flatMap((kind) => [...kind.values()]);
  const calls = rows.map((row) => recordedCall(row, identities));
  expect(policyEffects({ mesh, objects, workloads: advised, calls, guarding: guardingOf(mesh) })).toEqual([
    { namespace: "default", name: "allow", action: "ALLOW", dryRun: false, allowed: 2, refused: 1, trial: null },
    {
      ...{ namespace: "default", name: "tried", action: "DENY", dryRun: true, allowed: 0, refused: 0 },
      trial: { judged: 3, wouldRefuse: 1 },
    },
  ]);
});
