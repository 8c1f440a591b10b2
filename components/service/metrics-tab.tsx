"use client";
import { useTranslations } from "use-intl";
import type { Saturation, ServiceListItem, ServiceMetrics } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import type { Live } from "../lib/live.ts";
import { useSaturation } from "../lib/queries.ts";
import { Unreadable } from "../list/live-content.tsx";
import { OwnMetrics } from "../metrics/own-metrics.tsx";
import { LoadCharts } from "../metrics/proxy-charts.tsx";
import { proxiesOf } from "../metrics/saturation-of.ts";
import { SaturationTable } from "../metrics/saturation-table.tsx";
import { gapMs } from "../ui/chart-gaps.ts";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { Comparison, TimeRange } from "../ui/time-range.ts";
import { UnrecordedNote } from "../ui/unrecorded.tsx";
import { CallersTable } from "./callers-table.tsx";
import { ExemplarsPanel } from "./exemplars-panel.tsx";
import { GoldenFigures } from "./golden-figures.tsx";
import { chartHeight, InboundCharts } from "./inbound-charts.tsx";
import { OutboundPanel } from "./outbound-panel.tsx";
import styles from "./tabs.module.css";

export interface MetricsTabProps {
  service: { namespace: string; name: string };
  /** What it is called for short. */
  name: string;
  item: ServiceListItem | undefined;
  metrics: Live<ServiceMetrics>;
  range: TimeRange;
  comparison: Comparison | null;
  /** What the server has read for exactly this range. */
  saturation: Settled<Saturation> | undefined;
}

/** The golden signals over the window, by version, saturation among them; hovering one chart shows the same moment in all. What it calls, and what it tells of itself. */
export function MetricsTab({ service, name, item, metrics, range, comparison, ...first }: MetricsTabProps) {
  const t = useTranslations("service");
  const saturation = useSaturation(range.at, first.saturation).data;
  const { data } = metrics;
  if (!data && metrics.error) return <Unreadable title={t("metrics-unreadable")} live={metrics} />;
  if (!data) return <MetricsSkeleton />;
  const proxies = item ? proxiesOf(saturation, item) : [];
  const isQuiet = (data.totals.all?.requestRate ?? 0) === 0;
  const shown = { fromMs: Math.max(data.fromMs, data.dataFromMs), toMs: data.at };
  // That nothing was recorded is another thing than that nobody called.
  const isUnrecorded = isQuiet && gapMs(data.gaps ?? [], shown) === shown.toMs - shown.fromMs;
  const compared = { service, range, comparison };
  return (
    <div className={styles.charts}>
      <div className={styles.wide}>
        <GoldenFigures metrics={data} fullest={proxies[0]} {...compared} />
        <UnrecordedNote fromMs={data.fromMs} toMs={data.at} gaps={data.gaps} />
      </div>
      {isQuiet ? (
        <div className={styles.wide}>
          <EmptyState title={t(isUnrecorded ? "metrics-unrecorded" : "metrics-none")}>
            {t(isUnrecorded ? "metrics-unrecorded-text" : "metrics-none-text")}
          </EmptyState>
        </div>
      ) : (
        <InboundCharts name={name} metrics={data} {...compared} />
      )}
      {item && !isQuiet && !data.connections?.only && <ExemplarsPanel hostname={item.hostname} range={range} />}
      {proxies.length > 0 && (
        <div className={styles.wide}>
          <Panel title={t("saturation")} hint={t("saturation-hint")} flush data-testid="service-saturation">
            <SaturationTable proxies={proxies} caption={t("saturation")} />
          </Panel>
        </div>
      )}
      {!isQuiet && (
        <div className={styles.wide}>
          <CallersTable metrics={data} />
        </div>
      )}
      {item && (
        <div className={styles.wide}>
          <LoadCharts hostname={item.hostname} />
        </div>
      )}
      {item && <OutboundPanel item={item} range={range} />}
      {item && <OwnMetrics item={item} />}
    </div>
  );
}

function MetricsSkeleton() {
  return (
    <div className={styles.charts} aria-hidden>
      {["rate", "errors", "latency", "spread"].map((name) => (
        <Panel key={name}>
          <SkeletonBlock height={chartHeight + 44} />
        </Panel>
      ))}
    </div>
  );
}
