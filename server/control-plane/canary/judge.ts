import type { CanarySpec } from "../../config/kinds/index.ts";
import type { CanaryFault, CanaryFigures, CanaryObserved, CanaryThresholds } from "../../contract/index.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";

/** Below it a ratio of latencies says nothing: 2 ms are three times 0.7 ms, and nobody waits longer. */
const ratioFromMs = 100;

export function thresholdsOf({ thresholds = {} }: Pick<CanarySpec, "thresholds">): CanaryThresholds {
  const { minRequests = 50, successRate = { min: 99, maxDrop: 1 }, latencyP95 = { maxRatio: 2 } } = thresholds;
  return {
    minRequests,
    successMin: successRate.min ?? null,
    successDrop: successRate.maxDrop ?? null,
    latencyMaxMs: latencyP95.max === undefined ? null : (parseGoDuration(latencyP95.max) ?? null),
    latencyRatio: latencyP95.maxRatio ?? null,
  };
}

export type Verdict = { is: "fine" } | { is: "few" } | { is: "worse"; fault: CanaryFault };

export interface JudgeInput {
  observed: CanaryObserved;
  /** What the old version did before this step, for when it has no requests any more. */
  earlier: CanaryFigures | undefined;
  /** The old version has no share of this step. */
  oldIsIdle: boolean;
  limits: CanaryThresholds;
}

/** Whether the new version is worse than it may be; `few` while there are too few requests to say that it is not. */
export function judge({ observed: { from, to }, earlier, oldIsIdle, limits }: JudgeInput): Verdict {
  if (to.requests < limits.minRequests) return { is: "few" };
  const old = [from, earlier].find((figures) => (figures?.requests ?? 0) >= limits.minRequests);
  const fault = absoluteFault(to, limits) ?? (old && relativeFault(old, to, limits));
  if (fault) return { is: "worse", fault };
  const comparing = limits.successDrop !== null || limits.latencyRatio !== null;
  return comparing && old === undefined && !oldIsIdle ? { is: "few" } : { is: "fine" };
}

function absoluteFault(to: CanaryFigures, limits: CanaryThresholds): CanaryFault | undefined {
  const { successMin, latencyMaxMs } = limits;
  if (successMin !== null && to.successRate !== null && to.successRate < successMin)
    return { by: "success-min", value: to.successRate, limit: successMin };
  if (latencyMaxMs !== null && to.latencyMsP95 !== null && to.latencyMsP95 > latencyMaxMs)
    return { by: "latency-max", value: to.latencyMsP95, limit: latencyMaxMs };
  return undefined;
}

function relativeFault(old: CanaryFigures, to: CanaryFigures, limits: CanaryThresholds): CanaryFault | undefined {
  const { successDrop, latencyRatio } = limits;
  const drop = (old.successRate ?? 0) - (to.successRate ?? 0);
  if (successDrop !== null && drop > successDrop)
    return { by: "success-drop", value: Math.round(drop * 100) / 100, limit: successDrop };
  const [before, after] = [old.latencyMsP95 ?? 0, to.latencyMsP95 ?? 0];
  if (latencyRatio === null || before === 0 || after < ratioFromMs || after <= before * latencyRatio) return undefined;
  return { by: "latency-ratio", value: Math.round((after / before) * 100) / 100, limit: latencyRatio };
}
