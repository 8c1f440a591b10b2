import { Annotation, type Transaction } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";

const fromOutside = Annotation.define<true>();

export const isFromOutside = (transaction: Transaction): boolean => transaction.annotation(fromOutside) === true;

/** What lies between the beginning and the end that two texts share. */
export function smallestChange(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from++;
  let end = 0;
  while (end < most - from && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

/** The text becomes another without being written here; its undo knows of it. */
export function replaceText(view: EditorView, text: string): void {
  const before = view.state.doc.toString();
  if (before === text) return;
  view.dispatch({ changes: smallestChange(before, text), annotations: fromOutside.of(true) });
}
