import type { TraceSpan } from "../../server/contract/index.ts";

/** The rows that are not below a folded one, in their order. */
export function visibleRows(tree: readonly TraceSpan[], folded: ReadonlySet<string>): TraceSpan[] {
  const rows: TraceSpan[] = [];
  for (let at = 0; at < tree.length; at++) {
    const span = tree[at];
    if (!span) break;
    rows.push(span);
    if (folded.has(span.id)) at += span.descendants;
  }
  return rows;
}

export type Step = { to: string } | { fold: string } | { unfold: string } | null;

/** What a key does on a row of a tree. https://www.w3.org/WAI/ARIA/apg/patterns/treeview/ */
export function stepFor(key: string, rows: readonly TraceSpan[], at: number, folded: ReadonlySet<string>): Step {
  const row = rows[at];
  if (!row) return null;
  const go = (target: TraceSpan | undefined): Step => (target ? { to: target.id } : null);
  const opens = row.descendants > 0;
  switch (key) {
    case "ArrowDown":
      return go(rows[at + 1]);
    case "ArrowUp":
      return go(rows[at - 1]);
    case "Home":
      return go(rows[0]);
    case "End":
      return go(rows.at(-1));
    case "ArrowRight":
      if (!opens) return null;
      return folded.has(row.id) ? { unfold: row.id } : go(rows[at + 1]);
    case "ArrowLeft":
      if (opens && !folded.has(row.id)) return { fold: row.id };
      return go(rows.slice(0, at).findLast(({ depth }) => depth < row.depth));
    default:
      return null;
  }
}
