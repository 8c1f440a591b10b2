"use client";
import dynamic from "next/dynamic";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { Change, Series, ServiceMetrics } from "../../server/contract/index.ts";
import { useChangeText } from "../config/change-text.ts";
import type { Live } from "../lib/live.ts";
import { useChanges } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { Unreadable } from "../list/live-content.tsx";
import type { ChartMark } from "../ui/chart-marks.ts";
import type { ChartSeries } from "../ui/live-chart.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { versionColor } from "../ui/version-color.ts";
import { CallersTable } from "./callers-table.tsx";
import { firstStep } from "./covered.ts";
import styles from "./tabs.module.css";

const height = 210;
const LiveChart = dynamic(() => import("../ui/live-chart.tsx").then((module) => module.LiveChart), {
  ssr: false,
  loading: () => <SkeletonBlock height={height} />,
});

const percentiles = ["p50", "p90", "p95", "p99"] as const;
type Percentile = (typeof percentiles)[number];

/** The golden signals over the window, by version; hovering one chart shows the same moment in all. */
export function MetricsTab({ name, metrics }: { name: string; metrics: Live<ServiceMetrics> }) {
  const t = useTranslations("service");
  const url = useUrlState();
  const marks = useChangeMarks(name);
  const { data } = metrics;
  if (!data && metrics.error) return <Unreadable title={t("metrics-unreadable")} live={metrics} />;
  if (!data) return <MetricsSkeleton />;
  if ((data.totals.all?.requestRate ?? 0) === 0)
    return <EmptyState title={t("metrics-none")}>{t("metrics-none-text")}</EmptyState>;
  const percentile = percentiles.find((one) => one === url.get("latency")) ?? "p95";
  // What was before the first record is no quiet time: the charts begin with it.
  const first = firstStep(data);
  const fromMs = data.fromMs + first * data.stepSec * 1000;
  const chart = { fromMs, stepSec: data.stepSec, height, marks, sync: "service" };
  const byVersion = (values: Values) => seriesByVersion(data, (series) => values(series).slice(first));
  return (
    <div className={styles.charts}>
      <Panel title={t("chart-rate")} actions={<Legend metrics={data} />}>
        <LiveChart {...chart} label={t("chart-rate")} kind="rps" series={byVersion(({ requestRate }) => requestRate)} />
      </Panel>
      <Panel title={t("chart-errors")} hint={t("chart-errors-hint")} actions={<Legend metrics={data} />}>
        <LiveChart
          {...chart}
          label={t("chart-errors")}
          kind="share"
          series={byVersion(({ errorShare }) => errorShare)}
        />
      </Panel>
      <Panel
        title={t("chart-latency")}
        actions={
          <Percentiles value={percentile} onChange={(next) => url.set({ latency: next === "p95" ? null : next })} />
        }
      >
        <LiveChart
          {...chart}
          label={`${t("chart-latency")} ${percentile}`}
          kind="ms"
          series={byVersion((series) => series[columnOf[percentile]])}
        />
      </Panel>
      <Panel title={t("chart-spread")} hint={t("chart-spread-hint")} actions={<SpreadLegend />}>
        <LiveChart {...chart} label={t("chart-spread")} kind="ms" series={spread(data, first)} />
      </Panel>
      <div className={styles.wide}>
        <CallersTable metrics={data} />
      </div>
    </div>
  );
}

const columnOf = { p50: "latencyMsP50", p90: "latencyMsP90", p95: "latencyMsP95", p99: "latencyMsP99" } as const;

function versionsOf({ series }: ServiceMetrics): Series[] {
  const versions = series.filter(({ version }) => version !== "all");
  return versions.length > 0 ? versions : series;
}

const colorOf = (version: string): string => (version === "all" ? "var(--accent)" : versionColor(version));

type Values = (series: Series) => readonly (number | null)[];

const seriesByVersion = (metrics: ServiceMetrics, values: Values): ChartSeries[] => {
  const versions = versionsOf(metrics);
  return versions.map((series) => ({
    label: series.version,
    color: colorOf(series.version),
    values: values(series),
    fill: versions.length === 1,
  }));
};

/** All percentiles of the whole service: how far the slowest are from the rest. */
function spread({ series }: ServiceMetrics, first: number): ChartSeries[] {
  const all = series.find(({ version }) => version === "all");
  if (!all) return [];
  return percentiles.map((one, i) => ({
    label: one,
    color: shades[i] ?? "var(--ink)",
    values: all[columnOf[one]].slice(first),
    dash: isDashed(one),
  }));
}

const shades = ["var(--ink-3)", "var(--ink-2)", "var(--accent)", "var(--warn)"];

const SpreadLegend = () =>
  percentiles.map((one, i) => (
    <span key={one} className={styles.entry}>
      <svg width={18} height={8} aria-hidden>
        <line x1={0} x2={18} y1={4} y2={4} stroke={shades[i]} strokeWidth={2} strokeDasharray={dashOf(one)} />
      </svg>
      {one}
    </span>
  ));

const isDashed = (percentile: Percentile): boolean => percentile === "p50";
const dashOf = (percentile: Percentile): string | undefined => (isDashed(percentile) ? "4 3" : undefined);

function Legend({ metrics }: { metrics: ServiceMetrics }) {
  return versionsOf(metrics)
    .filter(({ version }) => version !== "all")
    .map(({ version }) => <VersionChip key={version} version={version} />);
}

function Percentiles({ value, onChange }: { value: Percentile; onChange: (next: Percentile) => void }) {
  return percentiles.map((one) => (
    <PillButton key={one} pressed={one === value} onClick={() => onChange(one)} data-testid={`latency-${one}`}>
      {one}
    </PillButton>
  ));
}

/** When somebody changed this service's config, or a fault on it came or went. */
function useChangeMarks(name: string): ChartMark[] {
  const changes = useChanges({ sinceMs: 0, limit: 50 }).data?.changes;
  const said = useChangeText();
  return useMemo(
    () =>
      (changes ?? [])
        .filter(({ objects }) => objects.some((object) => object.name === name && object.kind !== "WorkloadEntry"))
        .map((change) => ({ atMs: change.at, label: said(change), color: markColors[change.kind] })),
    [changes, name, said],
  );
}

const markColors: Record<Change["kind"], string> = {
  config: "var(--ink-3)",
  traffic: "var(--accent)",
  "fault-start": "var(--bad)",
  "fault-end": "var(--ok)",
};

function MetricsSkeleton() {
  return (
    <div className={styles.charts} aria-hidden>
      {["rate", "errors", "latency", "spread"].map((name) => (
        <Panel key={name}>
          <SkeletonBlock height={height + 44} />
        </Panel>
      ))}
    </div>
  );
}
