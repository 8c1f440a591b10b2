import { expect, test } from "vitest";
import { jsonMergePatch } from "./json-merge-patch.ts";
import { coreMergeKeys, strategicMergePatch } from "./strategic-merge-patch.ts";

const service = {
  metadata: { name: "web", labels: { app: "web", tier: "front" } },
  spec: {
    selector: { app: "web" },
    ports: [
      { port: 80, name: "http", targetPort: 8080 },
      { port: 90, name: "grpc" },
    ],
  },
};
const patch = (change: unknown) => strategicMergePatch(service, change, coreMergeKeys);

test.each([
  ["null removes", { metadata: { labels: { tier: null } } }, { metadata: { name: "web", labels: { app: "web" } } }],
  [
    "ports merge by key",
    { spec: { ports: [{ port: 80, targetPort: 8081 }] } },
    {
      spec: {
        ports: [
          { port: 80, name: "http", targetPort: 8081 },
          { port: 90, name: "grpc" },
        ],
      },
    },
  ],
  ["a port is deleted", { spec: { ports: [{ port: 90, $patch: "delete" }] } }, { spec: { ports: [{ port: 80 }] } }],
  [
    "a new port is ordered",
    {
      spec: {
        $setElementOrder: undefined,
        "$setElementOrder/ports": [{ port: 70 }, { port: 80 }],
        ports: [{ port: 70 }],
      },
    },
    { spec: { ports: [{ port: 70 }, { port: 90 }, { port: 80 }] } },
  ],
  ["a list is replaced", { spec: { ports: [{ port: 1 }, { $patch: "replace" }] } }, { spec: { ports: [{ port: 1 }] } }],
  ["a map is replaced", { metadata: { labels: { $patch: "replace", a: "b" } } }, { metadata: { labels: { a: "b" } } }],
  [
    "only retained keys stay",
    { metadata: { labels: { $retainKeys: ["app"] } } },
    { metadata: { labels: { app: "web" } } },
  ],
])("strategic: %s", (_, change, expected) => {
  const result = patch(change) as typeof service;
  expect(result).toMatchObject(expected);
  for (const list of ["labels"] as const) {
    const wanted = (expected as { metadata?: { labels?: object } }).metadata?.[list];
    if (wanted) expect(result.metadata[list]).toEqual(wanted);
  }
  const ports = (expected as { spec?: { ports?: object[] } }).spec?.ports;
  if (ports) expect(result.spec.ports).toHaveLength(ports.length);
  expect(service.spec.ports).toHaveLength(2); // the target is untouched
});

test("strategic: an element without its merge key is refused", () => {
  expect(() => patch({ spec: { ports: [{ name: "x" }] } })).toThrow(/does not contain declared merge key: port/);
});

test("strategic: an unknown directive is refused, not ignored", () => {
  expect(() => patch({ metadata: { $patch: "explode" } })).toThrow(/unknown patch directive/);
});

// The examples of RFC 7396, appendix A.
test.each([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("merge: %j + %j", (target, change, expected) => {
  expect(jsonMergePatch(target, change)).toEqual(expected);
});
