"use client";
import { useEffect, useState } from "react";
import { losesTelemetry, type MeshStatus, type TelemetryHealth } from "../../server/contract/index.ts";
import type { Live } from "../lib/live.ts";

export interface Freshness {
  /** `quiet`: nobody calls, and that is all there is to it. */
  state: "live" | "quiet" | "stale" | "waiting";
  /** What is seen is of this moment, Unix milliseconds. */
  of: number | null;
  /** Why it is stale. */
  reason: "dashboard" | "control-plane" | "telemetry" | "collector" | "silent" | null;
  /** What the collector gave up, ignored or could not write, as far as there is anything. */
  losses?: TelemetryHealth | undefined;
}

const readLimitMs = 8000;
const quietLimitMs = 15_000;

/** Is what is seen live, and if not, of when and why. Marks the document, so that numbers can dim (`data-stale`). */
export function useFreshness(live: Live<MeshStatus>): Freshness {
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const freshness = now === null ? initialFreshness(live.data) : freshnessAt(live, now);
  const stale = freshness.state === "stale";
  useEffect(() => {
    document.documentElement.dataset.stale = String(stale);
  }, [stale]);
  return freshness;
}

const initialFreshness = (status: MeshStatus | undefined): Freshness => ({
  state: status ? "live" : "waiting",
  of: status?.freshAt ?? null,
  reason: null,
});

export function freshnessAt(
  { data, readAt, error }: Pick<Live<MeshStatus>, "data" | "readAt" | "error">,
  now: number,
): Freshness {
  if (!data) return { state: error ? "stale" : "waiting", of: null, reason: error ? "dashboard" : null };
  if (error && now - readAt > readLimitMs) return { state: "stale", of: data.freshAt ?? readAt, reason: "dashboard" };
  if (!data.telemetry.reachable) return { state: "stale", of: data.freshAt, reason: "telemetry" };
  const { collector } = data.telemetry;
  if (collector?.ok === false) return { state: "stale", of: data.freshAt, reason: "collector", losses: collector };
  if (!data.controlPlane.reachable) return { state: "stale", of: data.controlPlane.since, reason: "control-plane" };
  const { silentSince } = data.telemetry;
  if (silentSince !== null) return { state: "stale", of: silentSince, reason: "silent" };
  const losses = collector && losesTelemetry(collector) ? collector : undefined;
  if (data.freshAt === null) return { state: "waiting", of: null, reason: null, losses };
  if (data.at - data.freshAt > quietLimitMs) return { state: "quiet", of: data.freshAt, reason: null, losses };
  return { state: "live", of: data.freshAt, reason: null, losses };
}
