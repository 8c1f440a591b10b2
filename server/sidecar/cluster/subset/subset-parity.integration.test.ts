import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, lbEndpoint, type TestPlane } from "../../test-plane.ts";
import { envoyMissing, RealEnvoy } from "../../testing/real-envoy.ts";

// The same clusters, split by the same metadata, in real Envoy and in our data path: for what a request asks for, the same endpoints answer, and as often.

const fixtures = new Fixtures();
let ours: TestPlane;
let theirs: RealEnvoy;

/** What the endpoints are labelled with, in their order. */
const labels: JsonObject[] = [
  { version: "1", stage: "prod", zone: "a" },
  { version: "1", stage: "dev", zone: "b" },
  { version: "2", stage: "prod", zone: "a" },
  { version: "2", stage: "prod", tags: ["x", "y"], number: 7 },
  { version: "3", stage: "canary", tags: ["y"], shape: { a: 1, b: [true, null] } },
  {},
];

const subsets: Record<string, JsonObject> = {
  none: { subset_selectors: [{ keys: ["version"] }, { keys: ["stage", "version"] }] },
  any: { fallback_policy: "ANY_ENDPOINT", subset_selectors: [{ keys: ["version"] }] },
  default: {
    fallback_policy: "DEFAULT_SUBSET",
    default_subset: { stage: "prod" },
    subset_selectors: [{ keys: ["version"] }, { keys: ["version", "stage"] }],
  },
  everybody: { fallback_policy: "DEFAULT_SUBSET", subset_selectors: [{ keys: ["version"] }] },
  panic: {
    fallback_policy: "DEFAULT_SUBSET",
    default_subset: { stage: "nowhere" },
    panic_mode_any: true,
    subset_selectors: [{ keys: ["version"] }],
  },
  selectors: {
    fallback_policy: "ANY_ENDPOINT",
    default_subset: { version: "3" },
    subset_selectors: [
      { keys: ["version"], fallback_policy: "NO_FALLBACK" },
      { keys: ["stage"], fallback_policy: "DEFAULT_SUBSET" },
      { keys: ["zone"], fallback_policy: "ANY_ENDPOINT" },
      { keys: ["stage", "version"], fallback_policy: "KEYS_SUBSET", fallback_keys_subset: ["version"] },
      {
        keys: ["stage", "version", "zone"],
        fallback_policy: "KEYS_SUBSET",
        fallback_keys_subset: ["stage", "version"],
      },
    ],
  },
  // The second's keys are the first of the first's: Envoy then knows no fallback of it.
  hidden: {
    fallback_policy: "ANY_ENDPOINT",
    subset_selectors: [{ keys: ["stage", "version"] }, { keys: ["stage"], fallback_policy: "NO_FALLBACK" }],
  },
  lists: { list_as_any: true, subset_selectors: [{ keys: ["tags"] }, { keys: ["tags", "version"] }] },
  whole: { subset_selectors: [{ keys: ["tags"] }, { keys: ["number"] }, { keys: ["shape"] }] },
  single: { subset_selectors: [{ keys: ["version"], single_host_per_subset: true }] },
  list: {
    metadata_fallback_policy: "FALLBACK_LIST",
    fallback_policy: "ANY_ENDPOINT",
    subset_selectors: [{ keys: ["version"], fallback_policy: "NO_FALLBACK" }, { keys: ["stage", "version"] }],
  },
};

const criteria: Record<string, JsonObject> = {
  nothing: {},
  v1: { version: "1" },
  v2: { version: "2" },
  v9: { version: "9" },
  number: { number: 7 },
  text: { number: "7" },
  shape: { shape: { b: [true, null], a: 1 } },
  x: { tags: "x" },
  y: { tags: "y" },
  both: { tags: ["x", "y"] },
  "y-v2": { tags: "y", version: "2" },
  "prod-v2": { stage: "prod", version: "2" },
  "dev-v2": { stage: "dev", version: "2" },
  "dev-v9": { stage: "dev", version: "9" },
  "dev-v2-b": { stage: "dev", version: "2", zone: "b" },
  nostage: { stage: "no" },
  nozone: { zone: "z" },
  unknown: { unknown: "1" },
  redundant: { unknown: "1", version: "1" },
  listed: { fallback_list: [{ version: "9" }, { version: "3" }, { version: "1" }] },
  "listed-more": { stage: "prod", fallback_list: [{ version: "1" }] },
  "listed-in-vain": { fallback_list: [{ version: "8" }, { version: "9" }] },
  "listed-none": { version: "1", fallback_list: [] },
};

const lb = (values: JsonObject): JsonObject => ({ filter_metadata: { "envoy.lb": values } });

const rounds: JsonObject = {
  "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin",
};
const typed = (config: JsonObject): JsonObject => ({
  load_balancing_policy: {
    policies: [
      {
        typed_extension_config: {
          name: "envoy.load_balancing_policies.subset",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset",
            ...config,
            subset_lb_policy: {
              policies: [
                { typed_extension_config: { name: "envoy.load_balancing_policies.round_robin", typed_config: rounds } },
              ],
            },
          },
        },
      },
    ],
  },
});

function cluster(name: string, ports: readonly number[], fields: JsonObject): JsonObject {
  const lb_endpoints = ports.map((port, i) => ({ ...lbEndpoint(port), metadata: lb(labels[i] ?? {}) }));
  return {
    name,
    type: "STATIC",
    connect_timeout: "30s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] },
    ...fields,
  };
}

const typedSubsets: Record<string, JsonObject> = {
  "typed-none": typed(subsets.none as JsonObject),
  redundant: typed({ ...(subsets.none as JsonObject), allow_redundant_keys: true }),
};

function options(ports: readonly number[]) {
  const clusters = [
    ...Object.entries(subsets).map(([name, lb_subset_config]) => cluster(name, ports, { lb_subset_config })),
    ...Object.entries(typedSubsets).map(([name, fields]) => cluster(name, ports, fields)),
  ];
  const routes: JsonValue[] = clusters.flatMap(({ name }) =>
    Object.entries(criteria).map(([asked, values]) => ({
      match: { prefix: `/${name}/${asked}/` },
      route: { cluster: name as string, metadata_match: lb(values) },
    })),
  );
  routes.push(
    { match: { prefix: "/silent/" }, route: { cluster: "any" } },
    {
      match: { prefix: "/weighted/" },
      route: {
        metadata_match: lb({ version: "2" }),
        weighted_clusters: { clusters: [{ name: "none", weight: 1, metadata_match: lb({ stage: "prod" }) }] },
      },
    },
    {
      match: { prefix: "/over/" },
      route: {
        metadata_match: lb({ version: "2" }),
        weighted_clusters: { clusters: [{ name: "none", weight: 1, metadata_match: lb({ version: "1" }) }] },
      },
    },
  );
  // What a filter says of a request goes before its route's word.
  const filters: JsonValue[] = [
    {
      name: "envoy.filters.http.header_to_metadata",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
        request_rules: [
          {
            header: "x-version",
            on_header_present: { metadata_namespace: "envoy.lb", key: "version", type: "STRING" },
          },
        ],
      },
    },
  ];
  return { clusters, routes, filters };
}

beforeAll(async () => {
  if (envoyMissing) return;
  const ports: number[] = [];
  for (let i = 0; i < labels.length; i++) ports.push(await fixtures.http((_, response) => response.end(`${i}`)));
  const config = options(ports);
  ours = await fixtures.plane(config);
  theirs = await RealEnvoy.start(config);
});

afterAll(() => {
  theirs?.close();
  fixtures.close();
});

/** Who answers twelve requests, and how often: round robin shares them evenly. */
async function shares(
  port: number,
  path: string,
  headers: Record<string, string> = {},
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 12; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    const key = answer.ok ? await answer.text() : `${answer.status} ${await answer.text()}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

describe.skipIf(envoyMissing)("subsets as Envoy has them", () => {
  it.each([...Object.keys(subsets), ...Object.keys(typedSubsets)])("%s", async (name) => {
    for (const asked of Object.keys(criteria)) {
      const path = `/${name}/${asked}/`;
      expect({ path, shares: await shares(ours.port, path) }).toEqual({
        path,
        shares: await shares(theirs.port, path),
      });
    }
    for (const stat of ["selected", "fallback", "fallback_panic"]) {
      const full = `cluster.${name}.lb_subsets_${stat}`;
      expect({ full, value: ours.counter(full) }).toEqual({ full, value: await theirs.stat(full) });
    }
    const duplicates = `cluster.${name}.lb_subsets_single_host_per_subset_duplicate`;
    expect(ours.gauge(duplicates)).toBe(await theirs.stat(duplicates));
    // Each of Envoy's threads counts its own; there are two.
    const active = `cluster.${name}.lb_subsets_active`;
    expect(2 * ours.gauge(active)).toBe(await theirs.stat(active));
  });

  it.each(["/silent/", "/weighted/", "/over/"])("route %s", async (path) => {
    expect(await shares(ours.port, path)).toEqual(await shares(theirs.port, path));
  });

  it("metadata of the request goes before the route's", async () => {
    for (const path of ["/none/v1/", "/silent/", "/default/nothing/", "/none/prod-v2/"]) {
      const headers = { "x-version": "3" };
      expect(await shares(ours.port, path, headers)).toEqual(await shares(theirs.port, path, headers));
    }
  });
});
