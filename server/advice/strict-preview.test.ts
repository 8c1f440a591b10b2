import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { recordedCall } from "./recorded-call.ts";
import { type StrictTarget, strictPolicy } from "./strict-policy.ts";
import { previewStrict } from "./strict-preview.ts";
import { advised, calls, edge, identities, line, object, shopMesh, views } from "./testing/shop.ts";

const plain = { mtls: false };
const recorded = [
  calls(edge("page", "reviews"), 20),
  calls(edge("page", "reviews", plain), 6),
  calls(edge("legacy", "reviews", plain), 2),
  calls(edge("", "reviews", plain), 3),
];

function preview(config: ConfigObject[], target: StrictTarget = {}, sums = recorded) {
  const before = shopMesh(...config);
  const { object: policy, exists } = strictPolicy(before, target);
  const after = shopMesh(...config.filter((it) => it.metadata.name !== policy.metadata.name), policy);
  const lines = sums.map(({ edge: of }, id) => recordedCall(line(of, { id, path: `/${id}` }), identities));
  const found = previewStrict({ before, after, workloads: views, advised, sums, calls: lines });
  return { policy, exists, ...found };
}
const reviewsOf = ({ workloads }: ReturnType<typeof preview>) => workloads.find(({ name }) => name === "reviews-v1");
const inPlainText = object("DestinationRule", "reviews", {
  host: "reviews",
  trafficPolicy: { tls: { mode: "DISABLE" } },
});

describe("what STRICT would break", () => {
  it("names callers without a certificate, with a call of each; who comes by mutual TLS goes on", () => {
    const found = preview([]);
    expect(found.policy).toMatchObject({
      metadata: { namespace: "istio-system", name: "default" },
      spec: { mtls: { mode: "STRICT" } },
    });
    expect(found.exists).toBe(false);
    expect(reviewsOf(found)).toMatchObject({
      ports: [9080],
      calls: 31,
      broken: [
        { caller: "", calls: 3, why: "caller-unknown", sample: { path: "/3" } },
        { caller: "default/legacy-v1", calls: 2, why: "no-proxy", sample: { path: "/2" } },
      ],
    });
  });

  it("names callers that a rule has call in plain text", () => {
    expect(reviewsOf(preview([inPlainText]))?.broken).toMatchObject([
      { caller: "default/page-v1", calls: 6, why: "rule" },
      { caller: "" },
      { caller: "default/legacy-v1" },
    ]);
  });

  it("takes plain text that a policy asks for as what would change with it", () => {
    const off = object("PeerAuthentication", "default", { mtls: { mode: "DISABLE" } });
    const found = preview([off], { namespace: "default" });
    expect(found.exists).toBe(true);
    expect(reviewsOf(found)?.broken.map(({ caller }) => caller)).toEqual(["", "default/legacy-v1"]);
  });

  it("leaves alone what a policy of its own goes before, and says which", () => {
    const own = object("PeerAuthentication", "reviews", {
      selector: { matchLabels: { app: "reviews" } },
      mtls: { mode: "PERMISSIVE" },
    });
    const found = preview([own]);
    expect(reviewsOf(found)).toBeUndefined();
    expect(found.kept).toMatchObject([
      { name: "reviews-v1", ports: [{ mode: "PERMISSIVE", by: { name: "reviews" } }] },
    ]);
  });

  it("breaks nothing of a workload without a proxy, and everything of one without a certificate", () => {
    const [legacy] = preview([], {}, [calls(edge("page", "legacy", plain), 5)]).workloads.filter(
      ({ name }) => name === "legacy-v1",
    );
    expect(legacy).toMatchObject({ proxy: "none", calls: 5, broken: [] });
  });
});

describe("the policy that says so", () => {
  const workload = { name: "reviews", selector: { app: "reviews" }, labels: { app: "reviews", version: "v1" } };

  it("is for what is named alone, and keeps what there is", () => {
    const { object: made } = strictPolicy(shopMesh(), { namespace: "default", workload });
    expect(made).toMatchObject({
      metadata: { namespace: "default", name: "reviews" },
      spec: { selector: { matchLabels: { app: "reviews" } }, mtls: { mode: "STRICT" } },
    });
    const there = object("PeerAuthentication", "mine", {
      selector: { matchLabels: { app: "reviews" } },
      mtls: { mode: "PERMISSIVE" },
      portLevelMtls: { "9090": { mode: "DISABLE" } },
    });
    expect(strictPolicy(shopMesh(there), { namespace: "default", workload })).toMatchObject({
      exists: true,
      object: { metadata: { name: "mine" }, spec: { mtls: { mode: "STRICT" }, portLevelMtls: { "9090": {} } } },
    });
  });

  it("takes no name that another one has", () => {
    const other = object("PeerAuthentication", "default", { selector: { matchLabels: { app: "x" } } });
    const { object: made, exists } = strictPolicy(shopMesh(other), { namespace: "default" });
    expect([made.metadata.name, exists]).toEqual(["default-strict", false]);
  });
});
