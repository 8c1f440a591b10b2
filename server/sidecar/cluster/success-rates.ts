import type { Endpoint, OutlierState, SuccessRate } from "./endpoint.ts";
import type { OutlierConfig } from "./outlier-config.ts";

/** How the endpoints of a cluster did in one interval, in percent; -1: there was too little to say. */
export interface RateSummary {
  readonly average: number;
  readonly threshold: number;
}

export const unknownRates: RateSummary = { average: -1, threshold: -1 };

/** What one endpoint did in an interval. */
export interface Interval {
  readonly endpoint: Endpoint;
  readonly external: Volume;
  readonly local: Volume;
}

export interface Volume {
  readonly total: number;
  readonly success: number;
}

/** Takes what the interval has brought, and begins the next. */
export function closeInterval({ external, local }: OutlierState): Omit<Interval, "endpoint"> {
  return { external: take(external), local: take(local) };
}

function take(counted: SuccessRate): Volume {
  const { total, success } = counted;
  counted.total = 0;
  counted.success = 0;
  counted.rate = -1;
  return { total, success };
}

/** Tells `detect` of endpoints that succeed much less often than the others: by so many standard deviations. */
export function successRates(
  config: OutlierConfig,
  intervals: readonly Interval[],
  kind: "external" | "local",
  detect: (endpoint: Endpoint) => void,
): RateSummary {
  const volume = Math.min(config.successRateRequestVolume, config.failurePercentageRequestVolume);
  for (const { endpoint, rate } of rated(intervals, kind, volume)) endpoint.outlier[kind].rate = rate;
  const judged = rated(intervals, kind, config.successRateRequestVolume);
  if (judged.length === 0 || judged.length < config.successRateMinimumHosts) return unknownRates;
  const average = judged.reduce((sum, { rate }) => sum + rate, 0) / judged.length;
  const variance = judged.reduce((sum, { rate }) => sum + (rate - average) ** 2, 0) / judged.length;
  const threshold = average - config.successRateStdevFactor * Math.sqrt(variance);
  for (const { endpoint, rate } of judged) if (rate < threshold) detect(endpoint);
  return { average, threshold };
}

/** Tells `detect` of endpoints that fail too often, whatever the others do. */
export function failurePercentages(
  config: OutlierConfig,
  intervals: readonly Interval[],
  kind: "external" | "local",
  detect: (endpoint: Endpoint) => void,
): void {
  const judged = rated(intervals, kind, config.failurePercentageRequestVolume);
  if (judged.length === 0 || judged.length < config.failurePercentageMinimumHosts) return;
  for (const { endpoint, rate } of judged) if (100 - rate >= config.failurePercentageThreshold) detect(endpoint);
}

/** Those with enough requests. */
function rated(intervals: readonly Interval[], kind: "external" | "local", volume: number) {
  return intervals
    .filter(({ [kind]: { total } }) => total > 0 && total >= volume)
    .map(({ endpoint, [kind]: { total, success } }) => ({ endpoint, rate: (success * 100) / total }));
}
