"use client";
import { useMemo } from "react";
import { CodeEditor } from "../config/code/code-editor.tsx";
import { CopyButton } from "./copy-button.tsx";
import styles from "./json-view.module.css";

/** JSON to read: folded, searched and copied. Only the lines in sight are in the page, so that a large one does not freeze it. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const text = useMemo(() => (typeof value === "string" ? value : JSON.stringify(value, null, 2)), [value]);
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <CopyButton text={text} />
      </div>
      <CodeEditor value={text} label={label} testId="json-view" searching />
    </div>
  );
}
