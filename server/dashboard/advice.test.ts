import { expect, it } from "vitest";
import { stringify } from "yaml";
import type { WorkloadView } from "../contract/index.ts";
import type { RecordedCallsQuery } from "../query/recorded-calls.ts";
import { createAdvice } from "./advice.ts";

const workload = (app: string, namespace = "shop"): WorkloadView => ({
  namespace,
  name: `${app}-v1`,
  app,
  version: "v1",
  serviceAccount: app,
  labels: { app },
  services: [],
  endpoints: [{ address: "10.0.0.2", port: 9080 }],
  mtls: [],
});
const policy = (its: { name?: string; namespace?: string; app?: string } = {}) => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: its.name ?? "p", namespace: its.namespace ?? "shop" },
  spec: its.app === undefined ? {} : { selector: { matchLabels: { app: its.app } } },
});
const workloads = [workload("cart"), workload("stock"), workload("cart", "other")];

/** Whose calls are read for the sake of these policies. */
async function read(policies: object[], objects: object[] = []): Promise<string[]> {
  const asked: RecordedCallsQuery[] = [];
  const advice = createAdvice({
    workloads: async () => ({ trustDomain: "cluster.local", workloads }),
    proxies: async () => ({ proxies: [] }),
    objects: async () => objects as never,
    queries: async () => ({
      recordedCalls: async (query) => {
        asked.push(query);
        return { fromMs: 0, toMs: 0, sums: [], rows: [], cut: false };
      },
      edgeCounts: async () => ({ fromMs: 0, toMs: 0, sums: [] }),
    }),
  });
  await advice.checkPolicy({ yaml: policies.map((it) => stringify(it)).join("---\n"), window: 600 });
  const peer = (namespace: string, name: string) => ({ namespace, app: name, workload: name, version: "v1" });
  const isRead = ({ namespace, name }: WorkloadView) =>
    asked[0]?.destinations({ destination: peer(namespace, name) } as never);
  return workloads.filter(isRead).map(({ namespace, name }) => `${namespace}/${name}`);
}

it("reads the calls of those whom the policies are for, and of nobody else", async () => {
  expect(await read([policy({ app: "cart" })])).toEqual(["shop/cart-v1"]);
  expect(await read([policy()])).toEqual(["shop/cart-v1", "shop/stock-v1"]);
  expect(await read([policy({ namespace: "istio-system", app: "cart" })])).toEqual(["shop/cart-v1", "other/cart-v1"]);
});

it("reads the calls of those, too, whom a policy was for before", async () => {
  expect(await read([policy({ app: "cart" })], [policy({ app: "stock" })])).toEqual(["shop/cart-v1", "shop/stock-v1"]);
});
