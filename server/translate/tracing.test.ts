import { expect, it } from "vitest";
import { buildMesh } from "../model/mesh.ts";
import { defaultTranslateOptions } from "./options.ts";
import { objectsOf, proxyOf, resourcesToJson } from "./testing/cases.ts";
import { translate } from "./translate.ts";

const service = `
apiVersion: v1
kind: Service
metadata: { name: db, namespace: default }
spec: { selector: { app: db }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: db-v1, namespace: default }
spec: { address: 127.0.1.5, labels: { app: db } }
`;
const meshConfig = (sampling: number) => `
---
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { defaultConfig: { tracing: { sampling: ${sampling} } } }
`;

/** What share of requests without a trace begins one, by every connection manager of a workload. */
function sharesOf(yaml: string, changes = {}): unknown[] {
  const id = "sidecar~127.0.1.5~db-v1.default~default.svc.cluster.local";
  const INGRESS = { "8080": "127.0.0.1:18080" };
  const proxy = proxyOf({ id, metadata: { INTERCEPTION_MODE: "NONE", LABELS: { app: "db" }, INGRESS } });
  const options = { ...defaultTranslateOptions, ...changes };
  const { listeners } = resourcesToJson(translate(buildMesh(objectsOf(yaml), 1), proxy, options));
  const found = new Set<unknown>();
  JSON.stringify(listeners, (key, value: { value?: number } | undefined) => {
    if (key === "randomSampling") found.add(value?.value ?? 0);
    return value;
  });
  return [...found];
}

it("a share of the requests without a trace begins one, and the MeshConfig says which", () => {
  expect(sharesOf(service)).toEqual([10]);
  expect(sharesOf(service, { tracingSamplingPercent: 100 })).toEqual([100]);
  expect(sharesOf(service + meshConfig(0.5), { tracingSamplingPercent: 100 })).toEqual([0.5]);
  expect(sharesOf(service + meshConfig(0))).toEqual([0]);
});
