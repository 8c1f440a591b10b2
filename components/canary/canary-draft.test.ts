import { expect, test } from "vitest";
import { canary } from "../../server/config/kinds/canary.ts";
import type { Entrance } from "../../server/contract/index.ts";
import { newDraft, requestOf, weightsOf } from "./canary-draft.ts";

const service = { namespace: "default", name: "reviews" };
const parse = (draft: Parameters<typeof requestOf>[0]) => {
  const { namespace, name, spec } = requestOf(draft, service);
  return canary.parse({ apiVersion: "limpid.dev/v1alpha1", kind: "Canary", metadata: { namespace, name }, spec });
};

test("what the form begins with is a Canary, and so is one without thresholds", () => {
  const draft = newDraft({ from: "v1", to: "v3" });
  expect(parse(draft).ok).toBe(true);
  expect(parse({ ...draft, minRequests: null, successMin: null, successDrop: null, latencyRatio: null }).ok).toBe(true);
});

test("weights are read as people type them; what is none is for the server to refuse", () => {
  expect(weightsOf("10, 25 50%")).toEqual([10, 25, 50]);
  expect(weightsOf("ten, 20")).toEqual([0, 20]);
  const refused = parse({ ...newDraft({ from: "v1", to: "v3" }), weights: "" });
  expect(refused).toMatchObject({ ok: false, errors: [{ path: "spec.steps" }] });
});

test("a step may hold as long as it likes", () => {
  const draft = { ...newDraft({ from: "v1", to: "v3" }), weights: "10, 50", hold: "2m", holds: { 1: "30m" } };
  expect(requestOf(draft, service).spec.steps).toEqual([
    { weight: 10, hold: "2m" },
    { weight: 50, hold: "30m" },
  ]);
  expect(parse(draft).ok).toBe(true);
});

test("where it is entered by a gateway, it moves that one's rule", () => {
  const rules = [{ index: 2 }] as Entrance["rules"];
  const entrance = {
    namespace: "edge",
    name: "shop",
    resourceVersion: "1",
    yaml: "",
    hosts: ["*"],
    gateways: [],
    rules,
  };
  const { spec } = requestOf(newDraft({ from: "v1", to: "v3" }), service, entrance);
  expect(spec.route).toEqual({ virtualService: "edge/shop", rule: 2 });
});
