import type { Endpoint } from "./endpoint.ts";

/** How the health of a priority is reckoned. */
export interface PriorityPolicy {
  /** In percent: healthy hosts carry so much more than their share before others have to help. */
  readonly overprovisioning: number;
  /** By the hosts' weights instead of their number. */
  readonly weightedHealth: boolean;
}

export const defaultPriorityPolicy: PriorityPolicy = { overprovisioning: 140, weightedHealth: false };

/** The hosts of one priority by their health. */
export interface HostSet {
  readonly priority: number;
  readonly hosts: readonly Endpoint[];
  readonly healthy: readonly Endpoint[];
  readonly degraded: readonly Endpoint[];
  /** Hosts that count for nothing. */
  readonly excluded: readonly Endpoint[];
}

/** Whole percents by priority; healthy and degraded together are 100. */
export interface PriorityLoad {
  readonly healthy: readonly number[];
  readonly degraded: readonly number[];
}

export interface PriorityState {
  readonly load: PriorityLoad;
  /** Who uses all hosts whatever their health, since too few are healthy. */
  readonly panics: readonly boolean[];
}

/** By priority, in order. */
export function hostSets(endpoints: readonly Endpoint[]): HostSet[] {
  return [...Map.groupBy(endpoints, ({ config }) => config.priority)]
    .sort(([a], [b]) => a - b)
    .map(([priority, hosts]) => ({
      priority,
      hosts,
      healthy: hosts.filter(({ health }) => health.healthy),
      degraded: hosts.filter(({ health }) => health.degraded),
      excluded: hosts.filter(({ health }) => health.excluded),
    }));
}

/**
 * Which priority gets how much, place by place as Envoy reckons it, so that a hash goes to the same one.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
 * @param panicThreshold in percent; 0: never
 */
export function priorityState(sets: readonly HostSet[], policy: PriorityPolicy, panicThreshold: number): PriorityState {
  if (sets.length === 0) return { load: { healthy: [], degraded: [] }, panics: [] };
  const healthy = sets.map((set) => availability(set, set.healthy, policy));
  const degraded = sets.map((set) => availability(set, set.degraded, policy));
  const total = Math.min(100, sum(healthy) + sum(degraded));
  if (panicThreshold === 0 && total === 0) return { load: allOnFirst(sets), panics: sets.map(() => false) };
  // As long as all priorities together carry everything, nobody panics, however few are left in one of them.
  const panics = sets.map((set) => total < 100 && healthyShare(set) < panicThreshold);
  const load = panics.every(Boolean) ? byHostCount(sets) : distribute(healthy, degraded, total);
  return { load, panics };
}

/** Loads for availabilities that may have been changed since, as retries do that look for another priority. */
export function distribute(healthy: readonly number[], degraded: readonly number[], total: number): PriorityLoad {
  let left = 100;
  const share = (available: number): number => {
    const load = total === 0 ? 0 : Math.min(left, Math.floor((available * 100) / total));
    left -= load;
    return load;
  };
  const load = { healthy: healthy.map(share), degraded: degraded.map(share) };
  // What rounding leaves goes to the first that is there at all.
  const first = healthy.findIndex((it) => it > 0);
  if (first !== -1) load.healthy[first] = (load.healthy[first] ?? 0) + left;
  else {
    const other = degraded.findIndex((it) => it > 0);
    if (other !== -1) load.degraded[other] = (load.degraded[other] ?? 0) + left;
  }
  return load;
}

/** 0–100: how much of its whole load a part of a priority can carry. */
export function availability(set: HostSet, part: readonly Endpoint[], policy: PriorityPolicy): number {
  const count = (hosts: readonly Endpoint[]) => (policy.weightedHealth ? weightOf(hosts) : hosts.length);
  const whole = count(set.hosts) - count(set.excluded);
  return whole <= 0 ? 0 : Math.min(100, Math.floor((policy.overprovisioning * count(part)) / whole));
}

function healthyShare({ hosts, healthy, degraded, excluded }: HostSet): number {
  const count = hosts.length - excluded.length;
  return count === 0 ? 0 : (100 * (healthy.length + degraded.length)) / count;
}

/** When everybody panics, health counts for nothing. */
function byHostCount(sets: readonly HostSet[]): PriorityLoad {
  const all = sets.reduce((total, { hosts }) => total + hosts.length, 0);
  const healthy = sets.map(({ hosts }) => Math.floor((100 * hosts.length) / all));
  healthy[0] = (healthy[0] ?? 0) + 100 - sum(healthy);
  return { healthy, degraded: sets.map(() => 0) };
}

const allOnFirst = (sets: readonly HostSet[]): PriorityLoad => ({
  healthy: sets.map((_, index) => (index === 0 ? 100 : 0)),
  degraded: sets.map(() => 0),
});

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const weightOf = (hosts: readonly Endpoint[]): number => hosts.reduce((total, { config }) => total + config.weight, 0);
