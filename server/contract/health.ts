import type { Health, Signals } from "./graph.ts";

/**
 * Kiali's default thresholds for HTTP, as shares: any 5xx degrades and 10 % fail; 10 % of 4xx degrade and 20 % fail. No response at
 * all counts as 5xx. https://kiali.io/docs/configuration/health/
 */
export const healthThresholds = {
  errors: { degraded: 0, failing: 0.1 },
  clientErrors: { degraded: 0.1, failing: 0.2 },
} as const;

export function healthOf(signals: Signals): Health {
  if (signals.requestRate === 0) return "idle";
  return healthCause(signals)?.health ?? "healthy";
}

/** Why it is not healthy: which share is past which threshold. Null when nothing is. */
export function healthCause({ errorShare, clientErrorShare }: Signals): {
  health: "degraded" | "failing";
  by: "errors" | "clientErrors";
  share: number;
  threshold: number;
} | null {
  const { errors, clientErrors } = healthThresholds;
  const because = (health: "degraded" | "failing", by: "errors" | "clientErrors") => ({
    health,
    by,
    share: by === "errors" ? errorShare : clientErrorShare,
    threshold: healthThresholds[by][health],
  });
  if (errorShare >= errors.failing) return because("failing", "errors");
  if (clientErrorShare >= clientErrors.failing) return because("failing", "clientErrors");
  if (errorShare > errors.degraded) return because("degraded", "errors");
  if (clientErrorShare >= clientErrors.degraded) return because("degraded", "clientErrors");
  return null;
}
