"use client";
import { useCallback } from "react";
import { useTranslations } from "use-intl";
import type { Change, Series, ServiceMetrics } from "../../server/contract/index.ts";
import { useChangeMarks } from "../config/change-marks.ts";
import { useUrlState } from "../lib/url-state.ts";
import { atPlacesOf } from "../metrics/earlier-values.ts";
import type { ChartSeries } from "../ui/live-chart.tsx";
import { LoadedChart } from "../ui/loaded-chart.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { versionColor } from "../ui/version-color.ts";
import { firstStep } from "./covered.ts";
import styles from "./tabs.module.css";
import { type Compared, useEarlierMetrics } from "./use-earlier-metrics.ts";

export const chartHeight = 210;

const percentiles = ["p50", "p90", "p95", "p99"] as const;
type Percentile = (typeof percentiles)[number];

type Earlier = ReturnType<typeof useEarlierMetrics>;

/** Rate, errors and latency of calls to a service, by version. What it is compared with is a dashed line of the whole. */
export function InboundCharts({ name, metrics, ...compared }: { name: string; metrics: ServiceMetrics } & Compared) {
  const t = useTranslations("service");
  const url = useUrlState();
  // What was before the first record is no quiet time: the charts begin with it.
  const first = firstStep(metrics);
  const fromMs = metrics.fromMs + first * metrics.stepSec * 1000;
  const isOf = useCallback(
    ({ objects }: Change) => objects.some((object) => object.name === name && object.kind !== "WorkloadEntry"),
    [name],
  );
  const marks = useChangeMarks({ sinceMs: fromMs, matches: isOf });
  const before = useEarlierMetrics(compared, metrics);
  const percentile = percentiles.find((one) => one === url.get("latency")) ?? "p95";
  const chart = {
    fromMs,
    stepSec: metrics.stepSec,
    height: chartHeight,
    marks,
    gaps: metrics.gaps ?? [],
    sync: "service",
  };
  const lines = (values: Values) => [
    // What is compared is the whole: its line stands beside that of before.
    ...(before ? wholeLine(metrics, (series) => values(series).slice(first), t("whole")) : []),
    ...seriesByVersion(metrics, (series) => values(series).slice(first)),
    ...earlierLine(before, metrics, first, values, t("earlier")),
  ];
  const { connections } = metrics;
  // How long connections are open is nobody's slowness.
  const timed = !connections?.only;
  const rate = t(timed ? "chart-rate" : "chart-connections");
  return (
    <>
      <Panel title={rate} actions={<Legend metrics={metrics} />}>
        <LoadedChart
          {...chart}
          label={rate}
          kind={timed ? "rps" : "hz"}
          series={lines(({ requestRate }) => requestRate)}
        />
      </Panel>
      <Panel
        title={t("chart-errors")}
        hint={t(timed ? "chart-errors-hint" : "chart-failed-hint")}
        actions={<Legend metrics={metrics} />}
      >
        <LoadedChart {...chart} label={t("chart-errors")} kind="share" series={lines(({ errorShare }) => errorShare)} />
      </Panel>
      {connections && (
        <Panel title={t("chart-bytes")} hint={t("chart-bytes-hint")} actions={<FlowLegend />}>
          <LoadedChart
            {...chart}
            label={t("chart-bytes")}
            kind="bytes-rate"
            series={[
              { label: t("figure-sent"), color: "var(--accent)", values: connections.sent.slice(first) },
              {
                label: t("figure-received"),
                color: "var(--ink-2)",
                values: connections.received.slice(first),
                dash: true,
              },
            ]}
          />
        </Panel>
      )}
      {timed && (
        <>
          <Panel
            title={t("chart-latency")}
            actions={
              <Percentiles value={percentile} onChange={(next) => url.set({ latency: next === "p95" ? null : next })} />
            }
          >
            <LoadedChart
              {...chart}
              label={`${t("chart-latency")} ${percentile}`}
              kind="ms"
              series={lines((series) => series[columnOf[percentile]])}
            />
          </Panel>
          <Panel title={t("chart-spread")} hint={t("chart-spread-hint")} actions={<SpreadLegend />}>
            <LoadedChart {...chart} label={t("chart-spread")} kind="ms" series={spread(metrics, first)} />
          </Panel>
        </>
      )}
    </>
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

const wholeOf = ({ series }: ServiceMetrics): Series | undefined => series.find(({ version }) => version === "all");

function wholeLine(metrics: ServiceMetrics, values: Values, label: string): ChartSeries[] {
  const whole = wholeOf(metrics);
  return whole && versionsOf(metrics)[0] !== whole ? [{ label, color: "var(--ink-2)", values: values(whole) }] : [];
}

function earlierLine(
  before: Earlier,
  { fromMs, stepSec, series }: ServiceMetrics,
  first: number,
  values: Values,
  label: string,
): ChartSeries[] {
  const whole = before && wholeOf(before.metrics);
  if (!before || !whole) return [];
  const count = (series[0]?.requestRate.length ?? 0) - first;
  const shown = { fromMs: fromMs + first * stepSec * 1000, stepSec, count };
  const was = { fromMs: before.metrics.fromMs, stepSec: before.metrics.stepSec, values: values(whole) };
  return [{ label, color: "var(--ink-2)", values: atPlacesOf(was, shown, before.distanceSec), dash: true }];
}

/** All percentiles of the whole service: how far the slowest are from the rest. */
function spread(metrics: ServiceMetrics, first: number): ChartSeries[] {
  const all = wholeOf(metrics);
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
  percentiles.map((one, i) => <Entry key={one} name={one} color={shades[i]} isDashed={isDashed(one)} />);

function FlowLegend() {
  const t = useTranslations("service");
  return (
    <>
      <Entry name={t("figure-sent")} color="var(--accent)" />
      <Entry name={t("figure-received")} color="var(--ink-2)" isDashed />
    </>
  );
}

const Entry = (line: { name: string; color: string | undefined; isDashed?: boolean }) => (
  <span className={styles.entry}>
    <svg width={18} height={8} aria-hidden>
      <line
        x1={0}
        x2={18}
        y1={4}
        y2={4}
        stroke={line.color}
        strokeWidth={2}
        strokeDasharray={line.isDashed ? "4 3" : ""}
      />
    </svg>
    {line.name}
  </span>
);

const isDashed = (percentile: Percentile): boolean => percentile === "p50";

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
