"use client";
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

/** What the hatching of the charts beside it means, and how much of the time it takes; nothing where nothing is hatched. */
export function UnrecordedNote({ gaps = [], ...shown }: UnrecordedProps) {
  const t = useTranslations("ui");
  const locale = useLocale();
  const ms = gapMs(gaps, shown);
  if (ms === 0) return null;
  return (
    <p className={styles.note} data-testid="unrecorded">
      <i className={styles.swatch} aria-hidden />
      {t("unrecorded", { span: formatSpan(Math.round(ms / 1000), locale) })}
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
