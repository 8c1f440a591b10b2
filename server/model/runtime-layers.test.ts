import { expect, test } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { indexRuntimeLayers, runtimeLayersOf } from "./runtime-layers.ts";

const layer = (name: string, namespace: string, spec: string, second: number) => {
  const parsed = parseDocuments(
    `apiVersion: limpid.dev/v1alpha1\nkind: RuntimeLayer\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}`,
  );
  const [object] = parsed.ok ? parsed.value : [];
  if (!object) throw new Error(JSON.stringify(parsed));
  return { ...object, metadata: { ...object.metadata, creationTimestamp: `2026-01-01T00:00:0${second}Z` } };
};

const index = indexRuntimeLayers([
  layer("mesh", "istio-system", "{ values: { a: 1, b: 1, c: 1, d: 1 } }", 1),
  layer("young", "shop", "{ values: { b: 9 } }", 4),
  layer("all", "shop", "{ values: { b: 2, c: 2 } }", 3),
  layer("cart", "shop", "{ selector: { matchLabels: { app: cart } }, values: { c: 3 } }", 5),
  layer("other", "shop", "{ layer: canary, values: { x: true } }", 6),
]);

test("the most particular value counts, and among equals the oldest", () => {
  const of = (namespace: string, app: string) =>
    Object.fromEntries(
      [...runtimeLayersOf(index, "istio-system", { namespace, labels: { app } })].map(([name, { values }]) => [
        name,
        values,
      ]),
    );
  expect(of("shop", "cart")).toEqual({ limpid: { a: 1, b: 2, c: 3, d: 1 }, canary: { x: true } });
  expect(of("shop", "web")).toEqual({ limpid: { a: 1, b: 2, c: 2, d: 1 }, canary: { x: true } });
  expect(of("elsewhere", "cart")).toEqual({ limpid: { a: 1, b: 1, c: 1, d: 1 } });
});

test("of several times for one layer the shortest counts", () => {
  const timed = indexRuntimeLayers([
    layer("a", "shop", "{ ttl: 60s, values: { a: 1 } }", 1),
    layer("b", "shop", "{ ttl: 1m30s, values: { b: 1 } }", 2),
    layer("c", "shop", "{ values: { c: 1 } }", 3),
    layer("d", "shop", "{ layer: canary, values: { d: 1 } }", 4),
  ]);
  const layers = runtimeLayersOf(timed, "istio-system", { namespace: "shop", labels: {} });
  expect([...layers].map(([name, { ttlMs }]) => [name, ttlMs])).toEqual(
    expect.arrayContaining([
      ["limpid", 60_000],
      ["canary", undefined],
    ]),
  );
});

test.each([
  ["{ values: { a: [1] } }", "spec.values.a"],
  ['{ values: { "a b": 1 } }', "spec.values"],
  ["{ values: { a: { numerator: -1 } } }", "spec.values.a"],
  ["{ ttl: 1s, values: {} }", "spec.ttl"],
  ["{ ttl: 25h, values: {} }", "spec.ttl"],
  ["{}", "spec.values"],
  ["{ values: {}, percent: 3 }", "spec"],
])("%s is refused", (spec, path) => {
  const parsed = parseDocuments(
    `apiVersion: limpid.dev/v1alpha1\nkind: RuntimeLayer\nmetadata: { name: a }\nspec: ${spec}`,
  );
  expect(parsed.ok ? "" : JSON.stringify(parsed.errors)).toContain(path);
});
