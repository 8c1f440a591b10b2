import { diffLines } from "diff";

export type DiffRow =
  | { kind: "same" | "added" | "removed"; text: string; line: number }
  | { kind: "gap"; lines: number; line: number };

/** The largest texts that are compared line by line; beyond, a diff would freeze the page. */
const lineLimit = 5000;

/**
 * Line by line what changes, with `context` unchanged lines around each change and a gap for what is left out. `line` counts from one: in
 * the new text, for removed lines in the old.
 */
export function diffRows(before: string, after: string, context = 3): DiffRow[] {
  const rows = allRows(before, after);
  const near = new Set<number>();
  rows.forEach((row, i) => {
    if (row.kind === "same") return;
    for (let at = i - context; at <= i + context; at++) near.add(at);
  });
  const shown: DiffRow[] = [];
  for (const [i, row] of rows.entries()) {
    const last = shown.at(-1);
    if (near.has(i)) shown.push(row);
    else if (last?.kind === "gap") last.lines++;
    else shown.push({ kind: "gap", lines: 1, line: row.line });
  }
  return shown;
}

function allRows(before: string, after: string): Exclude<DiffRow, { kind: "gap" }>[] {
  const rows: Exclude<DiffRow, { kind: "gap" }>[] = [];
  let [oldLine, newLine] = [1, 1];
  for (const part of partsOf(before, after)) {
    for (const text of part.value.replace(/\n$/, "").split("\n")) {
      if (part.removed) rows.push({ kind: "removed", text, line: oldLine++ });
      else rows.push({ kind: part.added ? "added" : "same", text, line: newLine++ });
      if (!part.removed && !part.added) oldLine++;
    }
  }
  return rows;
}

function partsOf(before: string, after: string): { value: string; added: boolean; removed: boolean }[] {
  const large = before.split("\n").length + after.split("\n").length > lineLimit;
  if (!large) return diffLines(before, after);
  return [
    { value: before, added: false, removed: true },
    { value: after, added: true, removed: false },
  ].filter(({ value }) => value !== "");
}

export const changedLines = (rows: readonly DiffRow[]): { added: number; removed: number } => ({
  added: rows.filter(({ kind }) => kind === "added").length,
  removed: rows.filter(({ kind }) => kind === "removed").length,
});
