"use client";
import { useLocale } from "use-intl";
import {
  formatBytesRate,
  formatMoment,
  formatMs,
  formatPerSecond,
  formatRate,
  formatShare,
  type Quantity,
} from "./format.ts";
import styles from "./quantity.module.css";
import { useSettled } from "./use-settled.ts";

export interface NumberWithUnitProps {
  value: number | null;
  kind: "rps" | "per-second" | "share" | "ms" | "bytes";
  /** Colours the number when it is worth a look. */
  tone?: "plain" | "warn" | "bad";
  /** Without its unit, where the unit stands beside it in a label or header. */
  bare?: boolean;
}

const formats: Record<NumberWithUnitProps["kind"], (value: number | null, locale: string) => Quantity> = {
  rps: formatRate,
  "per-second": formatPerSecond,
  share: formatShare,
  ms: formatMs,
  bytes: formatBytesRate,
};

/** A measured number with its unit, in the reader's language; it settles instead of flickering, and dims when the page is stale. */
export function NumberWithUnit({ value, kind, tone = "plain", bare = false }: NumberWithUnitProps) {
  const locale = useLocale();
  const shown = formats[kind](useSettled(value), locale);
  return <Amount value={shown.value} unit={bare ? "" : shown.unit} tone={tone} />;
}

/** A number that is written already, and its unit. */
export const Amount = ({ value, unit, tone = "plain" }: Quantity & Pick<NumberWithUnitProps, "tone">) => (
  <span className={`num ${styles.quantity} ${styles[tone]}`}>
    {value}
    {unit && <small className={styles.unit}> {unit}</small>}
  </span>
);

/** A moment on the reader's own clock, with its day where that is not today; the server's guess of the time zone gives way on the client. */
export function Moment({ ms, seconds = true }: { ms: number; seconds?: boolean }) {
  const locale = useLocale();
  return (
    <time dateTime={new Date(ms).toISOString()} suppressHydrationWarning>
      {formatMoment(ms, locale, seconds)}
    </time>
  );
}
