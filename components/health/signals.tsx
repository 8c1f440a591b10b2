"use client";
import { errorTone, latencyTone, type Signals } from "../../server/contract/index.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";

/** The share that failed, in the colour that health gives it. Nothing was asked: nothing failed, and nothing is said. */
export const ErrorShare = ({ signals }: { signals: Signals }) =>
  signals.requestRate === 0 ? (
    <NumberWithUnit value={null} kind="share" />
  ) : (
    <NumberWithUnit value={signals.errorShare} kind="share" tone={errorTone(signals.errorShare)} />
  );

/** The share that did not fail, in the same colour. */
export const SuccessShare = ({ signals }: { signals: Signals }) =>
  signals.requestRate === 0 ? (
    <NumberWithUnit value={null} kind="share" />
  ) : (
    <NumberWithUnit value={1 - signals.errorShare} kind="share" tone={errorTone(signals.errorShare)} />
  );

export const LatencyP95 = ({ signals: { latencyMsP95 } }: { signals: Signals }) => (
  <NumberWithUnit value={latencyMsP95} kind="ms" tone={latencyTone(latencyMsP95)} />
);
