"use client";
import { useTranslations } from "use-intl";
import { ExemplarList, useExemplars } from "../trace/exemplar-list.tsx";
import { Panel } from "../ui/panel.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import styles from "./tabs.module.css";

/** Single requests that the charts are made of: the slowest and the failed ones of the shown time, each with its trace. */
export function ExemplarsPanel({ hostname, range }: { hostname: string; range: TimeRange }) {
  const t = useTranslations("service");
  const traces = useTranslations("traces");
  const { windowSec, at } = range;
  const time = at === null ? { window: String(windowSec) } : { from: String(at - windowSec * 1000), to: String(at) };
  const live = useExemplars({ service: hostname, direction: "outbound", ...time }, at === null ? 10_000 : null);
  const { slow = [], failed = [] } = live.data ?? {};
  if (slow.length + failed.length === 0) return null;
  return (
    <div className={styles.wide}>
      <Panel title={t("exemplars")} hint={t("exemplars-hint")} data-testid="metric-exemplars">
        <div className={styles.charts}>
          {slow.length > 0 && <ExemplarList title={traces("exemplars-slow")} exemplars={slow} />}
          {failed.length > 0 && <ExemplarList title={traces("exemplars-failed")} exemplars={failed} />}
        </div>
      </Panel>
    </div>
  );
}
