import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";

const mark = StateEffect.define<number | null>();

/** The line that somebody was sent to. */
export const markedLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(set, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      if (effect.value === null || effect.value > transaction.state.doc.lines) return Decoration.none;
      const { from } = transaction.state.doc.line(effect.value);
      return Decoration.set([Decoration.line({ class: "cm-marked" }).range(from)]);
    }
    return set.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Marks a line, counted from one, and brings it into sight; null: none. */
export function showLine(view: EditorView, line: number | null): void {
  const there = line !== null && line <= view.state.doc.lines;
  const effects: StateEffect<unknown>[] = [mark.of(there ? line : null)];
  if (there) effects.push(EditorView.scrollIntoView(view.state.doc.line(line).from, { y: "center" }));
  view.dispatch({ effects });
}
