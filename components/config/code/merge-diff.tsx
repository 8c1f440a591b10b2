"use client";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useLayoutEffect, useRef } from "react";
import styles from "./code.module.css";
import type { CodeDiffProps } from "./code-diff.tsx";
import { readOnly, shownYaml } from "./setup.ts";
import { signs } from "./theme.ts";

/** One text over another; what stays the same is folded away. */
export function MergeDiff({ before, after, label, phrases }: CodeDiffProps & { phrases: Record<string, string> }) {
  const parent = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!parent.current) return;
    const view = new EditorView({
      parent: parent.current,
      state: EditorState.create({
        doc: after,
        extensions: [
          // Of two rules for a line the first one holds: its room for the sign is before the look of lines.
          signs,
          shownYaml(phrases),
          readOnly,
          EditorView.contentAttributes.of({ "aria-label": label }),
          unifiedMergeView({
            original: before,
            mergeControls: false,
            gutter: false,
            collapseUnchanged: { margin: 3, minSize: 4 },
            diffConfig: { scanLimit: 2000, timeout: 200 },
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after, label, phrases]);
  return <div ref={parent} className={styles.diff} />;
}
