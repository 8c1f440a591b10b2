"use client";
import type { CSSProperties } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Change } from "../../server/contract/index.ts";
import { useAuthor, useChangeText } from "../config/change-text.ts";
import { formatMoment } from "../ui/format.ts";
import { placeMarks } from "./strip-marks.ts";
import styles from "./time-strip.module.css";

const colors: Record<Change["kind"], string> = {
  config: "var(--ink-3)",
  traffic: "var(--accent)",
  "fault-start": "var(--bad)",
  "fault-end": "var(--ok)",
};
const weights: Record<Change["kind"], number> = { "fault-start": 4, traffic: 3, "fault-end": 2, config: 1 };

export interface MarksProps {
  changes: readonly Change[];
  /** The replayed moment: what came later steps back, and the last one before it gets its words. */
  at: number | null;
  xOf: (ms: number) => number;
  width: number;
}

/** Every change of the config as a mark on the strip. */
export function Marks({ changes, at, xOf, width }: MarksProps) {
  const said = useMarkText();
  const textOf = useChangeText();
  const past = changes.filter((change) => at === null || change.at <= at);
  const inForce = at === null ? undefined : past.toSorted((a, b) => b.at - a.at)[0];
  const marks = placeMarks(
    changes.map((change) => ({
      change,
      x: xOf(change.at),
      text: textOf(change),
      weight: weights[change.kind] + (change === inForce ? 10 : 0) - (past.includes(change) ? 0 : 5),
    })),
    width,
  );
  return marks.map(({ changes, x, label }) => {
    const [first] = changes;
    if (!first) return null;
    const style = { "--c": colors[first.kind] } as CSSProperties;
    return (
      <span
        key={first.revision}
        className={styles.marked}
        data-kind={first.kind}
        data-count={changes.length}
        data-later={!past.includes(first) || undefined}
        title={changes.map(said).join("\n")}
        style={style}
      >
        <i className={styles.mark} style={{ left: x }} />
        {label && (
          <small style={{ left: label.left, width: label.width }} data-testid="strip-label">
            <span>{label.text}</span>
            {label.more > 0 && <b>+{label.more}</b>}
          </small>
        )}
      </span>
    );
  });
}

/** The marks in words: a slider's content is not read out. */
export function ChangesInWords({ changes }: { changes: readonly Change[] }) {
  const said = useMarkText();
  return (
    <ol className="visually-hidden" data-testid="strip-changes">
      {changes.map((change) => (
        <li key={change.revision} data-kind={change.kind} suppressHydrationWarning>
          {said(change)}
        </li>
      ))}
    </ol>
  );
}

function useMarkText(): (change: Change) => string {
  const t = useTranslations("strip");
  const locale = useLocale();
  const textOf = useChangeText();
  const authorOf = useAuthor();
  return (change) =>
    t("mark", {
      time: formatMoment(change.at, locale),
      summary: textOf(change),
      author: authorOf(change.author),
    });
}
