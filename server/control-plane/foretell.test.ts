import { expect, it } from "vitest";
import { keyOf } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { rehearse } from "../sidecar/rehearsal.ts";
import { objectsOf, proxyOf } from "../translate/testing/cases.ts";
import { createSnapshot } from "../xds/snapshot.ts";
import { TypeUrl } from "../xds/types.ts";
import { Foreteller } from "./foretell.ts";
import { createMeshPipeline } from "./pipeline.ts";
import { previewChange } from "./preview.ts";
import { RefusalMemory } from "./refusal-memory.ts";

const gateway = (tls: string) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: shop, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 8443, name: https, protocol: HTTPS }
      hosts: ["*"]
      tls: { mode: SIMPLE, serverCertificate: /etc/certs/tls.crt, privateKey: /etc/certs/tls.key, ${tls} }
`;

const router = (userAgentName: string, name = "gateway"): MeshProxy =>
  proxyOf({
    id: `router~10.0.0.1~${name}.default~default.svc.cluster.local`,
    metadata: { LABELS: { istio: "ingressgateway" } },
    userAgentName,
    identity: "spiffe://cluster.local/ns/default/sa/gateway",
  });

const change = (before: string, after: string): ConfigChange[] => {
  const [old, next] = [...objectsOf(before), ...objectsOf(after)];
  if (!old || !next) throw new Error("two objects");
  return [{ type: "MODIFIED", key: keyOf(next), before: old, after: next }];
};

async function foretold(changes: ConfigChange[], proxies: MeshProxy[], memory = new RefusalMemory()) {
  const pipeline = createMeshPipeline();
  pipeline.reset(objectsOf(gateway("minProtocolVersion: TLSV1_2")), 1);
  const foreteller = new Foreteller({
    rehearse: async ({ bundled }, resources) => (bundled ? rehearse(resources) : []),
    memory,
    implementationOf: ({ bundled }) => (bundled ? "ours" : "envoy"),
  });
  await previewChange(pipeline.preview(changes), proxies, { foreteller, shown: false });
  return foreteller.refusals;
}

const old = change(gateway("minProtocolVersion: TLSV1_2"), gateway("minProtocolVersion: TLSV1_0"));
const fine = change(gateway("minProtocolVersion: TLSV1_2"), gateway("minProtocolVersion: TLSV1_3"));

it("says what the bundled sidecar would refuse, gateways included, and of whom it is", async () => {
  const proxies = [router("limpid-sidecar"), router("limpid-sidecar", "second"), router("envoy", "third")];
  const [only, ...others] = await foretold(old, proxies);
  expect(others).toEqual([]);
  expect(only).toMatchObject({ type: "LDS", name: "0.0.0.0_8443", proxies: ["gateway", "second"] });
  expect(only?.detail).toContain("tls_minimum_protocol_version");
});

it("has nothing against what every proxy takes", async () => {
  expect(await foretold(fine, [router("limpid-sidecar"), router("envoy")])).toEqual([]);
});

it("knows of an Envoy what its kind has refused before, in the same content", async () => {
  const pipeline = createMeshPipeline();
  pipeline.reset(objectsOf(gateway("minProtocolVersion: TLSV1_3")), 1);
  const resource = createSnapshot(1, pipeline.translate(router("envoy", "a")))
    .resources.get(TypeUrl.listener)
    ?.get("0.0.0.0_8443");
  if (!resource) throw new Error("no listener");
  const memory = new RefusalMemory();
  memory.note("envoy", TypeUrl.listener, resource.name, resource.version, "no thanks");
  const refusals = await foretold(fine, [router("envoy", "a"), router("limpid-sidecar", "b")], memory);
  expect(refusals).toMatchObject([{ detail: "no thanks", proxies: ["a"] }]);
  expect(await foretold(old, [router("envoy", "a")], memory)).toEqual([]);
});

it("forgets the oldest refusals when there are too many", () => {
  const memory = new RefusalMemory();
  for (let i = 0; i <= 2000; i++) memory.note("envoy", TypeUrl.cluster, "a", String(i), "no");
  expect([memory.find("envoy", TypeUrl.cluster, "a", "0"), memory.find("envoy", TypeUrl.cluster, "a", "1")]).toEqual([
    undefined,
    "no",
  ]);
});
