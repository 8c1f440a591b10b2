import { expect, test } from "vitest";
import { parseObject } from "./index.ts";

function errorsOf(patch: Record<string, unknown>, more: Record<string, unknown> = {}): string[] {
  const result = parseObject({
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "x", namespace: "default" },
    spec: { configPatches: [patch], ...more },
  });
  return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
}

const subFilter = { filterChain: { filter: { name: "hcm", subFilter: { name: "cors" } } } };

test.each([
  { applyTo: "HTTP_FILTER", match: { context: "GATEWAY", listener: subFilter }, patch: { operation: "REMOVE" } },
  {
    applyTo: "CLUSTER",
    match: { cluster: { service: "a", subset: "v1", portNumber: 80 } },
    patch: { operation: "MERGE", value: {} },
  },
  { applyTo: "HTTP_ROUTE", patch: { operation: "INSERT_FIRST", value: { name: "x" } } },
  { applyTo: "EXTENSION_CONFIG", patch: { operation: "ADD", value: { name: "x" } } },
])("$applyTo with $patch.operation is taken", (patch) => {
  expect(errorsOf(patch)).toEqual([]);
});

test.each<[string, Record<string, unknown>, string]>([
  [
    "an operation that has no meaning there",
    { applyTo: "ROUTE_CONFIGURATION", patch: { operation: "ADD", value: {} } },
    "spec.configPatches[0].patch.operation: must be one of MERGE, not ADD (ROUTE_CONFIGURATION)",
  ],
  [
    "no value",
    { applyTo: "CLUSTER", patch: { operation: "ADD" } },
    "spec.configPatches[0].patch.value: is required for ADD",
  ],
  [
    "a value to remove",
    { applyTo: "CLUSTER", patch: { operation: "REMOVE", value: {} } },
    "spec.configPatches[0].patch.value: has no effect with operation REMOVE",
  ],
  [
    "a match on something else",
    { applyTo: "CLUSTER", match: { listener: {} }, patch: { operation: "REMOVE" } },
    "spec.configPatches[0].match.listener: has no effect with applyTo: CLUSTER",
  ],
  [
    "a filter to remove without its name",
    { applyTo: "HTTP_FILTER", patch: { operation: "REMOVE" } },
    "spec.configPatches[0].match.listener.filterChain.filter.subFilter: is required for REMOVE",
  ],
  [
    "a regular expression that is none",
    { applyTo: "LISTENER", match: { proxy: { proxyVersion: "(" } }, patch: { operation: "REMOVE" } },
    "spec.configPatches[0].match.proxy.proxyVersion: must be an RE2 regular expression",
  ],
])("%s is refused", (_, patch, error) => {
  expect(errorsOf(patch)).toEqual([expect.stringContaining(error)]);
});

test("BOOTSTRAP is refused: a proxy has it before it knows us", () => {
  expect(errorsOf({ applyTo: "BOOTSTRAP", patch: { operation: "MERGE", value: {} } })[0]).toMatch(
    /^spec\.configPatches\[0\]\.applyTo: must be one of LISTENER/,
  );
});

test("targets are named instead of labels", () => {
  const patch = { applyTo: "CLUSTER", patch: { operation: "MERGE", value: {} } };
  const targetRefs = [{ kind: "Service", name: "x" }];
  expect(errorsOf(patch, { targetRefs })).toEqual([]);
  expect(errorsOf(patch, { targetRefs, workloadSelector: { labels: { a: "b" } } })).toEqual([
    "spec.targetRefs: must not be beside workloadSelector: only one of them says what it is for",
  ]);
  expect(errorsOf(patch, { targetRefs: [{ kind: "GatewayClass", name: "x" }] })).toEqual([
    "spec.targetRefs[0].kind: Limpid has no waypoint proxies for a GatewayClass",
  ]);
});
