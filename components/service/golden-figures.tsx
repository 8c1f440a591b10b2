"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ProxySaturation, ServiceMetrics, Signals } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { Change } from "../metrics/change.tsx";
import { changeOf } from "../metrics/earlier-values.ts";
import styles from "../metrics/metrics.module.css";
import { SaturationValue } from "../metrics/saturation-value.tsx";
import { Kpi } from "../ui/kpi.tsx";
import { PillButton } from "../ui/pill.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { type Compared, useEarlierMetrics } from "./use-earlier-metrics.ts";

export interface GoldenFiguresProps extends Compared {
  metrics: ServiceMetrics;
  /** Of its proxies. */
  fullest: ProxySaturation | undefined;
  /** Nobody knows how many were asked. */
  isUnrecorded: boolean;
}

/** The four golden signals over the window, each with how it differs from the time that it is compared with. */
export function GoldenFigures({ metrics, fullest, isUnrecorded, ...compared }: GoldenFiguresProps) {
  const t = useTranslations("service");
  const url = useUrlState();
  const before = useEarlierMetrics(compared, metrics)?.metrics.totals.all;
  const signals = metrics.totals.all ?? quiet;
  const delta = (of: (signals: Signals) => number | null): ReactNode =>
    compared.comparison && (
      <span className={styles.delta} data-testid="delta">
        <Change of={changeOf(of(signals), before && of(before))} />
      </span>
    );
  const { connections } = metrics;
  const timed = !connections?.only;
  return (
    <div className={styles.golden}>
      <dl className={styles.figures} data-testid="service-golden">
        <Kpi label={t(timed ? "figure-rate" : "figure-connections")}>
          <NumberWithUnit value={isUnrecorded ? null : signals.requestRate} kind={timed ? "rps" : "per-second"} />
          {delta(({ requestRate }) => requestRate)}
        </Kpi>
        <Kpi label={t(timed ? "figure-errors" : "figure-failed")}>
          <ErrorShare signals={signals} />
          {delta(({ errorShare }) => errorShare)}
        </Kpi>
        {timed && (
          <>
            <Kpi label="p50">
              <NumberWithUnit value={signals.latencyMsP50} kind="ms" />
              {delta(({ latencyMsP50 }) => latencyMsP50)}
            </Kpi>
            <Kpi label="p95">
              <LatencyP95 signals={signals} />
              {delta(({ latencyMsP95 }) => latencyMsP95)}
            </Kpi>
          </>
        )}
        {connections && (
          <>
            <Kpi label={t("figure-sent")}>
              <NumberWithUnit value={connections.bytesPerSecond.sent} kind="bytes" />
            </Kpi>
            <Kpi label={t("figure-received")}>
              <NumberWithUnit value={connections.bytesPerSecond.received} kind="bytes" />
            </Kpi>
          </>
        )}
        <Kpi label={t("figure-saturation")}>
          <SaturationValue of={fullest} />
        </Kpi>
      </dl>
      <PillButton onClick={() => url.set({ thresholds: "edit" }, "push")} data-testid="edit-thresholds">
        {t("thresholds")}
      </PillButton>
    </div>
  );
}

const quiet: Signals = {
  requestRate: 0,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: null,
  latencyMsP90: null,
  latencyMsP95: null,
  latencyMsP99: null,
};
