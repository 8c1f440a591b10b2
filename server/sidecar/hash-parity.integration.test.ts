import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, listenerJson, staticCluster, type TestPlane } from "./test-plane.ts";

// The same keys through real Envoy and through our data path, to the same endpoints: each has to arrive at the same one.

const envoy = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../.build/envoy/envoy/_bin/envoy");
const missing = !existsSync(envoy);
if (missing && process.env.CI) throw new Error(`no Envoy at ${envoy}`);

const fixtures = new Fixtures();
const folder = mkdtempSync(join(tmpdir(), "hash-parity-"));
let ours: TestPlane;
let envoyPort = 0;
let child: ChildProcess | undefined;

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
  if (missing) return;
  const ports: number[] = [];
  for (let i = 0; i < 6; i++) {
    const port = await fixtures.http((request, response) => {
      tried.push(i);
      response.statusCode = request.url?.startsWith("/503") ? 503 : 200;
      response.end(`endpoint ${i}`);
    });
    ports.push(port);
  }
  const probe = new Fixtures();
  envoyPort = await probe.tcp(() => {});
  probe.close();
  const config = options(ports);
  ours = await fixtures.plane(config);
  const listener = listenerJson({ ...config, manager: { access_log: [] } });
  listener.address = { socket_address: { address: "127.0.0.1", port_value: envoyPort } };
  const path = join(folder, "envoy.json");
  writeFileSync(path, JSON.stringify({ static_resources: { listeners: [listener], clusters: config.clusters } }));
  child = spawn(envoy, ["-c", path, "--concurrency", "1", "-l", "error", "--use-dynamic-base-id"], {
    stdio: "inherit",
  });
  await reachable(envoyPort);
});

afterAll(() => {
  child?.kill();
  fixtures.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Endpoints that requests came to, in order. */
const tried: number[] = [];

async function reachable(port: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child?.exitCode === null) {
    if (await fetch(`http://127.0.0.1:${port}/`).then(Boolean, () => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("Envoy does not start");
}

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

describe.skipIf(missing)("picks what Envoy picks", () => {
  const names = Object.keys(balancers);
  it.each([...names, ...names.map((name) => `${name}-weighted`)])("balancer %s", async (name) => {
    const theirs = await picks(envoyPort, `/balancer/${name}/`);
    expect(new Set(theirs).size).toBeGreaterThan(2);
    expect(await picks(ours.port, `/balancer/${name}/`)).toEqual(theirs);
  });

  it.each(Object.keys(policies))("hash policy %s", async (name) => {
    expect(await picks(ours.port, `/policy/${name}/`)).toEqual(await picks(envoyPort, `/policy/${name}/`));
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
      const theirs = await twice(envoyPort, [key, "b"]);
      expect(await twice(ours.port, [key, "b"])).toBe(theirs);
      expect(await twice(ours.port, ["b", key])).toBe(theirs);
    }
  });

  it.each(["ring", "maglev"])("retries of %s go to the same others", async (name) => {
    const order = async (port: number) => {
      tried.length = 0;
      await picks(port, `/503/${name}/`);
      return [...tried];
    };
    const theirs = await order(envoyPort);
    expect(theirs).toHaveLength(300);
    expect(await order(ours.port)).toEqual(theirs);
  });

  it("a cookie is made alike", async () => {
    const cookie = async (port: number) => (await fetch(`http://127.0.0.1:${port}/made/`)).headers.get("set-cookie");
    const shape = /^made="[0-9a-f]{16}"; Max-Age=90; Path=\/p; SameSite=Lax; HttpOnly$/;
    expect(await cookie(envoyPort)).toMatch(shape);
    expect(await cookie(ours.port)).toMatch(shape);
  });
});
