import type { ServiceMetrics } from "../../server/contract/index.ts";

export interface ObservedShares {
  /** By version, 0..1. */
  shares: Record<string, number>;
  /** `window`: the last 10 s; `change`: only what came after the last change. */
  of: "window" | "change";
}

/** Fewer requests than this say nothing about shares. */
const fewestRequests = 8;
const windowMs = 10_000;

/**
 * What traffic does now. Right after a change the last 10 s are mostly of before it, so only whole steps since then count, as soon as they
 * hold enough requests.
 */
export function observedSince(metrics: ServiceMetrics, changedAt: number | null): ObservedShares {
  const all: ObservedShares = { shares: metrics.observedShares, of: "window" };
  if (changedAt === null || metrics.at - changedAt > windowMs + 2000 || changedAt > metrics.at) return all;
  const stepMs = metrics.stepSec * 1000;
  const first = Math.max(0, Math.ceil((changedAt - metrics.fromMs) / stepMs));
  const requests = metrics.series
    .filter(({ version }) => version !== "all")
    .map(({ version, requestRate }) => ({
      version,
      count: requestRate.slice(first).reduce<number>((sum, rate) => sum + (rate ?? 0) * metrics.stepSec, 0),
    }));
  const total = requests.reduce((sum, { count }) => sum + count, 0);
  if (total < fewestRequests) return all;
  return { shares: Object.fromEntries(requests.map(({ version, count }) => [version, count / total])), of: "change" };
}
