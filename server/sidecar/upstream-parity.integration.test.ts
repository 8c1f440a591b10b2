import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flagNames } from "./response-flags.ts";
import {
  eventually,
  Fixtures,
  lbEndpoint,
  type PlaneOptions,
  staticCluster,
  type TestPlane,
  toCluster,
} from "./test-plane.ts";
import { envoyMissing, RealEnvoy } from "./testing/real-envoy.ts";

// The same configuration and the same upstreams for real Envoy and for our data path: where requests go, how often, and what is counted.

const fixtures = new Fixtures();
let ours: TestPlane;
let theirs: RealEnvoy;

/** What each host does, by its name; and who was asked, in order. */
const does: Record<string, number> = {};
const asked: string[] = [];
const ports: Record<string, number> = {};

async function host(name: string, status: number, headers: Record<string, string> = {}): Promise<number> {
  does[name] = status;
  const port = await fixtures.http((request, response) => {
    if (request.url !== "/health") asked.push(name);
    const delay = Number(request.headers["x-delay"] ?? 0);
    setTimeout(() => response.writeHead(does[name] ?? 200, headers).end(name), delay);
  });
  ports[name] = port;
  return port;
}

const retry = (type: string, version = "v3") =>
  `type.googleapis.com/envoy.extensions.retry.${type.replace("$", version)}`;
const quick = { retry_back_off: { base_interval: "0.001s" } };

/** One host for each priority. */
const priorities = (name: string, members: JsonValue[][], extra: JsonObject = {}): JsonObject => ({
  ...staticCluster(name, []),
  ...extra,
  load_assignment: {
    cluster_name: name,
    endpoints: members.map((lb_endpoints, priority) => ({ priority, lb_endpoints })),
  },
});

const withHealth = (port: number, health_status: string): JsonObject => ({ ...lbEndpoint(port), health_status });

const check = (fields: JsonObject = {}): JsonObject => ({
  health_checks: [
    {
      timeout: "1s",
      interval: "0.05s",
      no_traffic_interval: "0.05s",
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      http_health_check: { path: "/health" },
      ...fields,
    },
  ],
});

const forwardProxy: JsonObject = {
  name: "forward",
  connect_timeout: "1s",
  lb_policy: "CLUSTER_PROVIDED",
  cluster_type: {
    name: "envoy.clusters.dynamic_forward_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
      dns_cache_config: { name: "cache", dns_lookup_family: "V4_ONLY" },
    },
  },
};

async function options(): Promise<PlaneOptions> {
  const [p0, p1, p2, good, bad, sick, limited, later] = [
    await host("p0", 503),
    await host("p1", 503),
    await host("p2", 503),
    await host("good", 200),
    await host("bad", 500),
    await host("sick", 200),
    await host("limited", 503, { "x-envoy-ratelimited": "true" }),
    await host("later", 503, { "retry-after": "1" }),
  ];
  const again = (update_frequency: number): JsonObject => ({
    retry_policy: {
      retry_on: "5xx",
      num_retries: 4,
      retry_priority: {
        name: "envoy.retry_priorities.previous_priorities",
        typed_config: { "@type": retry("priority.previous_priorities.$.PreviousPrioritiesConfig"), update_frequency },
      },
      ...quick,
    },
  });
  const clusters = [
    priorities("priorities", [[lbEndpoint(p0)], [lbEndpoint(p1)], [lbEndpoint(p2)]]),
    // 1 of 4 well: 35 %; the second carries the rest. And with 1 of 4 well in both, nobody carries all of it.
    priorities("spills", [
      [lbEndpoint(good), ...[1, 2, 3].map((port) => withHealth(port, "UNHEALTHY"))],
      [lbEndpoint(bad)],
    ]),
    priorities("degraded", [
      [lbEndpoint(good), withHealth(bad, "DEGRADED"), withHealth(1, "UNHEALTHY"), withHealth(2, "UNHEALTHY")],
    ]),
    staticCluster("checked", [good, sick, 1], { ...check(), common_lb_config: { healthy_panic_threshold: {} } }),
    // 70 to 30, of which the second has lost two of three hosts: 70 to 14.
    {
      ...staticCluster("localities", []),
      common_lb_config: { locality_weighted_lb_config: {}, healthy_panic_threshold: {} },
      load_assignment: {
        cluster_name: "localities",
        endpoints: [
          { locality: { region: "a" }, load_balancing_weight: 70, lb_endpoints: [lbEndpoint(good)] },
          {
            locality: { region: "b" },
            load_balancing_weight: 30,
            lb_endpoints: [lbEndpoint(bad), withHealth(1, "UNHEALTHY"), withHealth(2, "UNHEALTHY")],
          },
        ],
      },
    },
    staticCluster("outliers", [good, bad, p0], {
      outlier_detection: {
        consecutive_5xx: 4,
        consecutive_gateway_failure: 2,
        enforcing_consecutive_gateway_failure: 100,
        max_ejection_percent: 100,
        base_ejection_time: "600s",
      },
      common_lb_config: { healthy_panic_threshold: {} },
    }),
    staticCluster("triple", [p0, p1, p2]),
    staticCluster("later", [later]),
    // One of three is well, which is less than half: all of them are asked.
    priorities("panics", [[lbEndpoint(good), withHealth(bad, "UNHEALTHY"), withHealth(p0, "UNHEALTHY")]]),
    // Nobody of the first is well, and nobody panics: all go to the second.
    priorities("fails-over", [[withHealth(bad, "UNHEALTHY")], [lbEndpoint(good)]], {
      common_lb_config: { healthy_panic_threshold: {} },
    }),
    ...Object.entries<JsonObject>({
      "failure-percentage": {
        enforcing_success_rate: 0,
        enforcing_failure_percentage: 100,
        failure_percentage_threshold: 50,
      },
      "success-rate": { enforcing_success_rate: 100, success_rate_stdev_factor: 500 },
    }).map(([name, kind]) =>
      staticCluster(name, [good, bad, p0], {
        outlier_detection: {
          interval: "0.2s",
          base_ejection_time: "600s",
          max_ejection_percent: 100,
          enforcing_consecutive_5xx: 0,
          success_rate_minimum_hosts: 3,
          success_rate_request_volume: 3,
          failure_percentage_minimum_hosts: 3,
          failure_percentage_request_volume: 3,
          ...kind,
        },
        common_lb_config: { healthy_panic_threshold: {} },
      }),
    ),
    staticCluster("limited", [limited]),
    staticCluster("good", [good]),
    staticCluster("slow", [good]),
    forwardProxy,
  ];
  const path = (prefix: string, route: JsonObject): JsonObject => ({
    match: { prefix },
    route: { timeout: "5s", ...route },
  });
  const routes = [
    path("/every-1", { cluster: "priorities", ...again(1) }),
    path("/every-2", { cluster: "priorities", ...again(2) }),
    path("/limited", { cluster: "limited", retry_policy: { retry_on: "5xx", num_retries: 2, ...quick } }),
    path("/ratelimited", {
      cluster: "limited",
      retry_policy: { retry_on: "envoy-ratelimited", num_retries: 2, ...quick },
    }),
    path("/hedged", {
      cluster: "slow",
      hedge_policy: { hedge_on_per_try_timeout: true },
      retry_policy: { retry_on: "5xx", num_retries: 1, per_try_timeout: "0.1s", ...quick },
    }),
    path("/idle", {
      cluster: "slow",
      retry_policy: { retry_on: "5xx", num_retries: 1, per_try_idle_timeout: "0.1s", ...quick },
    }),
    path("/others", {
      cluster: "triple",
      retry_policy: {
        retry_on: "5xx",
        num_retries: 2,
        retry_host_predicate: [
          {
            name: "envoy.retry_host_predicates.previous_hosts",
            typed_config: { "@type": retry("host.previous_hosts.$.PreviousHostsPredicate") },
          },
        ],
        host_selection_retry_max_attempts: 20,
        ...quick,
      },
    }),
    path("/later", {
      cluster: "later",
      retry_policy: {
        retry_on: "5xx",
        num_retries: 1,
        rate_limited_retry_back_off: {
          reset_headers: [{ name: "retry-after", format: "SECONDS" }],
          max_interval: "5s",
        },
        ...quick,
      },
    }),
    ...["spills", "degraded", "localities", "outliers", "checked", "forward", "panics", "fails-over"].map((cluster) =>
      path(`/${cluster}`, { cluster }),
    ),
    ...["failure-percentage", "success-rate"].map((cluster) => path(`/${cluster}`, { cluster })),
    toCluster("good"),
  ];
  return { clusters: clusters as JsonValue[], routes };
}

beforeAll(async () => {
  if (envoyMissing) return;
  const config = await options();
  ours = await fixtures.plane(config);
  theirs = await RealEnvoy.start({
    ...config,
    manager: {
      access_log: [
        {
          name: "stdout",
          typed_config: { "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog" },
          filter: { runtime_filter: { runtime_key: "never", percent_sampled: { numerator: 0 } } },
        },
      ],
    },
  });
});

afterAll(() => {
  theirs?.close();
  fixtures.close();
});

interface Outcome {
  status: number;
  body: string;
  asked: string[];
}

async function call(port: number, path: string, headers: Record<string, string> = {}): Promise<Outcome> {
  asked.length = 0;
  const client = await fixtures.client(port);
  const lines = Object.entries({ host: "a.test", connection: "close", ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const text = await client.send(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`).untilEnd();
  const body = text.slice(text.indexOf("\r\n\r\n") + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, "");
  return { status: Number(text.slice(9, 12)), body, asked: [...asked] };
}

describe.skipIf(envoyMissing)("upstream, like Envoy", () => {
  it.each<[string, string, Record<string, string>]>([
    ["a retry looks for another priority each time", "/every-1", {}],
    ["a retry looks for another priority every other time", "/every-2", {}],
    ["an answer that another proxy has limited is not tried again", "/limited", {}],
    ["but is where that is asked for", "/ratelimited", {}],
    ["a slow try is hedged, and the first answer counts", "/hedged", { "x-delay": "300" }],
    ["a try that says nothing is given up", "/idle", { "x-delay": "400" }],
    ["a forward proxy finds a name", "/forward", { host: "GOOD" }],
    ["a forward proxy finds no name", "/forward", { host: "nowhere.invalid" }],
  ])("%s", async (_, path, headers) => {
    const given = { ...headers };
    if (given.host === "GOOD") given.host = `x.localhost:${ports.good}`;
    expect(await call(ours.port, path, given)).toEqual(await call(theirs.port, path, given));
  });

  /** Within five standard deviations of a difference of two samples. */
  const alike = (a: number, b: number, total: number) => {
    const share = (a + b) / (2 * total);
    expect(Math.abs(a - b), `${a} and ${b} of ${total}`).toBeLessThanOrEqual(
      5 * Math.sqrt(2 * total * share * (1 - share)) + 1,
    );
  };

  it("a retry goes to none of the hosts that were tried", async () => {
    for (const { port } of [ours, theirs]) {
      const outcome = await call(port, "/others");
      expect([outcome.status, outcome.asked.sort()]).toEqual([503, ["p0", "p1", "p2"]]);
    }
  });

  it("a retry waits as long as the answer asks", async () => {
    const stat = (name: string) => `cluster.later.${name}`;
    for (const { port } of [ours, theirs]) {
      const begun = performance.now();
      expect((await call(port, "/later")).asked).toEqual(["later", "later"]);
      expect(performance.now() - begun).toBeGreaterThan(990);
    }
    for (const name of ["upstream_rq_retry_backoff_ratelimited", "upstream_rq_retry_backoff_exponential"]) {
      expect([name, ours.counter(stat(name))]).toEqual([name, await theirs.stat(stat(name))]);
    }
  });

  it("all of the first priority are ill: the second has everything", async () => {
    for (const { port } of [ours, theirs]) {
      for (let i = 0; i < 10; i++) expect((await call(port, "/fails-over")).body).toBe("good");
    }
  });

  it.each(["failure-percentage", "success-rate"])("outliers by %s", async (cluster) => {
    const stat = (name: string) => `cluster.${cluster}.outlier_detection.ejections_${name}`;
    const deadline = Date.now() + 20_000;
    // All within an interval, or again.
    for (const [port, active] of [
      [ours.port, () => ours.gauge(stat("active"))],
      [theirs.port, () => theirs.stat(stat("active"))],
    ] as const) {
      while ((await active()) !== 2) {
        expect(Date.now()).toBeLessThan(deadline);
        await Promise.all(Array.from({ length: 15 }, () => call(port, `/${cluster}`)));
      }
    }
    for (const name of ["failure_percentage", "success_rate", "consecutive_5xx"]) {
      const full = stat(`enforced_${name}`);
      expect([name, ours.counter(full)]).toEqual([name, await theirs.stat(full)]);
    }
  });

  it.each(["spills", "degraded", "localities", "panics"])(
    "shares of priorities, of degraded hosts and of localities: %s",
    async (cluster) => {
      const total = 300;
      const goods = async (port: number) => {
        let count = 0;
        for (let i = 0; i < total; i++) count += (await call(port, `/${cluster}`)).body === "good" ? 1 : 0;
        return count;
      };
      const [mine, other] = [await goods(ours.port), await goods(theirs.port)];
      expect(mine).toBeGreaterThan(0);
      alike(mine, other, total);
    },
  );

  it("what retries count", async () => {
    for (const name of [
      "upstream_rq_retry",
      "upstream_rq_retry_limit_exceeded",
      "retry.upstream_rq_503",
      "upstream_rq_503",
    ]) {
      const stat = `cluster.priorities.${name}`;
      const before = [ours.counter(stat), await theirs.stat(stat)];
      await call(ours.port, "/every-1");
      await call(theirs.port, "/every-1");
      expect(ours.counter(stat) - (before[0] ?? 0), name).toBe((await theirs.stat(stat)) - (before[1] ?? 0));
    }
  });

  it("outliers: who is ejected, for what, and what is counted", async () => {
    const stat = (name: string) => `cluster.outliers.outlier_detection.ejections_${name}`;
    const names = ["enforced_total", "enforced_consecutive_5xx", "enforced_consecutive_gateway_failure", "active"];
    // Round robin: each of three is asked six times, until two of them are out.
    for (const { port } of [ours, theirs]) for (let i = 0; i < 18; i++) await call(port, "/outliers");
    // Envoy ejects on its main thread, a moment later.
    await eventually(() => ours.gauge(stat("active")) === 2);
    const deadline = Date.now() + 5000;
    while ((await theirs.stat(stat("active"))) !== 2) expect(Date.now()).toBeLessThan(deadline);
    for (const name of names) {
      const mine = name === "active" ? ours.gauge(stat(name)) : ours.counter(stat(name));
      expect(mine, name).toBe(await theirs.stat(stat(name)));
    }
    for (let i = 0; i < 4; i++) expect((await call(ours.port, "/outliers")).body).toBe("good");
    // Envoy's workers hear of it later still.
    for (let good = 0; good < 4; ) {
      good = (await call(theirs.port, "/outliers")).body === "good" ? good + 1 : 0;
      expect(Date.now()).toBeLessThan(deadline);
    }
    const text = await theirs.admin("/clusters");
    for (const name of ["bad", "p0"]) {
      expect(text).toContain(`outliers::127.0.0.1:${ports[name]}::health_flags::/failed_outlier_check`);
    }
  });

  it("health checks: flags as they come and go, and who is asked", async () => {
    const flags = async () => {
      const text = await theirs.admin("/clusters");
      const wanted = [ports.good, ports.sick, 1].map((port) => `checked::127.0.0.1:${port}::health_flags::(.*)`);
      return wanted.map((line) => new RegExp(line).exec(text)?.[1] ?? "none");
    };
    const own = () => ours.plane.clusterMap.get("checked")?.allEndpoints.map(({ health }) => health.healthy) ?? [];
    const settled = async (expected: boolean[]) => {
      await eventually(() => own().join() === expected.join(), `ours: ${expected}`);
      const deadline = Date.now() + 5000;
      const wanted = expected.map((healthy) => (healthy ? "healthy" : "/failed_active_hc")).join();
      while ((await flags()).join() !== wanted) if (Date.now() > deadline) expect((await flags()).join()).toBe(wanted);
    };
    await settled([true, true, false]);
    does.sick = 500;
    await settled([true, false, false]);
    for (const { port } of [ours, theirs]) {
      for (let i = 0; i < 4; i++) expect((await call(port, "/checked")).body).toBe("good");
    }
    does.sick = 200;
    await settled([true, true, false]);
    expect(await theirs.stat("cluster.checked.health_check.network_failure")).toBeGreaterThan(0);
    expect(ours.counter("cluster.checked.health_check.network_failure")).toBeGreaterThan(0);
  });
});

describe.skipIf(envoyMissing)("the filter of forward proxies, like Envoy", () => {
  let filtered: TestPlane;
  let envoy: RealEnvoy;
  const filter = "envoy.filters.http.dynamic_forward_proxy";
  const filterType = (name: string) =>
    `type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.${name}`;

  beforeAll(async () => {
    const rewrite = (fields: JsonObject): JsonObject => ({
      typed_per_filter_config: { [filter]: { "@type": filterType("PerRouteConfig"), ...fields } },
    });
    const literal = `x.localhost:${ports.good}`;
    const route = (prefix: string, fields: JsonObject = {}): JsonObject => ({
      match: { prefix },
      route: { cluster: "forward" },
      ...fields,
    });
    const config: PlaneOptions = {
      clusters: [forwardProxy],
      filters: [
        {
          name: filter,
          typed_config: {
            "@type": filterType("FilterConfig"),
            dns_cache_config: { name: "cache", dns_lookup_family: "V4_ONLY" },
          },
        },
      ],
      routes: [
        route("/literal", rewrite({ host_rewrite_literal: literal })),
        route("/header", rewrite({ host_rewrite_header: "x-to" })),
        route("/"),
      ],
    };
    filtered = await fixtures.plane(config);
    envoy = await RealEnvoy.start(config);
  });
  afterAll(() => envoy?.close());

  it.each<[string, string, Record<string, string>]>([
    ["a name that is there", "/", { host: "GOOD" }],
    ["a name that is not", "/", { host: "nowhere.invalid" }],
    ["a host that the route puts in its place", "/literal", { host: "nowhere.invalid" }],
    ["a host that a header puts in its place", "/header", { host: "nowhere.invalid", "x-to": "GOOD" }],
    ["without that header", "/header", { host: "GOOD" }],
  ])("%s", async (_, path, headers) => {
    const given = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === "GOOD" ? `x.localhost:${ports.good}` : value]),
    );
    expect(await call(filtered.port, path, given)).toEqual(await call(envoy.port, path, given));
  });

  it("DF, where a name can't be resolved", async () => {
    await call(filtered.port, "/", { host: "other.invalid" });
    await eventually(() => filtered.lastRecord.authority === "other.invalid");
    expect(flagNames(filtered.lastRecord.responseFlags)).toEqual(["DF"]);
    expect(filtered.lastRecord.responseCodeDetails).toMatch(/^dns_resolution_failure/);
  });
});
