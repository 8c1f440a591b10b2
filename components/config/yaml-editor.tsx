"use client";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { CodeEditor } from "./code/code-editor.tsx";
import type { CodeMark } from "./code/marks.ts";
import styles from "./yaml-editor.module.css";

export interface YamlEditorProps {
  value: string;
  /** Unset: to be read only. */
  onChange?: (value: string) => void;
  label: string;
  marks: readonly CodeMark[];
  /** To be shown and marked, counting from one. */
  line?: number | null;
  /** Ctrl or ⌘ with Enter. */
  onApply: () => void;
}

/** YAML to write, and below it in words what is wrong: the same as stands under its lines. */
export function YamlEditor({ value, onChange, label, marks, line = null, onApply }: YamlEditorProps) {
  const t = useTranslations("config");
  const [reveal, setReveal] = useState<{ mark: CodeMark } | null>(null);
  const errors = marks.filter(({ severity }) => severity === "error");
  return (
    <div>
      <CodeEditor
        value={value}
        {...(onChange && { onChange })}
        label={label}
        marks={marks}
        line={line}
        onApply={onApply}
        reveal={reveal}
        testId="yaml-editor"
      />
      {errors.length > 0 && (
        <div role="alert">
          <ul className={styles.errors} data-testid="yaml-errors">
            {errors.map((mark) => (
              <li key={`${mark.path}${mark.message}${mark.line}`}>
                {mark.line !== null && (
                  <button type="button" onClick={() => setReveal({ mark })}>
                    {t("line", { line: mark.line })}
                  </button>
                )}
                {mark.path && <code>{mark.path}</code>} {mark.message}
              </li>
            ))}
          </ul>
        </div>
      )}
      {onChange && (
        <p className={styles.help} id="yaml-editor-help">
          {t("editor-help")}
        </p>
      )}
    </div>
  );
}
