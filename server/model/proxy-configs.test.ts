import { expect, test } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { buildMesh } from "./mesh.ts";
import { differences, proxyConfigOf, proxyStart, startedWith } from "./proxy-configs.ts";

function meshOf(yaml: string) {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return buildMesh(parsed.value, 1);
}

const config = (name: string, namespace: string, at: string, spec: string) => `
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: { name: ${name}, namespace: ${namespace}, creationTimestamp: "${at}" }
spec: ${spec}
---`;

const mesh = meshOf(`
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { defaultConfig: { concurrency: 1, proxyMetadata: { A: mesh, B: mesh } } }
---
${config("root", "istio-system", "2021-01-01T00:00:00Z", "{ concurrency: 2, environmentVariables: { B: root, C: root } }")}
${config("younger", "shop", "2022-01-01T00:00:00Z", "{ concurrency: 9 }")}
${config("older", "shop", "2021-01-01T00:00:00Z", "{ environmentVariables: { C: namespace } }")}
${config("own", "shop", "2021-01-01T00:00:00Z", "{ selector: { matchLabels: { app: cart } }, concurrency: 0, image: { imageType: debug } }")}
${config("nobody", "shop", "2020-01-01T00:00:00Z", "{ selector: {}, concurrency: 7 }")}`);

test("mesh, root namespace, namespace, annotation and selector are merged, each over those before; of each the oldest", () => {
  const annotations = { "proxy.istio.io/config": "concurrency: 5\nproxyMetadata: { D: annotation, C: annotation }" };
  expect(proxyStart(mesh, { namespace: "shop", labels: {} })).toEqual({
    concurrency: 2,
    environmentVariables: { A: "mesh", B: "root", C: "namespace" },
  });
  expect(proxyStart(mesh, { namespace: "shop", labels: { app: "cart" }, annotations })).toEqual({
    concurrency: 0,
    imageType: "debug",
    environmentVariables: { A: "mesh", B: "root", C: "annotation", D: "annotation" },
  });
  expect(proxyStart(mesh, { namespace: "other", labels: { app: "cart" } }).concurrency).toBe(2);
});

test("what a proxy was started with is read from its node, and told apart by fields", () => {
  const wanted = proxyStart(mesh, { namespace: "shop", labels: {} });
  expect(differences(startedWith({ PROXY_CONFIG: proxyConfigOf(wanted) }), wanted)).toEqual([]);
  const running = startedWith({ PROXY_CONFIG: { concurrency: 4, proxyMetadata: { A: "mesh", X: "y" } } });
  expect(differences(running, wanted)).toEqual([
    "concurrency",
    "environmentVariables.B",
    "environmentVariables.C",
    "environmentVariables.X",
  ]);
});
