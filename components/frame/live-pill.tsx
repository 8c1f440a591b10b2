"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import type { TelemetryHealth } from "../../server/contract/index.ts";
import { formatMoment, formatSpan, formatStretch } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { Pill } from "../ui/pill.tsx";
import { Moment } from "../ui/quantity.tsx";
import { parseRange } from "../ui/time-range.ts";
import type { Freshness } from "./freshness.ts";
import styles from "./live-pill.module.css";
import { isRanged } from "./pages.ts";

/** Says whether what is on the page is live, a replay, or stale, and of when. */
export function LivePill({ freshness }: { freshness: Freshness }) {
  const t = useTranslations("frame");
  const locale = useLocale();
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
  if (freshness.state === "stale") {
    return (
      <Pill tone="warn" data-testid="live-pill" title={freshness.reason ? t(`stale-${freshness.reason}`) : ""}>
        <HealthMark health="degraded" silent />
        {freshness.of === null ? t("stale-unknown") : t("stale")}{" "}
        {freshness.of !== null && <Moment ms={freshness.of} />}
        {freshness.losses && <Losses of={freshness.losses} />}
      </Pill>
    );
  }
  if (freshness.state === "quiet") {
    return (
      <Pill data-testid="live-pill" title={t("quiet-title")}>
        <HealthMark health="idle" silent />
        {t("quiet")} {freshness.of !== null && <Moment ms={freshness.of} />}
        {freshness.losses && <Losses of={freshness.losses} />}
      </Pill>
    );
  }
  if (freshness.state === "waiting") {
    return (
      <Pill data-testid="live-pill">
        <HealthMark health="idle" silent />
        {t("waiting")}
        {freshness.losses && <Losses of={freshness.losses} />}
      </Pill>
    );
  }
  return (
    <Pill data-testid="live-pill">
      <HealthMark health="healthy" silent />
      {t("live")}
      {/* Pages have windows of their own where none is asked for: what is said here must be so. */}
      {ranged && params.get("window") && <span className={styles.window}>· {formatSpan(windowSec, locale)}</span>}
      {freshness.losses && <Losses of={freshness.losses} />}
    </Pill>
  );
}

/** That not all telemetry is there, and in its title which is not and why. */
function Losses({ of }: { of: TelemetryHealth }) {
  const t = useTranslations("frame");
  const locale = useLocale();
  const { samples, spans, logs, metricPoints } = of.shed;
  const detail = samples + spans + logs + metricPoints;
  const said = [
    !of.ok && t("losses-unwritten", { message: of.message, count: of.failedFlushes }),
    of.storeReplaced &&
      t("losses-replaced", { at: formatMoment(of.storeReplaced.atMs, locale), why: of.storeReplaced.why }),
    detail > 0 && t("losses-shed", { count: detail }),
    ...of.exports
      .filter(({ dropped, refused, lastError }) => dropped + refused > 0 || lastError !== "")
      .map(({ signal, endpoint, dropped, refused, lastError }) =>
        t("losses-export", { signal, endpoint, count: dropped + refused, why: lastError }),
      ),
    of.overflowedRecords > 0 && t("losses-overflowed", { count: of.overflowedRecords }),
    of.ignored.entries > 0 && t("losses-ignored", { count: of.ignored.entries }),
    ...of.ignored.logs.map((log) => `${log.proxy} · ${log.logName}: ${log.because} (${log.entries})`),
  ].filter(Boolean);
  return (
    <abbr className={styles.window} title={said.join("\n")} data-testid="telemetry-losses">
      · {t("losses")}
    </abbr>
  );
}
