import { expect, test } from "vitest";
import type { KnownProxy } from "../contract/index.ts";
import { buildMesh } from "../model/mesh.ts";
import { parseProxy } from "../model/parse-proxy.ts";
import { objectsOf } from "../translate/testing/cases.ts";
import { type RunningProxy, withRestarts } from "./restarts.ts";

const mesh = buildMesh(
  objectsOf(`
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: { name: cart, namespace: default }
spec:
  selector: { matchLabels: { app: cart } }
  concurrency: 2
  environmentVariables: { A: b }
`),
  1,
);
const bare = buildMesh([], 1);

function running(metadata: Record<string, unknown>, app = "cart"): RunningProxy {
  const all = { NAMESPACE: "default", WORKLOAD_NAME: app, LABELS: { app }, ...metadata };
  const id = `sidecar~10.0.0.1~${app}.default~default.svc.cluster.local`;
  const parsed = parseProxy({ id, cluster: "", metadata: all, userAgentName: "envoy", delta: true });
  if (!parsed.ok) throw new Error("no proxy");
  return { proxy: parsed.value, metadata: all };
}

/** What of its start is otherwise, as the list of proxies has it. */
const reasonsOf = (one: RunningProxy, of = mesh) =>
  withRestarts([{ id: one.proxy.id } as KnownProxy], [one], of)[0]?.restart;

const ours = (config: object) => ({ CLUSTER_ID: "limpid", PROXY_CONFIG: config });
const started = { concurrency: 2, proxyMetadata: { A: "b" } };

test("one that was started otherwise has to be again, and says for what; one that was not has nothing", () => {
  expect(reasonsOf(running(ours({ proxyMetadata: {} })))).toEqual(["concurrency", "environmentVariables.A"]);
  expect(reasonsOf(running(ours({ concurrency: 1, proxyMetadata: { A: "b" } })))).toEqual(["concurrency"]);
  expect(reasonsOf(running(ours(started)))).toBeUndefined();
  expect(reasonsOf(running(ours({}), "ratings"))).toBeUndefined();
});

test("what is asked for no more needs a restart, too", () => {
  expect(reasonsOf(running(ours(started)), bare)).toEqual(["concurrency", "environmentVariables.A"]);
});

test("of Istio's agents, which have settings of their own, only what is asked for counts", () => {
  const theirs = (config: object) => ({ CLUSTER_ID: "Kubernetes", PROXY_CONFIG: config });
  const own = { concurrency: 4, proxyMetadata: { OWN: "x" } };
  expect(reasonsOf(running(theirs(own)), bare)).toBeUndefined();
  expect(reasonsOf(running(theirs(own)))).toEqual(["concurrency", "environmentVariables.A"]);
});

test("who does not say how it was started, or is not connected, is told nothing of", () => {
  expect(reasonsOf(running({}))).toBeUndefined();
  const gone = { id: "sidecar~10.0.0.9~gone.default~default.svc.cluster.local" } as KnownProxy;
  expect(withRestarts([gone], [running(ours({}))], mesh)).toEqual([gone]);
});

test("the pod's annotation counts", () => {
  const annotated = { ...ours(started), ANNOTATIONS: { "proxy.istio.io/config": "proxyMetadata: { C: d }" } };
  expect(reasonsOf(running(annotated))).toEqual(["environmentVariables.C"]);
});
