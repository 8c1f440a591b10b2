import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { NodeMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/node_pb.js";
import { matchesNode } from "./node-matcher.ts";

const node = create(NodeSchema, {
  id: "sidecar~a",
  metadata: { NAMESPACE: "shop", LABELS: { app: "cart" }, ON: true, NOTHING: null, COUNT: 3, LIST: ["a", "b"] },
});
const path = (...keys: string[]) => keys.map((key) => ({ key }));
const metadata = (keys: string[], value: JsonValue): JsonValue => ({
  node_metadatas: [{ path: path(...keys), value }],
});

test.each<[JsonValue, boolean]>([
  [{}, true],
  [{ node_id: { prefix: "sidecar~" } }, true],
  [{ node_id: { exact: "other" }, node_metadatas: [{ path: path("ON"), value: { bool_match: true } }] }, false],
  [metadata(["NAMESPACE"], { string_match: { exact: "shop" } }), true],
  [metadata(["LABELS", "app"], { string_match: { exact: "CART", ignore_case: true } }), true],
  [metadata(["LABELS", "app"], { string_match: { exact: "web" } }), false],
  [metadata(["LABELS", "constructor"], { present_match: true }), false],
  [metadata(["NAMESPACE", "app"], { present_match: true }), false],
  [metadata(["NOTHING"], { null_match: {} }), true],
  [metadata(["MISSING"], { present_match: false }), true],
  [metadata(["COUNT"], { double_match: { exact: 3 } }), true],
  [metadata(["COUNT"], { double_match: { range: { start: 3, end: 4 } } }), true],
  [metadata(["COUNT"], { double_match: { range: { start: 1, end: 3 } } }), false],
  [metadata(["LIST"], { list_match: { one_of: { string_match: { exact: "b" } } } }), true],
  [metadata(["ON"], { or_match: { value_matchers: [{ null_match: {} }, { bool_match: true }] } }), true],
])("%j: %s", (matcher, matches) => {
  expect(matchesNode(fromJson(NodeMatcherSchema, matcher), node)).toBe(matches);
});

test("what is not understood is said", () => {
  const regex = fromJson(NodeMatcherSchema, { node_id: { safe_regex: { regex: "a" } } });
  expect(() => matchesNode(regex, node)).toThrow("exact, prefix, suffix and contains");
});
