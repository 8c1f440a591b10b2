"use client";
import { type KeyboardEvent, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { WeightPart } from "./rule-parts.ts";
import { setPart } from "./split.ts";
import styles from "./weight-input.module.css";

export interface WeightInputProps {
  parts: readonly WeightPart[];
  index: number;
  onChange: (parts: WeightPart[]) => void;
  disabled?: boolean;
}

/** A version's percent, to type. The others make room as you type, always from where they stood when typing began. */
export function WeightInput({ parts, index, onChange, disabled = false }: WeightInputProps) {
  const t = useTranslations("traffic");
  const [text, setText] = useState<string | null>(null);
  const from = useRef(parts);
  const part = parts[index];
  if (!part) return null;
  const type = (next: string) => {
    const digits = next.replace(/\D/g, "").slice(0, 3);
    setText(digits);
    if (digits !== "") onChange(setPart(from.current, index, Number(digits)));
  };
  const step = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") {
      // What was typed past the bounds shows as what it became; the next digits begin anew.
      setText(null);
      from.current = parts;
      event.currentTarget.select();
      return;
    }
    if (event.key === "Escape" && text !== null) {
      setText(null);
      onChange([...from.current]);
      return;
    }
    const by = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    setText(null);
    const next = setPart(parts, index, part.weight + by * (event.shiftKey ? 10 : 1));
    from.current = next;
    onChange(next);
  };
  return (
    <span className={styles.field}>
      <input
        className={styles.input}
        inputMode="numeric"
        autoComplete="off"
        aria-label={t("weight-of", { version: part.version })}
        value={text ?? String(part.weight)}
        disabled={disabled || part.locked || parts.length < 2}
        onFocus={(event) => {
          from.current = parts;
          event.currentTarget.select();
        }}
        onBlur={() => setText(null)}
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={step}
        data-testid={`weight-${part.version}`}
      />
      <small>%</small>
    </span>
  );
}
