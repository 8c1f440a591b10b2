import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import type { EditorView } from "@codemirror/view";
import { parsePath } from "../../../server/wire/field-path.ts";
import { placeOf } from "../document/read-object.ts";
import type { CodeMark } from "./marks.ts";

/** Where a mark is of: the field, if it stands on the line that was said; else that line. Null: nowhere. */
export function rangeOf(text: string, { path, line }: CodeMark): { from: number; to: number } | null {
  // Paths are of one object: in several documents only the line says where.
  const place = path === "" || /^---/m.test(text) ? null : placeOf(text, parsePath(path));
  if (place && (line === null || place.line === line)) return place;
  if (line === null) return null;
  const lines = text.split("\n");
  if (line > lines.length) return null;
  const from = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const written = lines[line - 1] ?? "";
  return { from: from + written.length - written.trimStart().length, to: from + written.length };
}

/** Errors and warnings under the words that they are of, and in the gutter. */
export function showMarks(view: EditorView, marks: readonly CodeMark[]): void {
  const text = view.state.doc.toString();
  const diagnostics = marks.flatMap((mark): Diagnostic[] => {
    const range = rangeOf(text, mark);
    return range ? [{ ...range, severity: mark.severity, message: mark.message }] : [];
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
}
