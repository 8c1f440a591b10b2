"use client";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { Change, Overview, ProxyList } from "../../server/contract/index.ts";
import { changeColor } from "../config/change-marks.ts";
import { useChangeText } from "../config/change-text.ts";
import { atPlacesOf } from "../metrics/earlier-values.ts";
import type { ChartMark } from "../ui/chart-marks.ts";
import type { ChartSeries } from "../ui/live-chart.tsx";
import { LiveChart } from "../ui/live-chart.tsx";
import styles from "./overview.module.css";
import { comings } from "./trouble.ts";

export interface HourChartsProps {
  timeline: Overview["timeline"];
  changes: readonly Change[];
  proxies: ProxyList | undefined;
  /** What it is compared with, a dashed line in each chart. */
  earlier?: { timeline: Overview["timeline"]; distanceSec: number } | undefined;
}

/** The traffic of the last hour with all that happened to it: config, faults, proxies that went and came back. */
export function HourCharts({ timeline, changes, proxies, earlier }: HourChartsProps) {
  const t = useTranslations("overview");
  const said = useChangeText();
  const marks = useMemo<ChartMark[]>(
    () => [
      ...changes.map((change) => ({ atMs: change.at, label: said(change), color: changeColor(change) })),
      ...(proxies ? comings(proxies) : []).map(({ at, what, names: [proxy = "", ...others] }) => ({
        atMs: at,
        label: t(what, { proxy, count: others.length }),
        color: what === "went" ? "var(--bad)" : "var(--ok)",
      })),
    ],
    [changes, proxies, said, t],
  );
  const before = (key: "requestRate" | "errorShare" | "latencyMsP95"): ChartSeries[] => {
    if (!earlier) return [];
    const { fromMs, stepSec } = earlier.timeline;
    const was = { fromMs, stepSec, values: earlier.timeline[key] };
    const values = atPlacesOf(was, { ...timeline, count: timeline[key].length }, earlier.distanceSec);
    return [{ label: t("earlier"), color: "var(--ink-2)", values, dash: true }];
  };
  const chart = { fromMs: timeline.fromMs, stepSec: timeline.stepSec, sync: "overview" };
  return (
    <div className={styles.charts}>
      <div>
        <p className={styles.chartTitle}>{t("chart-rate")}</p>
        <LiveChart
          {...chart}
          label={t("chart-rate")}
          kind="rps"
          height={130}
          marks={marks}
          series={[
            { label: t("rps"), color: "var(--accent)", values: timeline.requestRate, fill: true },
            ...before("requestRate"),
          ]}
        />
      </div>
      <div>
        <p className={styles.chartTitle}>{t("chart-errors")}</p>
        <LiveChart
          {...chart}
          label={t("chart-errors")}
          kind="share"
          height={96}
          series={[
            { label: t("errors"), color: "var(--bad)", values: timeline.errorShare, fill: true },
            ...before("errorShare"),
          ]}
        />
      </div>
      <div>
        <p className={styles.chartTitle}>{t("chart-latency")}</p>
        <LiveChart
          {...chart}
          label={t("chart-latency")}
          kind="ms"
          height={96}
          series={[{ label: "p95", color: "var(--ink-2)", values: timeline.latencyMsP95 }, ...before("latencyMsP95")]}
        />
      </div>
    </div>
  );
}
