import { expect, it } from "vitest";
import { MatchCriteria } from "../match/criteria.ts";
import { Stats } from "../stats.ts";
import { clusterFrom } from "../test-plane.ts";
import { fileSecrets } from "../tls/file-secret.ts";
import { anyHost } from "./balancer.ts";
import { HashTables } from "./balancer-hash.ts";
import { ClusterBalancer } from "./cluster-balancer.ts";
import { compileCluster } from "./cluster-config.ts";
import { ClusterStats } from "./cluster-stats.ts";
import { defaultPriorityPolicy } from "./priority-load.ts";
import { testEndpoint } from "./testing/endpoint.ts";

/** Two localities of weight 30 and 10: of the first's three endpoints one is in the subset, of the second's one it is. */
const endpoints = [
  { region: "a", weight: 30, version: "1" },
  { region: "a", weight: 30, version: "2" },
  { region: "a", weight: 30, version: "2" },
  { region: "b", weight: 10, version: "1" },
].map(({ region, weight, version }, i) =>
  testEndpoint(i, {
    locality: { region, zone: "", subZone: "", weight },
    metadata: { "envoy.lb": { version } },
  }),
);

/** Of forty picks in the subset, how many came to the first locality. */
function share(subset: Record<string, boolean>): number {
  const config = compileCluster(
    clusterFrom({
      name: "c",
      common_lb_config: { locality_weighted_lb_config: {} },
      lb_subset_config: { subset_selectors: [{ keys: ["version"] }], ...subset },
    }),
    fileSecrets,
  );
  const stats = new Stats();
  const io = { stats, random: () => 0, now: () => 0 };
  const parts = {
    config,
    policy: defaultPriorityPolicy,
    tables: new HashTables(),
    stats: new ClusterStats(stats, "c"),
    io,
  };
  const { picker } = new ClusterBalancer(endpoints, parts, undefined);
  const criteria = new MatchCriteria({ version: "1" });
  let first = 0;
  for (let i = 0; i < 40; i++) if (picker.pick({ ...anyHost, criteria })?.config.port === 0) first++;
  return first;
}

it.each([
  ["have no weight in a subset by themselves", {}, 20],
  ["keep theirs where it says so", { locality_weight_aware: true }, 30],
  [
    "have less by what the subset has of their endpoints",
    { locality_weight_aware: true, scale_locality_weight: true },
    20,
  ],
])("localities %s", (_, subset, first) => {
  expect(share(subset)).toBe(first);
});
