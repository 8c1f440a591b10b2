"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { type ReactNode, useId } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { TelemetryHealth } from "../../server/contract/index.ts";
import { formatMoment, formatSpan, formatStretch } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { Pill, PillButton } from "../ui/pill.tsx";
import { Moment } from "../ui/quantity.tsx";
import { parseRange } from "../ui/time-range.ts";
import type { Freshness } from "./freshness.ts";
import styles from "./live-pill.module.css";
import { isRanged } from "./pages.ts";

/** Says whether what is on the page is live, a replay, or stale, and of when. */
export function LivePill({ freshness }: { freshness: Freshness }) {
  const t = useTranslations("frame");
  const locale = useLocale();
  const said = useLossWords();
  const params = useSearchParams();
  const ranged = isRanged(usePathname());
  // Within a stretch `at` is the moment that is shown.
  const moment = params.has("at");
  const { windowSec, at } = parseRange((name) =>
    moment && (name === "from" || name === "to") ? null : params.get(name),
  );
  if (ranged && at !== null) {
    return (
      <Pill tone="accent" data-testid="live-pill">
        <HealthMark health="idle" silent />
        {t("replay")}{" "}
        {moment ? <Moment ms={at} /> : <span suppressHydrationWarning>{formatStretch(at, windowSec, locale)}</span>}
      </Pill>
    );
  }
  const { state, of, losses } = freshness;
  const why = [
    freshness.reason && t(`stale-${freshness.reason}`),
    state === "quiet" && t("quiet-title"),
    ...(losses ? said(losses) : []),
  ].filter((line) => typeof line === "string");
  return (
    <Told tone={state === "stale" ? "warn" : "plain"} lines={why}>
      <HealthMark health={health[state]} silent />
      {state === "stale" && of === null ? t("stale-unknown") : t(state)}{" "}
      {(state === "stale" || state === "quiet") && of !== null && <Moment ms={of} />}
      {/* Pages have windows of their own where none is asked for: what is said here must be so. */}
      {state === "live" && ranged && params.get("window") && (
        <span className={styles.window}>· {formatSpan(windowSec, locale)}</span>
      )}
      {losses && (
        <span data-testid="telemetry-losses">
          · <span className={styles.wide}>{t("losses")}</span>
          <span className={styles.narrow}>{t("losses-short")}</span>
        </span>
      )}
    </Told>
  );
}

const health = { live: "healthy", quiet: "idle", waiting: "idle", stale: "degraded" } as const;

/** With something to tell it is a button, and what it tells opens below: for fingers and keys as for a pointer. */
function Told({ tone, lines, children }: { tone: "plain" | "warn"; lines: readonly string[]; children: ReactNode }) {
  const id = useId();
  if (lines.length === 0) return <Pill data-testid="live-pill">{children}</Pill>;
  return (
    <>
      <PillButton tone={tone} popoverTarget={id} data-testid="live-pill">
        {children}
      </PillButton>
      <ul id={id} popover="auto" className={styles.lines} data-testid="live-why">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </>
  );
}

/** Which telemetry is not there, and why. */
function useLossWords(): (of: TelemetryHealth) => string[] {
  const t = useTranslations("frame");
  const locale = useLocale();
  return (of) => {
    const { samples, spans, logs, metricPoints } = of.shed;
    const detail = samples + spans + logs + metricPoints;
    return [
      !of.ok && t("losses-unwritten", { message: of.message, count: of.failedFlushes }),
      of.storeReplaced &&
        t("losses-replaced", { at: formatMoment(of.storeReplaced.atMs, locale), why: of.storeReplaced.why }),
      detail > 0 && t("losses-shed", { count: detail }),
      ...of.exports
        .filter(({ dropped, refused, lastError }) => dropped + refused > 0 || lastError !== "")
        .map(({ signal, endpoint, dropped, refused, waiting, lastError }) =>
          t("losses-export", { signal, endpoint, count: dropped + refused, waiting, why: lastError }),
        ),
      of.overflowedRecords > 0 && t("losses-overflowed", { count: of.overflowedRecords }),
      of.ignored.entries > 0 && t("losses-ignored", { count: of.ignored.entries }),
      ...of.ignored.logs.map((log) => `${log.proxy} · ${log.logName}: ${log.because} (${log.entries})`),
    ].filter((line) => typeof line === "string");
  };
}
