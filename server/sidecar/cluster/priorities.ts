import { modulo64 } from "../hash/word64.ts";
import { type Balancer, createBalancer } from "./balancer.ts";
import { type BalancerConfig, usesHash } from "./balancer-config.ts";
import { HashTables } from "./balancer-hash.ts";
import type { Endpoint } from "./endpoint.ts";

/** An endpoint set counts as whole while healthy × 1.4 covers it: Envoy's overprovisioning factor, in percent. */
const overprovisioning = 140;

/**
 * Spreads load over priorities by their health, and falls back to all endpoints of a priority when too few are healthy (panic).
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
 */
export function createPriorityBalancer(
  endpoints: readonly Endpoint[],
  config: BalancerConfig,
  panicThreshold: number,
  random: () => number,
  tables = new HashTables(),
): Balancer {
  tables.turn();
  const levels = byPriority(endpoints);
  const loads = loadOf(levels);
  const balancers = levels.map((level, index) => {
    const healthy = level.filter((endpoint) => endpoint.available);
    const panics = healthy.length / level.length < panicThreshold || (loads.panic && panicThreshold > 0);
    return {
      load: loads.shares[index] ?? 0,
      balancer: createBalancer(config, panics ? level : healthy, random, tables),
    };
  });
  const used = balancers.filter((entry) => entry.load > 0);
  const [only] = used;
  const hashes = usesHash(config);
  if (used.length <= 1) return only?.balancer ?? { pick: () => undefined };
  return {
    pick: (context, attempt) => {
      const at = hashes && context.hash !== undefined ? modulo64(context.hash, 100) : random() * 100;
      let end = 0;
      for (const entry of used) {
        end += entry.load;
        if (at < end) return entry.balancer.pick(context, attempt);
      }
      return only?.balancer.pick(context, attempt);
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

/** Whole percents, rounded as Envoy rounds them, so that a hash goes to the same priority. What rounding leaves goes to the first that carries any. */
function loadOf(levels: readonly Endpoint[][]): { shares: number[]; panic: boolean } {
  const health = levels.map((level) => {
    const healthy = level.filter((endpoint) => endpoint.available).length;
    return Math.min(100, Math.floor((overprovisioning * healthy) / level.length));
  });
  const total = Math.min(
    100,
    health.reduce((sum, value) => sum + value, 0),
  );
  // Nothing is healthy: all load on the first level, which panics if it may.
  if (total === 0) return { shares: levels.map((_, index) => (index === 0 ? 100 : 0)), panic: true };
  let left = 100;
  const shares = health.map((value) => {
    const share = Math.min(left, Math.floor((value * 100) / total));
    left -= share;
    return share;
  });
  const first = shares.findIndex((share) => share > 0);
  return { shares: shares.map((share, index) => (index === first ? share + left : share)), panic: false };
}
