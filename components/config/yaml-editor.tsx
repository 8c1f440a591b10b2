"use client";
import { type KeyboardEvent, memo, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { useErrorText } from "../lib/error-text.ts";
import type { PlacedError } from "./object-yaml.ts";
import styles from "./yaml-editor.module.css";
import { YamlLine } from "./yaml-view.tsx";

export interface YamlEditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  errors: readonly PlacedError[];
  /** To be shown and marked, counting from one. */
  line?: number | null;
  /** Ctrl or ⌘ with Enter. */
  onApply: () => void;
}

/** YAML to write: a plain text area over its coloured lines, with numbers and the lines that are wrong. */
export function YamlEditor({ value, onChange, label, errors, line = null, onApply }: YamlEditorProps) {
  const t = useTranslations("config");
  const area = useRef<HTMLTextAreaElement>(null);
  // Tab writes spaces; after Escape it leaves, so that nobody is held in here.
  const leaves = useRef(false);
  const lines = value.split("\n");
  const textOf = useErrorText();
  const wrong = new Map(errors.flatMap((error) => (error.line === null ? [] : [[error.line, textOf(error)] as const])));
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onApply();
    } else if (event.key === "Escape") leaves.current = true;
    else if (event.key === "Tab" && !leaves.current && !event.shiftKey) {
      event.preventDefault();
      insert("  ");
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      insert(`\n${indentOf(event.currentTarget)}`);
    } else if (event.key !== "Tab") leaves.current = false;
  };
  const jump = (line: number) => {
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    area.current?.focus();
    area.current?.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    area.current?.closest("[data-scroll]")?.scrollTo({ top: Math.max(0, (line - 4) * 20) });
  };
  useEffect(() => {
    if (line === null) return;
    const scroll = area.current?.closest("[data-scroll]");
    scroll?.scrollTo({ top: Math.max(0, (line - 6) * 20) });
    scroll?.scrollIntoView({ block: "nearest" });
  }, [line]);
  return (
    <div className={styles.editor}>
      <div className={styles.scroll} data-scroll>
        <div className={styles.sheet}>
          <ol className={styles.gutter} aria-hidden>
            {lines.map((_, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
              <li key={i} data-wrong={wrong.has(i + 1) || undefined} title={wrong.get(i + 1)} />
            ))}
          </ol>
          <div className={styles.text}>
            <pre className={styles.colours} aria-hidden>
              {lines.map((text, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
                <Line key={i} line={text} wrong={wrong.has(i + 1)} marked={i + 1 === line} />
              ))}
            </pre>
            <textarea
              ref={area}
              className={styles.area}
              value={value}
              rows={lines.length}
              wrap="off"
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              aria-label={label}
              aria-describedby="yaml-editor-help"
              aria-invalid={errors.length > 0}
              onChange={(event) => onChange(event.currentTarget.value)}
              onKeyDown={onKeyDown}
              data-testid="yaml-editor"
            />
          </div>
        </div>
      </div>
      {errors.length > 0 && (
        <div role="alert">
          <ul className={styles.errors} data-testid="yaml-errors">
            {errors.map(({ path, line: at, ...said }) => (
              <li key={`${path}${said.message}${at}`}>
                {at !== null && (
                  <button type="button" onClick={() => jump(at)}>
                    {t("line", { line: at })}
                  </button>
                )}
                {path && <code>{path}</code>} {textOf(said)}
              </li>
            ))}
          </ul>
        </div>
      )}
      <p className={styles.help} id="yaml-editor-help">
        {t("editor-help")}
      </p>
    </div>
  );
}

const Line = memo(function Line({ line, wrong, marked }: { line: string; wrong: boolean; marked: boolean }) {
  return (
    <div data-wrong={wrong || undefined} data-marked={marked || undefined}>
      <YamlLine line={line} />
      {line === "" && "\u200b"}
    </div>
  );
});

/** Through the browser, so that its undo knows of it. */
const insert = (text: string): void => void document.execCommand("insertText", false, text);

/** What the caret's line begins with. */
function indentOf({ value, selectionStart }: HTMLTextAreaElement): string {
  const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
  return /^ */.exec(line)?.[0] ?? "";
}
