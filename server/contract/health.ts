import type { Health, Signals } from "./graph.ts";

/**
 * Kiali's default thresholds for HTTP, as shares: any 5xx degrades and 10 % fail; 10 % of 4xx degrade and 20 % fail. No response at
 * all counts as 5xx. https://kiali.io/docs/configuration/health/
 * Kiali has none for latency: here a p95 of a second is slow, and one of five as good as no answer, since that is what callers' own
 * timeouts make of it.
 */
export const healthThresholds = {
  errors: { degraded: 0, failing: 0.1 },
  clientErrors: { degraded: 0.1, failing: 0.2 },
  latencyMsP95: { degraded: 1000, failing: 5000 },
} as const;

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
  by: keyof typeof healthThresholds;
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
  for (const health of ["failing", "degraded"] as const) {
    for (const by of ["errors", "clientErrors", "latencyMsP95"] as const) {
      const threshold = healthThresholds[by][health];
      if (isPast(by, values[by], threshold)) return { health, by, value: values[by], threshold };
    }
  }
  return null;
}

export type Tone = "plain" | "warn" | "bad";

const toneOf = (by: HealthCause["by"], value: number): Tone =>
  isPast(by, value, healthThresholds[by].failing)
    ? "bad"
    : isPast(by, value, healthThresholds[by].degraded)
      ? "warn"
      : "plain";

/** The colour of a share of errors, or of what is left of it: the same wherever the number stands. */
export const errorTone = (errorShare: number): Tone => toneOf("errors", errorShare);
/** The colour of a p95. */
export const latencyTone = (latencyMsP95: number | null): Tone => toneOf("latencyMsP95", latencyMsP95 ?? 0);
