import { describe, expect, it, test } from "vitest";
import type { FieldSchema } from "../../../server/contract/index.ts";
import { schemaAt, typeText } from "./schema-at.ts";
import { suggestionsAt } from "./suggestions.ts";
import { contextAt } from "./yaml-context.ts";

/** The context where `|` stands. */
const at = (text: string) => contextAt(text.replace("|", ""), text.indexOf("|"));

describe("where somebody writes", () => {
  it("is told by indentation", () => {
    expect(at("kind: VirtualService\nspec:\n  http:\n    - match:\n        - uri:\n            pre|")).toMatchObject({
      kind: "VirtualService",
      path: ["spec", "http", "[]", "match", "[]", "uri"],
      writes: "name",
      prefix: "pre",
    });
    // Lists at the column of their name.
    expect(
      at("spec:\n  http:\n  - name: a\n    route:\n    - destination:\n        host: x\n      wei|"),
    ).toMatchObject({
      path: ["spec", "http", "[]", "route", "[]"],
      prefix: "wei",
      siblings: ["destination"],
    });
    expect(at("spec:\n  http:\n    - name: a\n    - |").path).toEqual(["spec", "http", "[]"]);
    expect(at("spec:\n  http:\n    - route: []\n  |").path).toEqual(["spec"]);
    expect(at("spec:\n  hosts:\n    - a\n|").path).toEqual([]);
  });

  it("is a value after the name", () => {
    expect(at("kind: DestinationRule\nspec:\n  trafficPolicy:\n    loadBalancer:\n      simple: RO|")).toMatchObject({
      path: ["spec", "trafficPolicy", "loadBalancer", "simple"],
      writes: "value",
      prefix: "RO",
    });
    expect(at("ki|")).toMatchObject({ path: [], writes: "name", prefix: "ki", kind: null });
  });

  it("is in its own document, between comments and below what is being written", () => {
    const text =
      "kind: Gateway\nspec: {}\n---\n# one\nkind: Service\nspec:\n  # two\n\n  sel|\n  ports: []\n---\nkind: Secret\n";
    expect(at(text)).toMatchObject({ kind: "Service", path: ["spec"], prefix: "sel", siblings: ["ports"] });
  });

  it("knows the fields beside it, and not those of other items", () => {
    const text = "spec:\n  http:\n    - name: a\n      timeout: 1s\n      |\n      retries: {}\n    - fault: {}\n";
    expect(at(text).siblings.toSorted()).toEqual(["name", "retries", "timeout"]);
  });
});

const schema: FieldSchema = {
  properties: {
    spec: {
      type: "object",
      properties: {
        mode: { type: "string", enum: ["A", "B"] },
        on: { type: "boolean", description: "Whether." },
        list: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
        labels: { type: "object", values: { type: "string" } },
      },
    },
  },
};

test("what the schema suggests", () => {
  const of = (text: string) => suggestionsAt(schema, at(text));
  expect(of("spec:\n  |").map(({ insert }) => insert)).toEqual(["mode: ", "on: ", "list:\n    - ", "labels:\n    "]);
  expect(of("spec:\n  mode: A\n  |").map(({ label }) => label)).toEqual(["on", "list", "labels"]);
  expect(of("spec:\n  mode: |").map(({ label }) => label)).toEqual(["A", "B"]);
  expect(of("spec:\n  on: |").map(({ label }) => label)).toEqual(["true", "false"]);
  expect(of("spec:\n  list:\n    - |").map(({ label }) => label)).toEqual(["name"]);
  expect(of("nothing:\n  |")).toEqual([]);
});

test("types in a line", () => {
  const type = (...path: string[]) => typeText(schemaAt(schema, path) ?? {});
  expect(type("spec", "mode")).toBe("A | B");
  expect(type("spec", "list")).toBe("object[]");
  expect(type("spec", "labels")).toBe("{ name: string }");
  expect(schemaAt(schema, ["spec", "constructor"])).toBeUndefined();
});
