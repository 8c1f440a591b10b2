"use client";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { Change, Overview } from "../../server/contract/index.ts";
import { changeColor } from "../config/change-marks.ts";
import { useChangeText } from "../config/change-text.ts";
import { atPlacesOf } from "../metrics/earlier-values.ts";
import type { ChartMark } from "../ui/chart-marks.ts";
import type { ChartSeries } from "../ui/live-chart.tsx";
import { LiveChart } from "../ui/live-chart.tsx";
import { UnrecordedNote } from "../ui/unrecorded.tsx";
import { type Happening, type HappeningsInput, happenings } from "./happenings.ts";
import styles from "./overview.module.css";

export interface HourChartsProps {
  timeline: Overview["timeline"];
  changes: readonly Change[];
  /** What befell the mesh by itself; undefined: not known yet. */
  befell: HappeningsInput | undefined;
  /** What it is compared with, a dashed line in each chart. */
  earlier?: { timeline: Overview["timeline"]; distanceSec: number } | undefined;
}

const shown = {
  went: { color: "var(--bad)", word: "went" },
  came: { color: "var(--ok)", word: "came" },
  refused: { color: "var(--bad)", word: "refused-by" },
  ended: { color: "var(--warn)", word: "ended" },
  hung: { color: "var(--warn)", word: "hung" },
  planned: { color: "var(--ink-3)", word: "planned" },
} as const satisfies Record<Happening["what"], { color: string; word: string }>;

/** The traffic of the last hour with all that happened to it: config, faults, refusals, proxies that went and came back, parts that were started again. */
export function HourCharts({ timeline, changes, befell, earlier }: HourChartsProps) {
  const t = useTranslations("overview");
  const said = useChangeText();
  const marks = useMemo<ChartMark[]>(
    () => [
      ...changes.map((change) => ({ atMs: change.at, label: said(change), color: changeColor(change) })),
      ...(befell ? happenings(befell) : []).map(({ at, what, names: [name = "", ...others], revision, how }) => ({
        atMs: at,
        label: t(what === "refused" && !revision ? "refused-some" : shown[what].word, {
          name,
          count: others.length,
          revision: revision ?? 0,
          how: how ?? "",
        }),
        color: shown[what].color,
      })),
    ],
    [changes, befell, said, t],
  );
  const before = (key: "requestRate" | "errorShare" | "latencyMsP95"): ChartSeries[] => {
    if (!earlier) return [];
    const { fromMs, stepSec } = earlier.timeline;
    const was = { fromMs, stepSec, values: earlier.timeline[key] };
    const values = atPlacesOf(was, { ...timeline, count: timeline[key].length }, earlier.distanceSec);
    return [{ label: t("earlier"), color: "var(--ink-2)", values, dash: true }];
  };
  const { fromMs, stepSec, gaps = [] } = timeline;
  const chart = { fromMs, stepSec, gaps, sync: "overview" };
  return (
    <div className={styles.charts}>
      <UnrecordedNote fromMs={fromMs} toMs={fromMs + timeline.requestRate.length * stepSec * 1000} gaps={gaps} />
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
