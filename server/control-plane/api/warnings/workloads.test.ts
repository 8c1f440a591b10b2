import { expect, test } from "vitest";
import { parseDocuments } from "../../../config/kinds/index.ts";
import { keyOf } from "../../../config/object.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { warningsOf } from "./index.ts";
import { warningText } from "./warning.ts";

function objects(yaml: string) {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}

const base = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: shop }
spec: { selector: { app: reviews, track: stable }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-1, namespace: shop }
spec: { address: 10.0.0.1, labels: { app: reviews } }
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: { name: older, namespace: shop, creationTimestamp: "2020-01-01T00:00:00Z" }
spec: {}
`;

function warn(kind: string, spec: string): string[] {
  const version = kind === "ProxyConfig" ? "v1beta1" : "v1";
  const changes = objects(`
apiVersion: networking.istio.io/${version}
kind: ${kind}
metadata: { name: new, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z" }
spec: ${spec}`).map((after) => ({ type: "ADDED" as const, key: keyOf(after), after }));
  const mesh = buildMesh(objects(base), 1);
  return warningsOf(changes, { mesh, gatewayProxies: [], nowMs: 0 }).map((one) => warningText(one, { named: false }));
}

test.each<[string, string, string, string[]]>([
  ["labels that a node may add to", "WorkloadGroup", "{ metadata: { labels: { app: reviews } }, template: {} }", []],
  [
    "labels of nobody's",
    "WorkloadGroup",
    "{ metadata: { labels: { app: ratings } }, template: {} }",
    [
      "spec.metadata.labels: no Service or ServiceEntry of shop selects workloads with these labels: they get no requests",
    ],
  ],
  [
    "a probe at another port",
    "WorkloadGroup",
    "{ metadata: { labels: { app: reviews } }, template: { ports: { http: 80, web: 81 } }, probe: { httpGet: { port: 82 } } }",
    ["spec.probe.httpGet.port: 82 is none of the workload's ports (80, 81)"],
  ],
  [
    "an image",
    "ProxyConfig",
    "{ selector: { matchLabels: { app: reviews } }, image: { imageType: debug } }",
    ["spec.image.imageType: proxies here are no images of containers: it has no effect"],
  ],
  [
    "a selector of nobody",
    "ProxyConfig",
    "{ selector: { matchLabels: { app: ratings } }, concurrency: 1 }",
    ["spec.selector.matchLabels: no workload of the namespace shop has the labels app=ratings: it is for nobody"],
  ],
  [
    "a second one for all",
    "ProxyConfig",
    "{ concurrency: 1 }",
    ["ProxyConfig shop/older has no selector either: that one, the older, is in force"],
  ],
])("%s", (_, kind, spec, expected) => {
  expect(warn(kind, spec)).toEqual(expected);
});
