import { expect, it } from "vitest";
import { changedLines, diffRows } from "./diff-rows.ts";

const text = (...lines: (string | number)[]) => `${lines.join("\n")}\n`;

it("shows what changes with the lines around it, and how many are left out", () => {
  const before = text(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const after = text(1, 2, 3, 4, "five", 6, 7, 8, 9);
  expect(diffRows(before, after, 1)).toEqual([
    { kind: "gap", lines: 3, line: 1 },
    { kind: "same", text: "4", line: 4 },
    { kind: "removed", text: "5", line: 5 },
    { kind: "added", text: "five", line: 5 },
    { kind: "same", text: "6", line: 6 },
    { kind: "gap", lines: 3, line: 7 },
  ]);
});

it("shows a new object whole", () => {
  const rows = diffRows("", text("kind: VirtualService", "metadata: {}"));
  expect(rows.map(({ kind }) => kind)).toEqual(["added", "added"]);
  expect(changedLines(rows)).toEqual({ added: 2, removed: 0 });
});

it("has nothing but a gap when nothing changes", () => {
  expect(diffRows(text(1, 2), text(1, 2))).toEqual([{ kind: "gap", lines: 2, line: 1 }]);
});

it("does not compare what is too large to compare", () => {
  const large = text(...Array.from({ length: 4000 }, (_, i) => i));
  expect(changedLines(diffRows(large, large.replace("17\n", "x\n")))).toEqual({ added: 4000, removed: 4000 });
});
