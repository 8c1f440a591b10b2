import type { Health, Signals } from "./graph.ts";
import { type HealthThresholds, healthThresholds } from "./health-thresholds.ts";

export interface HealthOptions {
  /** False where a duration says nothing of how well it went: of TCP connections, and of streams. Default true. */
  timed?: boolean;
}

export function healthOf(signals: Signals, options?: HealthOptions): Health {
  if (signals.requestRate === 0) return "idle";
  return healthCause(signals, options)?.health ?? "healthy";
}

export interface HealthCause {
  health: "degraded" | "failing";
  by: keyof HealthThresholds;
  /** A share, or milliseconds of the p95; like its threshold. */
  value: number;
  threshold: number;
}

const isPast = (by: HealthCause["by"], value: number, threshold: number): boolean =>
  // Any error at all degrades; the other thresholds are reached.
  by === "errors" && threshold === 0 ? value > 0 : value >= threshold;

/** Why it is not healthy: which figure is past which threshold. Of several the gravest, errors before the others. Null when none is. */
export function healthCause(signals: Signals, { timed = true }: HealthOptions = {}): HealthCause | null {
  const values = {
    errors: signals.errorShare,
    clientErrors: signals.clientErrorShare,
    latencyMsP95: timed ? (signals.latencyMsP95 ?? 0) : 0,
  };
  const thresholds = signals.thresholds ?? healthThresholds;
  for (const health of ["failing", "degraded"] as const) {
    for (const by of ["errors", "clientErrors", "latencyMsP95"] as const) {
      const threshold = thresholds[by][health];
      if (isPast(by, values[by], threshold)) return { health, by, value: values[by], threshold };
    }
  }
  return null;
}

export type Tone = "plain" | "warn" | "bad";

function toneOf(by: HealthCause["by"], value: number, thresholds: HealthThresholds = healthThresholds): Tone {
  if (isPast(by, value, thresholds[by].failing)) return "bad";
  return isPast(by, value, thresholds[by].degraded) ? "warn" : "plain";
}

/** The colour of a share of errors, or of what is left of it: the same wherever the number stands. */
export const errorTone = ({ errorShare, thresholds }: Pick<Signals, "errorShare" | "thresholds">): Tone =>
  toneOf("errors", errorShare, thresholds);
/** The colour of a p95. */
export const latencyTone = ({ latencyMsP95, thresholds }: Pick<Signals, "latencyMsP95" | "thresholds">): Tone =>
  toneOf("latencyMsP95", latencyMsP95 ?? 0, thresholds);
