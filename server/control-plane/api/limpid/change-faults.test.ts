import { expect, it } from "vitest";
import { injectFault, removeFault, type VirtualService } from "../../../config/edits/index.ts";
import { type ConfigObject, keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import { faultsOfChange } from "./change-faults.ts";

const ratings = { namespace: "default", name: "ratings", hostname: "ratings.default.svc.cluster.local" };
const request = {
  delay: null,
  abort: { percentage: 50, httpStatus: 503 },
  header: null,
  source: null,
  durationSec: 60,
};

function inject(
  current: VirtualService | undefined,
  id: string,
  header: { name: string; exact: string } | null = null,
) {
  const result = injectFault(current, ratings, { ...request, header }, { id, now: 1000, author: "ana" });
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

function change(before: VirtualService | undefined, after: VirtualService | undefined): ConfigChange {
  const object = (after ?? before) as ConfigObject;
  return {
    type: "MODIFIED",
    key: keyOf(object),
    ...(before && { before: before as ConfigObject }),
    ...(after && { after: after as ConfigObject }),
  };
}
const ids = (faults: ReturnType<typeof faultsOfChange>) => ({
  started: faults?.started.map(({ id }) => id),
  ended: faults?.ended.map(({ id }) => id),
});

it("names the fault that began, and the same one when it ends", () => {
  const burning = inject(undefined, "a1");
  expect(ids(faultsOfChange([change(undefined, burning)]))).toEqual({ started: ["default/ratings/a1"], ended: [] });
  const removed = removeFault(burning, "a1");
  if (!removed.ok) throw new Error("not removed");
  expect(ids(faultsOfChange([change(burning, removed.value)]))).toEqual({ started: [], ended: ["default/ratings/a1"] });
});

it("tells two faults of one service apart", () => {
  const one = inject(undefined, "a1");
  const both = inject(one, "b2", { name: "end-user", exact: "jason" });
  expect(ids(faultsOfChange([change(one, both)]))).toEqual({ started: ["default/ratings/b2"], ended: [] });
});

it("knows a fault by hand by what it does, wherever its rule moves", () => {
  const rule = {
    fault: { abort: { percentage: { value: 5 }, httpStatus: 500 } },
    route: [{ destination: { host: "ratings" } }],
  };
  const by = (...http: object[]): VirtualService => ({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "ratings", namespace: "default" },
    spec: { hosts: ["ratings"], http: http as VirtualService["spec"]["http"] },
  });
  const first = { match: [{ uri: { prefix: "/x" } }], route: rule.route };
  expect(faultsOfChange([change(by(rule), by(first, rule))])).toBe(undefined);
  expect(faultsOfChange([change(by(rule), by(first))])?.ended).toHaveLength(1);
});
