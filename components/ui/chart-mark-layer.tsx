"use client";
import { useLocale } from "use-intl";
import styles from "./chart-mark-layer.module.css";
import type { PlacedMark } from "./chart-marks.ts";
import { formatMoment } from "./format.ts";

export interface ChartMarkLayerProps {
  placed: readonly PlacedMark[];
  /** Of the plot within the chart, pixels. */
  left: number;
  width: number;
}

/** The names of a chart's marks: beside each flag where there is room, and in full on hover or focus. */
export function ChartMarkLayer({ placed, left, width }: ChartMarkLayerProps) {
  const locale = useLocale();
  const time = (ms: number) => formatMoment(ms, locale);
  return (
    <ul className={styles.layer} style={{ left, width }}>
      {placed.map(({ x, marks, words }) => {
        const [first] = marks;
        if (!first) return null;
        const all = marks.map(({ atMs, label }) => `${time(atMs)} ${label}`).join("; ");
        // The count that is to be read on the flag is part of its name, for those who speak to their browser (WCAG 2.5.3).
        const text = marks.length > 1 ? `${marks.length}: ${all}` : all;
        return (
          <li key={first.atMs} style={{ left: x }}>
            <button type="button" className={styles.flag} aria-label={text} data-testid="chart-mark">
              <i style={{ background: marks.at(-1)?.color }} aria-hidden />
              {marks.length > 1 && <b aria-hidden>{marks.length}</b>}
            </button>
            {words && (
              <span className={styles.words} data-side={words.side} style={{ maxWidth: words.room }} aria-hidden>
                {marks.at(-1)?.label}
              </span>
            )}
            <div className={styles.full} role="tooltip" data-side={x > width / 2 ? "left" : "right"}>
              {marks.map(({ atMs, label, color }) => (
                <p key={`${atMs} ${label}`}>
                  <i style={{ background: color }} aria-hidden />
                  <time>{time(atMs)}</time> {label}
                </p>
              ))}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
