import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { ResponseFlag } from "../../record.ts";
import { eventually, Fixtures, lbEndpoint, type PlaneOptions, staticCluster, toCluster } from "../../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const type = (name: string) => `type.googleapis.com/envoy.extensions.retry.${name}`;
const quick = { retry_back_off: { base_interval: "0.001s" } };
const retrying = (policy: JsonObject, action: JsonObject = {}): JsonObject =>
  toCluster("up", { retry_policy: { retry_on: "5xx", num_retries: 1, ...quick, ...policy }, ...action });

/** A host that answers with a status, and notes that it was asked. */
async function host(name: string, status: number, log: string[], headers: Record<string, string> = {}) {
  return fixtures.http((_, response) => {
    log.push(name);
    response.writeHead(status, headers).end(name);
  });
}

const start = (options: PlaneOptions) => fixtures.plane(options);
/** Only who comes from within may ask for anything. */
const inside = { "x-forwarded-for": "10.0.0.1" };
const trusting: JsonObject = {
  internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
};
const get = (port: number, headers: Record<string, string> = {}) => fetch(`http://127.0.0.1:${port}/`, { headers });

describe("a retry budget", () => {
  const budgeted = (percent: number, least: number): JsonObject => ({
    circuit_breakers: {
      thresholds: [{ retry_budget: { budget_percent: { value: percent }, min_retry_concurrency: least } }],
    },
  });

  it("lets as many retries be in flight as its share of requests, and always a few", async () => {
    const held: (() => void)[] = [];
    const port = await fixtures.http((request, response) => {
      if (request.headers["x-envoy-attempt-count"] === "1") response.writeHead(503).end();
      else held.push(() => response.end());
    });
    const test = await start({
      clusters: [staticCluster("up", [port], budgeted(50, 1))],
      hosts: [{ name: "all", domains: ["*"], include_request_attempt_count: true, routes: [retrying({})] }],
    });
    // One by one: the first may always; after that half of what is in flight.
    const answers: Promise<Response>[] = [];
    const count = () =>
      test.counter("cluster.up.upstream_rq_retry") + test.counter("cluster.up.upstream_rq_retry_overflow");
    for (let i = 1; i <= 6; i++) {
      answers.push(get(test.port));
      await eventually(() => count() === i);
    }
    // In flight while each asks: 1, 2, 2, 3, 3, 4 (those refused are answered): 1 of 1, none of 2, …
    const retries = test.counter("cluster.up.upstream_rq_retry");
    expect(retries).toBe(1);
    expect(test.counter("cluster.up.upstream_rq_retry_overflow")).toBe(5);
    await eventually(() => held.length === retries);
    for (const release of held) release();
    expect((await Promise.all(answers)).map(({ status }) => status).sort()).toEqual([200, 503, 503, 503, 503, 503]);
  });

  it("of a hundred percent stops nobody", async () => {
    const log: string[] = [];
    const port = await host("a", 503, log);
    const test = await start({ clusters: [staticCluster("up", [port], budgeted(100, 0))], routes: [retrying({})] });
    await get(test.port);
    expect(log).toHaveLength(2);
  });
});

it("waits as long as a response asks, and counts that by itself", async () => {
  const log: string[] = [];
  let first = true;
  const port = await fixtures.http((_, response) => {
    log.push(first ? "limited" : "let in");
    response.writeHead(first ? 503 : 200, first ? { "retry-after": "1" } : {}).end();
    first = false;
  });
  const reset = { rate_limited_retry_back_off: { reset_headers: [{ name: "retry-after" }] } };
  const test = await start({ clusters: [staticCluster("up", [port])], routes: [retrying(reset)], random: () => 0 });
  const begun = performance.now();
  expect((await get(test.port)).status).toBe(200);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(1000);
  expect(test.counter("cluster.up.upstream_rq_retry_backoff_ratelimited")).toBe(1);
  expect(test.counter("cluster.up.upstream_rq_retry_backoff_exponential")).toBe(0);
  expect(test.counter("cluster.up.retry.upstream_rq_503")).toBe(1);
});

describe("where a retry goes", () => {
  const priorities = (...ports: number[]): JsonObject => ({
    load_assignment: {
      cluster_name: "up",
      endpoints: ports.map((port, priority) => ({ priority, lb_endpoints: [lbEndpoint(port)] })),
    },
  });

  it("to other priorities, as often as they are thought over", async () => {
    const log: string[] = [];
    const ports = await Promise.all(["p0", "p1", "p2"].map((name) => host(name, 503, log)));
    const again = (update_frequency: number) => ({
      num_retries: 3,
      retry_priority: {
        name: "envoy.retry_priorities.previous_priorities",
        typed_config: {
          "@type": type("priority.previous_priorities.v3.PreviousPrioritiesConfig"),
          update_frequency,
        },
      },
    });
    const asked = async (policy: JsonObject) => {
      log.length = 0;
      const test = await start({
        clusters: [staticCluster("up", [], priorities(...ports))],
        routes: [retrying(policy)],
      });
      await get(test.port);
      return log.join(" ");
    };
    expect(await asked({ num_retries: 3 })).toBe("p0 p0 p0 p0");
    // When all were tried it begins anew.
    expect(await asked(again(1))).toBe("p0 p1 p2 p0");
    expect(await asked(again(2))).toBe("p0 p0 p1 p1");
  });

  it("not to canaries, nor to what metadata names", async () => {
    const log: string[] = [];
    const [canary, slow, good] = await Promise.all(["canary", "slow", "good"].map((name) => host(name, 503, log)));
    const entry = (port: number | undefined, labels: JsonObject) => ({
      ...lbEndpoint(port ?? 0),
      metadata: { filter_metadata: { "envoy.lb": labels } },
    });
    const load_assignment = {
      cluster_name: "up",
      endpoints: [
        {
          lb_endpoints: [
            entry(canary, { canary: true }),
            entry(slow, { disk: "slow", zone: "a" }),
            entry(good, { disk: "fast" }),
          ],
        },
      ],
    };
    const retry_host_predicate: JsonValue[] = [
      { name: "canaries", typed_config: { "@type": type("host.omit_canary_hosts.v3.OmitCanaryHostsPredicate") } },
      {
        name: "slow ones",
        typed_config: {
          "@type": type("host.omit_host_metadata.v3.OmitHostMetadataConfig"),
          metadata_match: { filter_metadata: { "envoy.lb": { disk: "slow" } } },
        },
      },
    ];
    const test = await start({
      clusters: [staticCluster("up", [], { load_assignment })],
      routes: [retrying({ retry_host_predicate, host_selection_retry_max_attempts: 10 })],
    });
    for (let i = 0; i < 12; i++) await get(test.port);
    const seconds = log.filter((_, i) => i % 2 === 1);
    expect(new Set(seconds)).toEqual(new Set(["good"]));
    expect(log.some((name, i) => i % 2 === 0 && name !== "good")).toBe(true);
  });

  it("to the same once more when there is no other to be found", async () => {
    const log: string[] = [];
    const port = await host("only", 503, log);
    const previous = [
      { name: "previous", typed_config: { "@type": type("host.previous_hosts.v3.PreviousHostsPredicate") } },
    ];
    const test = await start({
      clusters: [staticCluster("up", [port])],
      routes: [retrying({ retry_host_predicate: previous, host_selection_retry_max_attempts: 3 })],
    });
    await get(test.port);
    expect(log).toEqual(["only", "only"]);
  });
});

it("headers to try again for can be named by the request", async () => {
  const log: string[] = [];
  const port = await host("a", 200, log, { "x-stale": "1" });
  const test = await start({ clusters: [staticCluster("up", [port])], routes: [toCluster("up")], manager: trusting });
  await get(test.port, {
    ...inside,
    "x-envoy-retry-on": "retriable-headers",
    "x-envoy-retriable-header-names": "x-other, x-stale",
  });
  expect(log).toHaveLength(2);
});

describe("a try that says nothing for too long", () => {
  it("is given up and tried again, also in the middle of what it says", async () => {
    let asked = 0;
    const port = await fixtures.http((_, response) => {
      if (++asked > 1) response.end("second");
    });
    const test = await start({
      clusters: [staticCluster("up", [port])],
      routes: [retrying({ per_try_idle_timeout: "0.05s" })],
    });
    expect(await (await get(test.port)).text()).toBe("second");
    expect(test.counter("cluster.up.upstream_rq_per_try_idle_timeout")).toBe(1);
  });

  it("504 when it was the last, and broken off when its response has begun", async () => {
    const silent = await fixtures.http(() => {});
    const halting = await fixtures.http((_, response) => void response.writeHead(200).write("some"));
    const test = await start({
      clusters: [staticCluster("up", [silent]), staticCluster("halting", [halting])],
      routes: [
        { ...toCluster("halting", { retry_policy: { per_try_idle_timeout: "0.05s" } }), match: { prefix: "/halting" } },
        retrying({ num_retries: 0, per_try_idle_timeout: "0.05s" }),
      ],
    });
    const response = await get(test.port);
    expect([response.status, await response.text()]).toEqual([504, "upstream request timeout"]);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.upstreamRequestTimeout | ResponseFlag.upstreamRetryLimitExceeded,
      responseCodeDetails: "upstream_per_try_idle_timeout",
    });
    const begun = await fetch(`http://127.0.0.1:${test.port}/halting`);
    await expect(begun.text()).rejects.toThrow();
  });
});

describe("hedging", () => {
  const hedged = (policy: JsonObject = {}, action: JsonObject = {}) =>
    retrying(
      { per_try_timeout: "0.05s", ...policy },
      { timeout: "5s", hedge_policy: { hedge_on_per_try_timeout: true }, ...action },
    );

  /** Answers each request when it is told to, in the order in which they came. */
  async function patient() {
    const waiting: ((status: number, body: string) => void)[] = [];
    let closed = 0;
    const port = await fixtures.http((request, response) => {
      request.on("close", () => {
        if (!response.writableEnded) closed++;
      });
      waiting.push((status, body) => response.writeHead(status).end(body));
    });
    return { port, waiting, closed: () => closed };
  }

  it("the slow first try may still be the one that answers, and the second is given up", async () => {
    const { port, waiting, closed } = await patient();
    const test = await start({ clusters: [staticCluster("up", [port])], routes: [hedged()] });
    const answer = get(test.port);
    await eventually(() => waiting.length === 2);
    waiting[0]?.(200, "first");
    expect(await (await answer).text()).toBe("first");
    await eventually(() => closed() === 1);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ upstreamAttempts: 2, responseCode: 200 });
    expect(test.counter("cluster.up.upstream_rq_per_try_timeout")).toBe(0);
    expect(test.gauge("cluster.up.upstream_rq_active")).toBe(0);
  });

  it("the first good answer counts, bad ones before it don't", async () => {
    const { port, waiting } = await patient();
    const test = await start({ clusters: [staticCluster("up", [port])], routes: [hedged({ num_retries: 1 })] });
    const answer = get(test.port);
    await eventually(() => waiting.length === 2);
    waiting[0]?.(503, "bad");
    await eventually(() => test.plane.clusterMap.get("up")?.allEndpoints[0]?.active === 1);
    waiting[1]?.(200, "good");
    expect(await (await answer).text()).toBe("good");
  });

  it("the last bad answer is passed on when no try is left", async () => {
    const { port, waiting } = await patient();
    const test = await start({ clusters: [staticCluster("up", [port])], routes: [hedged()] });
    const answer = get(test.port);
    await eventually(() => waiting.length === 2);
    waiting[1]?.(503, "second");
    await eventually(() => test.plane.clusterMap.get("up")?.allEndpoints[0]?.active === 1);
    waiting[0]?.(502, "first");
    const response = await answer;
    expect([response.status, await response.text()]).toEqual([502, "first"]);
  });

  it("a client that goes takes all tries with it, and so does the route's timeout", async () => {
    const { port, waiting, closed } = await patient();
    const test = await start({ clusters: [staticCluster("up", [port])], routes: [hedged({}, { timeout: "0.3s" })] });
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await eventually(() => waiting.length === 2);
    client.socket.destroy();
    await eventually(() => closed() === 2);
    expect((await get(test.port)).status).toBe(504);
    await eventually(() => closed() === 4);
    expect(test.plane.clusterMap.get("up")?.allEndpoints[0]?.active).toBe(0);
    expect(test.plane.clusterMap.get("up")?.activeRetries).toBe(0);
  });

  it("can be asked for by the request", async () => {
    const { port, waiting } = await patient();
    const plain = retrying({ per_try_timeout: "0.05s" }, { timeout: "5s" });
    const test = await start({ clusters: [staticCluster("up", [port])], routes: [plain], manager: trusting });
    const answer = get(test.port, { ...inside, "x-envoy-hedge-on-per-try-timeout": "true" });
    await eventually(() => waiting.length === 2);
    waiting[0]?.(200, "first");
    expect(await (await answer).text()).toBe("first");
  });
});
