"use client";
import { useLocale, useTranslations } from "use-intl";
import type { TraceList } from "../../server/contract/index.ts";
import { traceHref } from "../lib/links.ts";
import { latencyScale } from "../mesh-graph/latency-scale.ts";
import { formatMoment, formatMs, quantityText } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import styles from "./traces.module.css";

/** Each trace by its start and, on a logarithmic scale, its duration. The table below says the same to who can't see it. */
export function Scatter({ list: { fromMs, toMs, traces } }: { list: TraceList }) {
  const t = useTranslations("traces");
  const locale = useLocale();
  const scale = latencyScale(traces.map(({ durationMs }) => durationMs));
  if (!scale) return null;
  const starts = traces.map(({ startMs }) => startMs);
  // What was found fills the width: the newest of an hour may all be of its last minute.
  const first = Math.max(fromMs, Math.min(...starts));
  const last = Math.min(toMs, Math.max(...starts));
  const left = (ms: number) => `${last > first ? ((ms - first) / (last - first)) * 100 : 50}%`;
  const ms = (value: number) => quantityText(formatMs(value, locale));
  return (
    <figure className={styles.scatter} data-testid="trace-scatter">
      <figcaption className="visually-hidden">{t("scatter")}</figcaption>
      <div className={styles.plot} aria-hidden>
        {scale.ticks.map((tick) => (
          <span key={tick} className={styles.tick} style={{ bottom: `${scale.place(tick) * 100}%` }}>
            {ms(tick)}
          </span>
        ))}
        <div className={styles.dots}>
          {traces.map(({ traceId, startMs, durationMs, errors, root }) => (
            <ObjectLink
              key={traceId}
              href={traceHref(traceId)}
              tabIndex={-1}
              className={errors > 0 ? styles.diamond : styles.dot}
              style={{ left: left(startMs), bottom: `${scale.place(durationMs) * 100}%` }}
              title={`${root.service} · ${root.name} · ${ms(durationMs)}`}
            />
          ))}
        </div>
      </div>
      <div className={styles.times} aria-hidden suppressHydrationWarning>
        <span suppressHydrationWarning>{formatMoment(first, locale)}</span>
        <span className={styles.legend}>
          <i className={styles.dot} /> {t("fine")} <i className={styles.diamond} /> {t("with-errors")}
        </span>
        <span suppressHydrationWarning>{formatMoment(last, locale)}</span>
      </div>
    </figure>
  );
}
