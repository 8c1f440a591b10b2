"use client";
import { useId } from "react";
import { useTranslations } from "use-intl";
import styles from "./merge.module.css";
import type { Choice, Chunk } from "./three-way.ts";

/** Without the spaces that all lines begin with. */
function dedented(lines: readonly string[]): string {
  const depths = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const shared = depths.length > 0 ? Math.min(...depths) : 0;
  return lines.map((line) => line.slice(shared)).join("\n");
}

export interface ConflictChoiceProps {
  conflict: Extract<Chunk, { kind: "conflict" }>;
  number: number;
  choice: Choice | null;
  onChoice: (choice: Choice) => void;
}

/** One place that both have changed: what each made of it, to choose from. */
export function ConflictChoice({ conflict, number, choice, onChoice }: ConflictChoiceProps) {
  const t = useTranslations("merge");
  const name = useId();
  return (
    <fieldset className={styles.conflict} data-testid={`merge-conflict-${number}`}>
      <legend>{t("conflict", { number, line: conflict.line })}</legend>
      <div className={styles.sides}>
        {(["mine", "theirs", "base"] as const).map((side) => (
          <label key={side} data-chosen={choice === side || undefined}>
            <span>
              <input
                type="radio"
                name={name}
                checked={choice === side}
                onChange={() => onChoice(side)}
                data-testid={`merge-${number}-${side}`}
              />{" "}
              {t(side)}
            </span>
            <pre>{dedented(conflict[side]) || t("nothing")}</pre>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
