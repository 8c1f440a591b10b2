import { type Balancer, createBalancer } from "./balancer.ts";
import type { BalancerConfig } from "./cluster-config.ts";
import type { Endpoint } from "./endpoint.ts";

/** An endpoint set counts as whole while healthy × 1.4 covers it: Envoy's overprovisioning factor. */
const overprovisioning = 1.4;

/**
 * Spreads load over priorities by their health, and falls back to all endpoints of a priority when too few are healthy (panic).
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
 */
export function createPriorityBalancer(
  endpoints: readonly Endpoint[],
  config: BalancerConfig,
  panicThreshold: number,
  random: () => number,
): Balancer {
  const levels = byPriority(endpoints);
  const loads = loadOf(levels);
  const balancers = levels.map((level, index) => {
    const healthy = level.filter((endpoint) => endpoint.available);
    const panics = healthy.length / level.length < panicThreshold || (loads.panic && panicThreshold > 0);
    return { load: loads.shares[index] ?? 0, balancer: createBalancer(config, panics ? level : healthy, random) };
  });
  const used = balancers.filter((entry) => entry.load > 0);
  const [only] = used;
  if (used.length <= 1) return only?.balancer ?? { pick: () => undefined };
  return {
    pick: (context) => {
      let left = random();
      for (const entry of used) {
        left -= entry.load;
        if (left < 0) return entry.balancer.pick(context);
      }
      return only?.balancer.pick(context);
    },
  };
}

function byPriority(endpoints: readonly Endpoint[]): Endpoint[][] {
  const levels = new Map<number, Endpoint[]>();
  for (const endpoint of endpoints) {
    const level = levels.get(endpoint.config.priority);
    if (level === undefined) levels.set(endpoint.config.priority, [endpoint]);
    else level.push(endpoint);
  }
  return [...levels.entries()].sort(([a], [b]) => a - b).map(([, level]) => level);
}

function loadOf(levels: readonly Endpoint[][]): { shares: number[]; panic: boolean } {
  const health = levels.map((level) =>
    Math.min(1, (overprovisioning * level.filter((endpoint) => endpoint.available).length) / level.length),
  );
  const total = Math.min(
    1,
    health.reduce((sum, value) => sum + value, 0),
  );
  // Nothing is healthy: all load on the first level, which panics if it may.
  if (total === 0) return { shares: levels.map((_, index) => (index === 0 ? 1 : 0)), panic: true };
  let left = 1;
  const shares = health.map((value) => {
    const share = Math.min(left, value / total);
    left -= share;
    return share < 1e-9 ? 0 : share;
  });
  return { shares, panic: false };
}
