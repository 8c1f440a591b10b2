import { expect, it } from "vitest";
import { joinTexts, withoutPlaces } from "./application.ts";

const object = (name: string) => `kind: VirtualService\nmetadata:\n  name: ${name}\nspec:\n  hosts: []\n`;

it("finds the text and the line that an error of all of them is of", () => {
  const { yaml, place } = joinTexts([
    { text: object("a"), resourceVersion: "7" },
    { text: object("b"), resourceVersion: null },
  ]);
  const lines = yaml.split("\n");
  expect(lines[2]).toBe('  resourceVersion: "7"');
  const said = (line: number) => place({ path: "spec.hosts", message: `is empty (document 1, line ${line})` });
  // The line that says the version is not the writer's.
  expect(said(lines.indexOf("  hosts: []") + 1)).toMatchObject({ text: 0, line: 5, message: "is empty" });
  expect(said(lines.lastIndexOf("  hosts: []") + 1)).toMatchObject({ text: 1, line: 5 });
  expect(said(lines.indexOf("  name: b") + 1)).toMatchObject({ text: 1, line: 3 });
});

it("names no document and no line to whoever filled in a form", () => {
  const error = {
    code: "INVALID" as const,
    message: "1 error",
    errors: [{ path: "spec.window", message: "is no duration (document 1, line 1)" }],
  };
  expect(withoutPlaces(error).errors).toEqual([{ path: "spec.window", message: "is no duration" }]);
});

it("takes a write's number off a path", () => {
  const { place } = joinTexts([
    { text: object("a"), resourceVersion: null },
    { text: object("b"), resourceVersion: null },
  ]);
  expect(place({ path: "writes[1].object.spec.http", message: "m" })).toMatchObject({
    text: 1,
    path: "spec.http",
    line: null,
  });
  // What is taken away has no text.
  expect(place({ path: "writes[2].key.kind", message: "m" })).toMatchObject({ text: null });
  expect(place({ path: "yaml", message: "m" })).toMatchObject({ text: null, path: "yaml" });
});

it("sends one text as it was written", () => {
  const text = "kind: A\n---\nkind: B\n\n";
  expect(joinTexts([{ text, resourceVersion: null }]).yaml).toBe(text);
});
