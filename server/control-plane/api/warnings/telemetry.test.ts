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

const meshConfig = `
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec:
  extensionProviders:
    - { name: tempo, opentelemetry: { service: otel.shop.svc.cluster.local, port: 4317 } }
    - { name: zipkin, zipkin: { service: otel.shop.svc.cluster.local, port: 1 } }
    - { name: calls, envoyHttpAls: { service: otle.shop.svc.cluster.local, port: 4317 } }
    - { name: pay, envoyExtAuthzGrpc: { service: nobody.example.com, port: 80 } }
`;
const base = `
apiVersion: v1
kind: Service
metadata: { name: otel, namespace: shop }
spec: { selector: { app: otel }, ports: [{ name: grpc, port: 4317 }] }
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: older, namespace: shop, creationTimestamp: "2020-01-01T00:00:00Z" }
spec: { tracing: [{ randomSamplingPercentage: 1 }] }
---${meshConfig}`;

function warn(yaml: string): string[] {
  const changes = objects(yaml).map((after) => ({ type: "ADDED" as const, key: keyOf(after), after }));
  const mesh = buildMesh(objects(base), 1);
  return warningsOf(changes, { mesh, gatewayProxies: [], nowMs: 0 }).map((one) => warningText(one, { named: false }));
}
const telemetry = (spec: string) => `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: new, namespace: shop }
spec: ${spec}`;

test.each<[string, string, string[]]>([
  [
    "providers that are not there, or for something else",
    "{ targetRefs: [{ kind: Service, name: otel }], accessLogging: [{ providers: [{ name: nobody }, { name: Limpid }, { name: tempo }, { name: calls }] }] }",
    [
      "spec.accessLogging[0].providers[0].name: there is no provider nobody for accessLogging (there are envoy, calls): it has no effect",
      "spec.accessLogging[0].providers[1].name: Limpid is the mesh's own collector, to which this goes anyway: naming it has no effect",
      "spec.accessLogging[0].providers[2].name: there is no provider tempo for accessLogging (there are envoy, calls): it has no effect",
    ],
  ],
  [
    "where spans are and are not",
    "{ targetRefs: [{ kind: Service, name: otel }], tracing: [{ providers: [{ name: Tempo }, { name: limpid }] }, { providers: [{ name: zipkin }] }] }",
    [
      "spec.tracing[0].providers[1]: the first provider counts; this one has no effect",
      "spec.tracing[0].providers[0].name: spans go to Tempo alone: Limpid's own traces lack these calls",
      "spec.tracing[1].providers[0].name: zipkin is for Envoys, whose spans Limpid's own traces lack; bundled sidecars go on telling the mesh's own collector",
    ],
  ],
  [
    "metrics that nobody counts",
    "{ targetRefs: [{ kind: Service, name: otel }], metrics: [{ reportingInterval: 5s, overrides: [{ match: { customMetric: mine } }, { match: { metric: GRPC_REQUEST_MESSAGES } }] }] }",
    [
      "spec.metrics[0].reportingInterval: has no effect: a connection is counted when it is over",
      "spec.metrics[0].overrides[0].match.customMetric: mine is not counted here: it has no effect",
      "spec.metrics[0].overrides[1].match.metric: GRPC_REQUEST_MESSAGES is not counted here: it has no effect",
    ],
  ],
  [
    "labels that the collector can't have",
    "{ targetRefs: [{ kind: Service, name: otel }], metrics: [{ overrides: [{ tagOverrides: { host: { value: request.host }, place: { value: \"'here'\" }, code: { operation: REMOVE } } }] }] }",
    [
      "spec.metrics[0].overrides[0].tagOverrides.host.value: goes by the request: bundled sidecars show the label host in their own metrics, the collector's metrics and Envoys have none",
    ],
  ],
  [
    "another one for the same namespace, and a target that is not there",
    "{ tracing: [{}] }",
    ["Telemetry shop/older is for the whole namespace, too; that one, the older, counts"],
  ],
  [
    "a target that is not there",
    "{ targetRefs: [{ kind: Service, name: none }] }",
    ["spec.targetRefs[0].name: there is no Service shop/none: it is for nobody"],
  ],
])("%s", (_, spec, expected) => {
  const found = warn(telemetry(spec));
  expect(found.map((text) => text.replace(/^Telemetry shop\/new: /, ""))).toEqual(
    expected.map((text) => (text.startsWith("Telemetry") ? expect.stringContaining("shop/older") : text)),
  );
});

test("providers of a MeshConfig to whom nothing can be sent", () => {
  const found = warn(meshConfig).join("\n");
  expect(found).toContain("[1].zipkin.port: otel.shop.svc.cluster.local has no port 1: nothing is sent there");
  expect(found).toContain("[2].envoyHttpAls.service: no Service or ServiceEntry has the host otle.shop");
  expect(found).toContain(
    "[3].envoyExtAuthzGrpc.service: no Service or ServiceEntry has the host nobody.example.com: what it would be asked about is refused",
  );
  expect(found.split("\n")).toHaveLength(3);
});
