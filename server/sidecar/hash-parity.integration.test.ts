import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, lbEndpoint, staticCluster, type TestPlane } from "./test-plane.ts";
import { envoyMissing, RealEnvoy } from "./testing/real-envoy.ts";

// The same keys through real Envoy and through our data path, to the same endpoints: each has to arrive at the same one.

const fixtures = new Fixtures();
let ours: TestPlane;
let theirs: RealEnvoy;

const policy = (name: string, type: string, config: JsonObject): JsonObject => ({
  load_balancing_policy: {
    policies: [
      {
        typed_extension_config: {
          name: `envoy.load_balancing_policies.${name}`,
          typed_config: {
            "@type": `type.googleapis.com/envoy.extensions.load_balancing_policies.${name}.v3.${type}`,
            ...config,
          },
        },
      },
    ],
  },
});

const weighted = (assignment: JsonValue | undefined): JsonValue => {
  const copy = structuredClone(assignment) as { endpoints: { lb_endpoints: JsonObject[] }[] };
  for (const { lb_endpoints } of copy.endpoints) {
    for (const [i, endpoint] of lb_endpoints.entries()) endpoint.load_balancing_weight = i + 1;
  }
  return copy as unknown as JsonValue;
};

const balancers: Record<string, JsonObject> = {
  ring: { lb_policy: "RING_HASH" },
  murmur: {
    lb_policy: "RING_HASH",
    ring_hash_lb_config: { hash_function: "MURMUR_HASH_2", minimum_ring_size: 100, maximum_ring_size: 4000 },
  },
  tiny: { lb_policy: "RING_HASH", ring_hash_lb_config: { minimum_ring_size: 7, maximum_ring_size: 7 } },
  maglev: { lb_policy: "MAGLEV" },
  small: { lb_policy: "MAGLEV", maglev_lb_config: { table_size: 251 } },
  "typed-ring": policy("ring_hash", "RingHash", { minimum_ring_size: 300, hash_function: "MURMUR_HASH_2" }),
  "typed-maglev": policy("maglev", "Maglev", { table_size: 503 }),
};

/** The same hosts in two localities of other weights, and a third without any. */
const inLocalities = (ports: number[]): JsonValue => ({
  endpoints: [
    ["a", 70, ports.slice(0, 2)] as const,
    ["b", 30, ports.slice(2, 5)] as const,
    ["c", 0, ports.slice(5)] as const,
  ].map(([region, weight, members]) => ({
    locality: { region },
    ...(weight > 0 && { load_balancing_weight: weight }),
    lb_endpoints: members.map(lbEndpoint),
  })),
});

const byLocality = { common_lb_config: { locality_weighted_lb_config: {} } };

const header = (name: string, more: JsonObject = {}): JsonObject => ({ header: { header_name: name, ...more } });
const policies: Record<string, JsonValue[]> = {
  header: [header("x-user")],
  rewritten: [header("x-user", { regex_rewrite: { pattern: { regex: "\\d$" }, substitution: "" } })],
  query: [{ query_parameter: { name: "user" } }],
  cookie: [{ cookie: { name: "session" } }],
  combined: [header("x-none"), header("x-user"), { query_parameter: { name: "user" } }],
  terminal: [{ ...header("x-user"), terminal: true }, { query_parameter: { name: "user" } }],
  address: [{ connection_properties: { source_ip: true } }],
  source: [header("x-user"), { connection_properties: { source_ip: true } }],
};

function options(ports: number[]) {
  const clusters = Object.entries(balancers).flatMap(([name, fields]) => {
    const plain = staticCluster(name, ports, { ...fields, connect_timeout: "30s" });
    const heavy = staticCluster(`${name}-weighted`, ports, { ...fields, connect_timeout: "30s" });
    return [plain, { ...heavy, load_assignment: weighted(heavy.load_assignment) }];
  });
  for (const lb_policy of ["RING_HASH", "MAGLEV"]) {
    const assignment = inLocalities(ports) as JsonObject;
    const load_assignment = { cluster_name: `localities-${lb_policy}`, ...assignment };
    clusters.push({ ...staticCluster(`localities-${lb_policy}`, []), lb_policy, ...byLocality, load_assignment });
  }
  const route = (path: string, cluster: string, hash_policy: JsonValue[], more: JsonObject = {}): JsonValue => ({
    match: { prefix: path },
    route: { cluster, hash_policy, ...more },
  });
  const retry_policy = {
    retry_on: "5xx",
    num_retries: 2,
    host_selection_retry_max_attempts: 5,
    retry_back_off: { base_interval: "0.001s" },
    retry_host_predicate: [
      {
        name: "envoy.retry_host_predicates.previous_hosts",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
        },
      },
    ],
  };
  const made = { name: "made", ttl: "90s", path: "/p", attributes: [{ name: "SameSite", value: "Lax" }] };
  const routes = [
    ...clusters.map(({ name }) => route(`/balancer/${name}/`, name as string, policies.header ?? [])),
    ...Object.entries(policies).map(([name, hashes]) => route(`/policy/${name}/`, "ring", hashes)),
    ...["ring", "maglev"].map((name) => route(`/503/${name}/`, name, policies.header ?? [], { retry_policy })),
    route("/made/", "ring", [{ cookie: made }]),
  ];
  return { clusters, routes };
}

beforeAll(async () => {
  if (envoyMissing) return;
  const ports: number[] = [];
  for (let i = 0; i < 6; i++) {
    const port = await fixtures.http((request, response) => {
      tried.push(i);
      response.statusCode = request.url?.startsWith("/503") ? 503 : 200;
      response.end(`endpoint ${i}`);
    });
    ports.push(port);
  }
  const config = options(ports);
  ours = await fixtures.plane(config);
  theirs = await RealEnvoy.start(config);
});

afterAll(() => {
  theirs?.close();
  fixtures.close();
});

/** Endpoints that requests came to, in order. */
const tried: number[] = [];

const keys = Array.from({ length: 100 }, (_, i) => `user-${i * 7919}`);

async function picks(port: number, path: string): Promise<string[]> {
  const answers: string[] = [];
  for (const key of keys) {
    const url = `http://127.0.0.1:${port}${path}?user=${key}`;
    const answer = await fetch(url, {
      headers: {
        "x-user": key,
        "x-forwarded-for": `1.2.3.4,10.1.2.${Number(key.slice(5)) % 256}`,
        cookie: `a=b; session="${key}"`,
      },
    });
    answers.push(await answer.text());
  }
  return answers;
}

describe.skipIf(envoyMissing)("picks what Envoy picks", () => {
  const names = Object.keys(balancers);
  it.each([...names, ...names.map((name) => `${name}-weighted`), "localities-RING_HASH", "localities-MAGLEV"])(
    "balancer %s",
    async (name) => {
      const picked = await picks(theirs.port, `/balancer/${name}/`);
      expect(new Set(picked).size).toBeGreaterThan(2);
      expect(await picks(ours.port, `/balancer/${name}/`)).toEqual(picked);
    },
  );

  it.each(Object.keys(policies))("hash policy %s", async (name) => {
    expect(await picks(ours.port, `/policy/${name}/`)).toEqual(await picks(theirs.port, `/policy/${name}/`));
  });

  it("a header sent twice", async () => {
    const twice = async (port: number, [one, other]: string[]) => {
      const client = await fixtures.client(port);
      client.send(
        `GET /policy/header/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-User: ${one}\r\nX-User: ${other}\r\n\r\n`,
      );
      return (await client.untilEnd()).match(/endpoint \d/)?.[0] ?? client.received;
    };
    for (const key of keys.slice(0, 20)) {
      const picked = await twice(theirs.port, [key, "b"]);
      expect(await twice(ours.port, [key, "b"])).toBe(picked);
      expect(await twice(ours.port, ["b", key])).toBe(picked);
    }
  });

  it.each(["ring", "maglev"])("retries of %s go to the same others", async (name) => {
    const order = async (port: number) => {
      tried.length = 0;
      await picks(port, `/503/${name}/`);
      return [...tried];
    };
    const asked = await order(theirs.port);
    expect(asked).toHaveLength(300);
    expect(await order(ours.port)).toEqual(asked);
  });

  it("a cookie is made alike", async () => {
    const cookie = async (port: number) => (await fetch(`http://127.0.0.1:${port}/made/`)).headers.get("set-cookie");
    const shape = /^made="[0-9a-f]{16}"; Max-Age=90; Path=\/p; SameSite=Lax; HttpOnly$/;
    expect(await cookie(theirs.port)).toMatch(shape);
    expect(await cookie(ours.port)).toMatch(shape);
  });
});
