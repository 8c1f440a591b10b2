"use client";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import { type ChartGap, gapMs, placedGaps } from "./chart-gaps.ts";
import { formatSpan } from "./format.ts";
import styles from "./unrecorded.module.css";

export interface UnrecordedProps {
  /** What is shown, Unix milliseconds. */
  fromMs: number;
  toMs: number;
  gaps: readonly ChartGap[] | undefined;
}

/** The stretch of so many seconds that ends with what was read. */
export const lastOf = (
  windowSec: number,
  { at, gaps }: { at: number; gaps?: UnrecordedProps["gaps"] },
): UnrecordedProps => ({
  fromMs: at - windowSec * 1000,
  toMs: at,
  gaps,
});

/** How much of the time figures are not of; nothing where they are of all of it. */
export const UnrecordedOf = (shown: UnrecordedProps) => <Note says="unrecorded-of" {...shown} />;

/** What the hatching of the charts beside it means, and how much of the time it takes; nothing where nothing is hatched. */
export const UnrecordedNote = (shown: UnrecordedProps) => (
  <Note says="unrecorded" {...shown}>
    <i className={styles.swatch} aria-hidden />
  </Note>
);

interface NoteProps extends UnrecordedProps {
  says: "unrecorded" | "unrecorded-of";
  children?: ReactNode;
}

function Note({ says, children, gaps = [], ...shown }: NoteProps) {
  const t = useTranslations("ui");
  const locale = useLocale();
  const ms = gapMs(gaps, shown);
  if (ms === 0) return null;
  return (
    <p className={styles.note} data-testid="unrecorded">
      {children}
      {t(says, { span: formatSpan(Math.round(ms / 1000), locale) })}
    </p>
  );
}

/** The hatching itself, over the whole height of the plot that it stands in. */
export function GapHatching({ gaps = [], ...shown }: UnrecordedProps) {
  const t = useTranslations("ui");
  return placedGaps(gaps, shown).map(({ left, width }) => (
    <i
      key={left}
      className={styles.hatching}
      style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
      title={t("unrecorded-here")}
      data-testid="gap"
    />
  ));
}
