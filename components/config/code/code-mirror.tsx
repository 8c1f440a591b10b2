"use client";
import type { EditorView as View } from "@codemirror/view";
import { useEffect, useLayoutEffect, useRef } from "react";
import styles from "./code.module.css";
import type { CodeEditorProps } from "./code-editor.tsx";
import { createView } from "./create-view.ts";
import { showLine } from "./marked-line.ts";
import type { CodeMark } from "./marks.ts";
import { replaceText } from "./replace-text.ts";
import { rangeOf, showMarks } from "./show-marks.ts";

export interface CodeMirrorProps extends CodeEditorProps {
  phrases: Record<string, string>;
}

/** The editor itself: what comes from outside is put into it as the smallest change, so that caret, folds and its own undo stay. */
export function CodeMirror({ value, line = null, marks = [], reveal = null, ...props }: CodeMirrorProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<View | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const first = useRef(value);
  // Before it is painted: an empty place in between would make what stands below jump twice.
  useLayoutEffect(() => {
    if (!parent.current) return;
    const { label, testId, phrases, onChange, searching = false } = latest.current;
    const created = createView(parent.current, first.current, {
      label,
      testId,
      phrases,
      readOnly: onChange === undefined,
      searching,
      onChange: (text) => latest.current.onChange?.(text),
      onApply: () => latest.current.onApply?.(),
    });
    view.current = created;
    return () => {
      created.destroy();
      view.current = null;
    };
  }, []);
  useEffect(() => {
    if (view.current) replaceText(view.current, value);
  }, [value]);
  // The same marks come anew with every render.
  const said = JSON.stringify(marks);
  useEffect(() => {
    if (view.current) showMarks(view.current, JSON.parse(said) as CodeMark[]);
  }, [said]);
  useEffect(() => {
    if (view.current) showLine(view.current, line);
  }, [line]);
  useEffect(() => {
    if (view.current && reveal) revealMark(view.current, reveal.mark);
  }, [reveal]);
  return <div ref={parent} className={styles.code} />;
}

function revealMark(view: View, mark: CodeMark): void {
  const range = rangeOf(view.state.doc.toString(), mark);
  if (range) view.dispatch({ selection: { anchor: range.from, head: range.to }, scrollIntoView: true });
  view.focus();
}
