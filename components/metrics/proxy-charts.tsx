"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { useChangeMarks } from "../config/change-marks.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { type MetricQuery, useMetric, useMetricCatalog } from "./metric-queries.ts";
import { MetricView } from "./metric-view.tsx";
import styles from "./metrics.module.css";
import { useEarlier } from "./use-earlier.ts";

const height = 150;

/** What clients report of the load that they send (LRS). */
const loadCharts = [
  { key: "load-requests", name: "limpid.load.requests" },
  { key: "load-errors", name: "limpid.load.errors" },
  { key: "load-running", name: "limpid.load.in_progress" },
] as const satisfies readonly (MetricQuery & { key: string })[];

/** What is to be seen of a proxy's saturation, each a metric of its own. */
const charts = [
  { key: "connections", name: "envoy_http_downstream_cx_active" },
  { key: "upstream", name: "envoy_cluster_upstream_cx_active", by: ["envoy_cluster_name"] },
  { key: "pending", name: "envoy_cluster_upstream_rq_pending_active", fn: "max", by: ["envoy_cluster_name"] },
  { key: "cpu", name: "process.cpu.time" },
  { key: "memory", name: "process.memory.usage" },
  { key: "delay", name: "envoy_server_dispatcher_poll_delay_us", fn: "p99" },
  {
    key: "headroom",
    name: "envoy_cluster_circuit_breakers_default_remaining_rq",
    fn: "min",
    by: ["envoy_cluster_name"],
  },
  { key: "overflow", name: "envoy_cluster_upstream_rq_pending_overflow", by: ["envoy_cluster_name"] },
  ...loadCharts.map((chart) => ({ ...chart, by: ["cluster"] as const })),
] as const satisfies readonly (MetricQuery & { key: string })[];

/** How far back they look at first. */
export const proxyChartsWindowSec = 900;

/** How full one proxy is, over time. A chart of what it never told is left out. */
export function ProxyCharts({ id }: { id: string }) {
  const t = useTranslations("metrics");
  const catalog = useMetricCatalog().data?.metrics;
  if (!catalog) return <SkeletonBlock height={height} />;
  const sent = charts.filter(({ name }) => catalog.some((metric) => metric.name === name));
  if (sent.length === 0) return <EmptyState title={t("proxy-none")}>{t("proxy-none-text")}</EmptyState>;
  return (
    <div className={`${styles.charts} ${styles.drawer}`} data-testid="proxy-charts">
      {sent.map(({ key, ...query }) => (
        <SaturationChart
          key={key}
          title={t(`chart-${key}`)}
          name={t(`chart-${key}`)}
          query={{ ...query, instance: id }}
          sync={id}
        />
      ))}
    </div>
  );
}

/** The load that a service's clients report, client by client; nothing where none of them does. */
export function LoadCharts({ hostname }: { hostname: string }) {
  const t = useTranslations("metrics");
  const catalog = useMetricCatalog().data?.metrics ?? [];
  const told = loadCharts.filter(({ name }) => catalog.some((metric) => metric.name === name));
  if (told.length === 0) return null;
  return (
    <Panel title={t("load")} hint={t("load-hint")} data-testid="service-load">
      <div className={styles.charts}>
        {told.map(({ key, name }) => (
          <SaturationChart
            key={key}
            title={t(`chart-${key}`)}
            name={t(`chart-${key}`)}
            query={{ name, by: ["instance"], where: { destination: hostname } }}
            sync="service"
            isOptional={key !== "load-requests"}
          />
        ))}
      </div>
    </Panel>
  );
}

export interface SaturationChartProps {
  title: ReactNode;
  /** Said of the chart and its table. */
  name: string;
  query: MetricQuery;
  sync: string;
  /** Left out where there is nothing; so is any of one instance. */
  isOptional?: boolean;
}

export function SaturationChart({ title, name, query, sync, isOptional = false }: SaturationChartProps) {
  const t = useTranslations("metrics");
  const { range, comparison } = useUrlRange(proxyChartsWindowSec);
  const live = useMetric(query, range);
  const before = useEarlier(query, range, comparison, live.data);
  const marks = useChangeMarks({ sinceMs: live.data?.fromMs ?? 0 });
  // Of what it never told there is nothing to be said.
  if (live.data?.groups.length === 0 && (isOptional || query.instance !== undefined)) return null;
  return (
    <Panel title={title}>
      {live.data ? (
        live.data.groups.length > 0 ? (
          <MetricView
            chartOnly={live.data.groups.length === 1 && live.data.groups[0]?.series === 1}
            result={live.data}
            earlier={before}
            marks={marks}
            sync={sync}
            height={height}
            title={name}
          />
        ) : (
          <EmptyState title={t("no-values")} />
        )
      ) : (
        <SkeletonBlock height={height} />
      )}
    </Panel>
  );
}
