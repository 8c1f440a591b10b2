"use client";
import { memo, useMemo } from "react";
import { type YamlToken, yamlTokens } from "./yaml-tokens.ts";
import styles from "./yaml-view.module.css";

/** YAML to read: numbered lines, keys in colour. Long texts scroll. */
export const YamlView = memo(function YamlView({ text, label }: { text: string; label: string }) {
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n"), [text]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className={styles.view} aria-label={label} tabIndex={0} data-testid="yaml-view">
      <ol className={styles.lines}>
        {lines.map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place
          <li key={i}>
            <YamlLine line={line} />
          </li>
        ))}
      </ol>
    </section>
  );
});

export function YamlLine({ line }: { line: string }) {
  return yamlTokens(line).map(({ kind, text }: YamlToken, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a token is its place
    <span key={i} className={styles[kind]}>
      {text}
    </span>
  ));
}
