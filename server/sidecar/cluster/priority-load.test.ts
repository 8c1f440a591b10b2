import { expect, it } from "vitest";
import { HealthFlag } from "./health-flags.ts";
import { hostSets, priorityState } from "./priority-load.ts";
import { testEndpoint } from "./testing/endpoint.ts";

const policy = { overprovisioning: 140, weightedHealth: false };

/** Of ten hosts so many are healthy, and so many of the rest degraded. */
const level = (priority: number, healthy: number, degraded = 0, hosts = 10) =>
  Array.from({ length: hosts }, (_, i) => {
    const other = i < healthy + degraded ? HealthFlag.degradedEdsHealth : HealthFlag.failedEdsHealth;
    return testEndpoint(priority * 100 + i, { priority, healthFlag: i < healthy ? 0 : other });
  });

// The tables of https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
it.each<[string, [number, number][], number[], number[]]>([
  [
    "all healthy",
    [
      [10, 0],
      [10, 0],
    ],
    [100, 0],
    [0, 0],
  ],
  [
    "72 % of the first",
    [
      [8, 0],
      [10, 0],
    ],
    [100, 0],
    [0, 0],
  ],
  [
    "half of the first",
    [
      [5, 0],
      [10, 0],
    ],
    [70, 30],
    [0, 0],
  ],
  [
    "a quarter of each, scaled",
    [
      [3, 0],
      [3, 0],
    ],
    [50, 50],
    [0, 0],
  ],
  [
    "none of the first",
    [
      [0, 0],
      [10, 0],
    ],
    [0, 100],
    [0, 0],
  ],
  ["degraded hosts help out before the next priority does not", [[5, 5]], [70], [30]],
  [
    "healthy hosts of the next go before degraded ones",
    [
      [5, 5],
      [10, 0],
    ],
    [70, 30],
    [0, 0],
  ],
  [
    "two levels, scaled with what rounding leaves",
    [
      [1, 2],
      [2, 1],
      [1, 0],
    ],
    [14, 28, 14],
    [28, 14, 0],
  ],
])("loads by priority: %s", (_, levels, healthy, degraded) => {
  const endpoints = levels.flatMap(([count, worse], priority) => level(priority, count, worse));
  const { load } = priorityState(hostSets(endpoints), policy, 0);
  // The last case as Envoy's comment has it: 14/28/14 and 28/14 are 98, and the first gets the other two.
  const first = healthy[0] ?? 0;
  const rest = 100 - [...healthy, ...degraded].reduce((sum, it) => sum + it, 0);
  expect(load).toEqual({ healthy: [first + rest, ...healthy.slice(1)], degraded });
});

it("as long as all priorities together carry everything, none panics", () => {
  const state = priorityState(hostSets([...level(0, 1), ...level(1, 10)]), policy, 50);
  expect(state).toEqual({ load: { healthy: [14, 86], degraded: [0, 0] }, panics: [false, false] });
});

it("one of several panics by itself, and all together by their number of hosts", () => {
  const some = priorityState(hostSets([...level(0, 1), ...level(1, 6, 0, 12)]), policy, 40);
  expect(some).toEqual({ load: { healthy: [17, 83], degraded: [0, 0] }, panics: [true, false] });
  const all = priorityState(hostSets([...level(0, 1, 0, 4), ...level(1, 0, 0, 2)]), policy, 50);
  expect(all).toEqual({ load: { healthy: [67, 33], degraded: [0, 0] }, panics: [true, true] });
});

it("nobody well and no panic: all on the first, where nobody is", () => {
  const state = priorityState(hostSets([...level(0, 0), ...level(1, 0)]), policy, 0);
  expect(state).toEqual({ load: { healthy: [100, 0], degraded: [0, 0] }, panics: [false, false] });
});

it("hosts that are not to be counted don't make a priority look ill", () => {
  const endpoints = [...level(0, 5), ...level(1, 10)];
  for (const { health } of endpoints.slice(5, 10)) health.set(HealthFlag.pendingActiveCheck);
  expect(priorityState(hostSets(endpoints), policy, 50).load.healthy).toEqual([100, 0]);
});

it("goes by weights, and by another factor, where the assignment says so", () => {
  const [heavy, light] = [testEndpoint(1, { weight: 9 }), testEndpoint(2, { healthFlag: HealthFlag.failedEdsHealth })];
  const sets = hostSets([heavy, light, testEndpoint(3, { priority: 1 })]);
  expect(priorityState(sets, { ...policy, overprovisioning: 100 }, 0).load.healthy).toEqual([50, 50]);
  expect(priorityState(sets, { overprovisioning: 100, weightedHealth: true }, 0).load.healthy).toEqual([90, 10]);
});
