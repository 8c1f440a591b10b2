"use client";
import type { ReactNode } from "react";
import { errorTone, latencyTone, type Signals } from "../../server/contract/index.ts";
import { Compared } from "../metrics/compared.tsx";
import { Kpi } from "../ui/kpi.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";

/** The share that failed, in the colour that health gives it. Nothing was asked: nothing failed, and nothing is said. */
export const ErrorShare = ({ signals }: { signals: Signals }) =>
  signals.requestRate === 0 ? (
    <NumberWithUnit value={null} kind="share" />
  ) : (
    <NumberWithUnit value={signals.errorShare} kind="share" tone={errorTone(signals)} />
  );

/** The share that did not fail, in the same colour. */
export const SuccessShare = ({ signals }: { signals: Signals }) =>
  signals.requestRate === 0 ? (
    <NumberWithUnit value={null} kind="share" />
  ) : (
    <NumberWithUnit value={1 - signals.errorShare} kind="share" tone={errorTone(signals)} />
  );

export const LatencyP95 = ({ signals }: { signals: Signals }) => (
  <NumberWithUnit value={signals.latencyMsP95} kind="ms" tone={latencyTone(signals)} />
);

export interface SignalKpisProps {
  signals: Signals;
  /** In the time that they are compared with: null where there was nothing, undefined where nothing is compared. */
  before?: Signals | null | undefined;
  /** What each figure is called where it stands. */
  t: (key: "rps" | "success" | "p50" | "p95") => string;
}

/** The golden signals, in the order of every page; for a list of figures. */
export const SignalKpis = ({ signals, before, t }: SignalKpisProps) => {
  const compared = (of: (signals: Signals) => number | null, figure: ReactNode) => (
    <Compared now={signals} before={before} of={of}>
      {figure}
    </Compared>
  );
  return (
    <>
      <Kpi label={t("rps")}>
        {compared(({ requestRate }) => requestRate, <NumberWithUnit value={signals.requestRate} kind="rps" bare />)}
      </Kpi>
      <Kpi label={t("success")}>{compared(({ errorShare }) => 1 - errorShare, <SuccessShare signals={signals} />)}</Kpi>
      <Kpi label={t("p50")}>
        {compared(({ latencyMsP50 }) => latencyMsP50, <NumberWithUnit value={signals.latencyMsP50} kind="ms" />)}
      </Kpi>
      <Kpi label={t("p95")}>{compared(({ latencyMsP95 }) => latencyMsP95, <LatencyP95 signals={signals} />)}</Kpi>
    </>
  );
};
