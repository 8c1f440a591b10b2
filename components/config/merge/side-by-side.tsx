"use client";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useEffect, useRef } from "react";
import code from "../code/code.module.css";
import { replaceText } from "../code/replace-text.ts";
import { readOnly, shownYaml } from "../code/setup.ts";

export interface SideBySideProps {
  theirs: string;
  merged: string;
  onMerged: (text: string) => void;
  labels: { theirs: string; merged: string };
  phrases: Record<string, string>;
}

const narrow = "(max-width: 760px)";

/** Theirs beside what would be written, which can be edited; on a phone one over the other. */
export function SideBySide({ theirs, merged, onMerged, labels, phrases }: SideBySideProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ onMerged, merged });
  latest.current = { onMerged, merged };
  useEffect(() => {
    if (!parent.current) return;
    const written: Extension = [
      shownYaml(phrases),
      history(),
      keymap.of([...historyKeymap, ...defaultKeymap]),
      EditorView.contentAttributes.of({
        "aria-label": labels.merged,
        "data-testid": "merged-yaml",
        spellcheck: "false",
      }),
      EditorView.updateListener.of((update) => {
        const text = update.state.doc.toString();
        if (update.docChanged && text !== latest.current.merged) latest.current.onMerged(text);
      }),
    ];
    const made = window.matchMedia(narrow).matches
      ? unified(parent.current, theirs, latest.current.merged, written)
      : split(parent.current, theirs, latest.current.merged, written, [
          shownYaml(phrases),
          readOnly,
          EditorView.contentAttributes.of({ "aria-label": labels.theirs }),
        ]);
    view.current = made.written;
    return () => made.destroy();
  }, [theirs, labels.theirs, labels.merged, phrases]);
  useEffect(() => {
    if (view.current) replaceText(view.current, merged);
  }, [merged]);
  return <div ref={parent} className={code.merge} />;
}

function split(parent: HTMLElement, theirs: string, merged: string, written: Extension, shown: Extension) {
  const both = new MergeView({
    parent,
    a: { doc: theirs, extensions: shown },
    b: { doc: merged, extensions: written },
    revertControls: "a-to-b",
    collapseUnchanged: { margin: 3, minSize: 4 },
  });
  return { written: both.b, destroy: () => both.destroy() };
}

function unified(parent: HTMLElement, theirs: string, merged: string, written: Extension) {
  const one = new EditorView({
    parent,
    state: EditorState.create({
      doc: merged,
      extensions: [written, unifiedMergeView({ original: theirs, mergeControls: false })],
    }),
  });
  return { written: one, destroy: () => one.destroy() };
}
