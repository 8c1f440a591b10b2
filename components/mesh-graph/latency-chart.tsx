"use client";
import { useElementSize } from "@mantine/hooks";
import { type PointerEvent, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ChartGap } from "../ui/chart-gaps.ts";
import { formatMoment, formatMs, quantityText } from "../ui/format.ts";
import { linePath } from "../ui/sparkline.tsx";
import { GapHatching } from "../ui/unrecorded.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { versionColor } from "../ui/version-color.ts";
import styles from "./latency-chart.module.css";
import { latencyScale } from "./latency-scale.ts";

export interface LatencyChartProps {
  label: string;
  fromMs: number;
  stepSec: number;
  /** Stretches of which nothing is known. */
  gaps: readonly ChartGap[] | undefined;
  /** Milliseconds by version. */
  series: readonly { version: string; values: readonly (number | null)[] }[];
}

const height = 96;
/** Left of the lines, for the axis. */
const gutter = 52;

/** Latency by version on a logarithmic axis; under the pointer, or last of all, each version's value in words. */
export function LatencyChart({ label, fromMs, stepSec, gaps, series }: LatencyChartProps) {
  const t = useTranslations("panel");
  const locale = useLocale();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const scale = latencyScale(series.flatMap(({ values }) => values));
  const count = Math.max(0, ...series.map(({ values }) => values.length));
  const text = (ms: number | null) => quantityText(formatMs(ms, locale));
  if (!scale || count === 0) return <p className="muted">{t("no-latency")}</p>;
  const plot = Math.max(0, width - gutter);
  const y = (ms: number) => height - 2 - scale.place(ms) * (height - 4);
  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.round(((event.clientX - box.left - gutter) / plot) * (count - 1));
    setAt(index >= 0 && index < count ? index : null);
  };
  const shown = at ?? count - 1;
  return (
    <>
      <div
        ref={ref}
        className={styles.chart}
        style={{ height }}
        role="img"
        aria-label={label}
        onPointerMove={onPointer}
        onPointerLeave={() => setAt(null)}
        data-testid="latency-chart"
      >
        {scale.ticks.map((tick) => (
          <span key={tick} className={styles.tick} style={{ top: y(tick) }}>
            {text(tick)}
          </span>
        ))}
        <div className={styles.plot} style={{ left: gutter }}>
          <GapHatching fromMs={fromMs} toMs={fromMs + (count - 1) * stepSec * 1000} gaps={gaps} />
        </div>
        <svg width={plot} height={height} style={{ left: gutter }} aria-hidden="true">
          {scale.ticks.map((tick) => (
            <path key={tick} d={`M0,${y(tick)}H${plot}`} stroke="var(--line-soft)" />
          ))}
          {series.map(({ version, values }) => (
            <path
              key={version}
              d={linePath(
                values.map((value) => (value === null ? null : scale.place(value))),
                plot,
                height,
                1,
              )}
              fill="none"
              stroke={colorOf(version)}
              strokeWidth={1.5}
            />
          ))}
          {at !== null && <path d={`M${(at * plot) / Math.max(1, count - 1)},0V${height}`} stroke="var(--ink-3)" />}
        </svg>
      </div>
      <div className={styles.values}>
        <time suppressHydrationWarning>{formatMoment(fromMs + shown * stepSec * 1000, locale)}</time>
        {series.map(({ version, values }) =>
          version === "all" ? (
            <span key={version}>{text(values[shown] ?? null)}</span>
          ) : (
            <VersionChip key={version} version={version}>
              {text(values[shown] ?? null)}
            </VersionChip>
          ),
        )}
      </div>
    </>
  );
}

const colorOf = (version: string): string => (version === "all" ? "var(--accent)" : versionColor(version));
