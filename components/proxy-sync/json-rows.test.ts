import { expect, it } from "vitest";
import { findRows, firstFolded, jsonRows, originPaths } from "./json-rows.ts";

const value = { name: "a/b", routes: [{ timeout: 0, on: true }, {}], none: null };
const lines = (rows: ReturnType<typeof jsonRows>) =>
  rows.map(
    ({ depth, key, text, folded }) => `${" ".repeat(depth)}${key ?? ""}${text}${folded ? `${folded.count}` : ""}`,
  );

it("writes a value line by line", () => {
  expect(lines(jsonRows(value, new Set()))).toEqual([
    "{",
    ' name"a/b"',
    " routes[",
    "  {",
    "   timeout0",
    "   ontrue",
    "  }",
    "  {0",
    " ]",
    " nonenull",
    "}",
  ]);
});

it("folds what is asked for, and nothing else", () => {
  expect(lines(jsonRows(value, new Set(["/routes"])))).toEqual(["{", ' name"a/b"', " routes[2", " nonenull", "}"]);
});

it("gives every row its own path", () => {
  const paths = jsonRows({ "a/b": [1], a: { b: [1] } }, new Set()).map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
});

it("opens what is large as an outline", () => {
  const large = { a: { b: { c: Array.from({ length: 2000 }, (_, i) => ({ i })) } } };
  expect(firstFolded({ small: 1 }).size).toBe(0);
  expect(jsonRows(large, firstFolded(large)).length).toBeLessThan(10);
});

it("finds keys and values", () => {
  const rows = jsonRows(value, new Set());
  expect(findRows(rows, "TIMEOUT")).toEqual([4]);
  expect(findRows(rows, "a/b")).toEqual([1]);
  expect(findRows(rows, " ")).toEqual([]);
});

it("reads where a resource comes from", () => {
  const path = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
  const route = { metadata: { filterMetadata: { istio: { config: path } } } };
  expect(originPaths({ routes: [route, route], config: "no path" })).toEqual([path]);
});
