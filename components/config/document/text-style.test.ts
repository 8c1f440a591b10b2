import { expect, it } from "vitest";
import { textStyle } from "./text-style.ts";

it("sees how a text is written", () => {
  expect(textStyle("spec:\n  hosts:\n    - a\n")).toMatchObject({ indent: 2, indentSeq: true });
  expect(textStyle("spec:\n  hosts:\n  - a\n")).toMatchObject({ indent: 2, indentSeq: false });
  expect(textStyle("spec:\n    hosts:\n        - a\n")).toMatchObject({ indent: 4, indentSeq: true });
  expect(textStyle("a: {b: 1}\n")).toMatchObject({ flowCollectionPadding: false });
  expect(textStyle("a: { b: 1 }\n")).toMatchObject({ flowCollectionPadding: true });
  expect(textStyle("")).toMatchObject({ indent: 2, indentSeq: true, flowCollectionPadding: true });
});
