import type { Health, Signals } from "../../contract/index.ts";
import type { Decorator } from "../decorator.ts";

/**
 * Kiali's default thresholds for HTTP, as shares: any 5xx degrades and 10 % fail; 10 % of 4xx degrade and 20 % fail. No response at
 * all counts as 5xx. https://kiali.io/docs/configuration/health/
 */
const thresholds = {
  errors: { degraded: 0, failing: 0.1 },
  clientErrors: { degraded: 0.1, failing: 0.2 },
};

export function healthOf(signals: Signals): Health {
  if (signals.requestRate === 0) return "idle";
  const { errorShare, clientErrorShare } = signals;
  if (errorShare >= thresholds.errors.failing || clientErrorShare >= thresholds.clientErrors.failing) return "failing";
  if (errorShare > thresholds.errors.degraded || clientErrorShare >= thresholds.clientErrors.degraded)
    return "degraded";
  return "healthy";
}

export const addHealth: Decorator = (graph) => {
  for (const part of [...graph.nodes, ...graph.edges]) part.health = healthOf(part.signals);
};
