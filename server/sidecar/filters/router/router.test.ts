import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { ResponseFlag } from "../../record.ts";
import { eventually, Fixtures, lbEndpoint, staticCluster, toCluster } from "../../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

/** Answers with these statuses one after the other, the last for ever; bodies are collected. */
async function statuses(...codes: number[]) {
  const bodies: string[] = [];
  const heads: Record<string, string | string[] | undefined>[] = [];
  const port = await fixtures.http((request, response) => {
    heads.push({ ...request.headers, ":path": request.url });
    let body = "";
    request.on("data", (bytes) => {
      body += bytes;
    });
    request.on("end", () => {
      bodies.push(body);
      response.statusCode = (codes.length > 1 ? codes.shift() : codes[0]) ?? 200;
      response.end("done");
    });
  });
  return { port, bodies, heads };
}

const retry = (policy: object) => ({ retry_policy: policy as never });
const quick = { retry_back_off: { base_interval: "0.001s" } };

describe("retries", () => {
  it("replays a request with its body until it succeeds", async () => {
    const upstream = await statuses(503, 500, 200);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port])],
      hosts: [
        {
          name: "all",
          domains: ["*"],
          include_request_attempt_count: true,
          include_attempt_count_in_response: true,
          routes: [toCluster("up", retry({ retry_on: "5xx", num_retries: 3, ...quick }))],
        },
      ],
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/`, { method: "POST", body: "payload" });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-envoy-attempt-count")).toBe("3");
    expect(upstream.bodies).toEqual(["payload", "payload", "payload"]);
    expect(upstream.heads.map((head) => head["x-envoy-attempt-count"])).toEqual(["1", "2", "3"]);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ upstreamAttempts: 3, responseCode: 200, responseFlags: 0 });
    expect(test.counter("cluster.up.upstream_rq_retry")).toBe(2);
    expect(test.counter("cluster.up.upstream_rq_retry_success")).toBe(1);
    // As in Envoy, what nobody gets counts by itself.
    expect(test.counter("cluster.up.retry.upstream_rq_503")).toBe(1);
    expect(test.counter("cluster.up.upstream_rq_5xx")).toBe(0);
    // The connection of a retried response is used again.
    expect(test.counter("cluster.up.upstream_cx_total")).toBe(1);
  });

  it("passes the last response on when no retry is left: URX", async () => {
    const upstream = await statuses(503);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port])],
      routes: [toCluster("up", retry({ retry_on: "gateway-error", num_retries: 2, ...quick }))],
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    expect([response.status, await response.text()]).toEqual([503, "done"]);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      upstreamAttempts: 3,
      responseFlags: ResponseFlag.upstreamRetryLimitExceeded,
      responseCodeDetails: "via_upstream",
    });
    expect(test.counter("cluster.up.upstream_rq_retry_limit_exceeded")).toBe(1);
  });

  it.each<[string, object, number, number]>([
    ["a status that no condition names", { retry_on: "gateway-error" }, 500, 1],
    ["a status named", { retry_on: "retriable-status-codes", retriable_status_codes: [418] }, 418, 2],
    ["409", { retry_on: "retriable-4xx" }, 409, 2],
    ["connect-failure only", { retry_on: "connect-failure,refused-stream,unavailable,cancelled" }, 503, 1],
    [
      "a request header that does not match",
      { retry_on: "5xx", retriable_request_headers: [{ name: "x", present_match: true }] },
      503,
      1,
    ],
    [
      "a response header",
      { retry_on: "retriable-headers", retriable_headers: [{ name: "content-length", string_match: { exact: "4" } }] },
      200,
      2,
    ],
  ])("%s", async (_, policy, status, attempts) => {
    const upstream = await statuses(status);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port])],
      routes: [toCluster("up", retry({ num_retries: 1, ...quick, ...policy }))],
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    expect(response.status).toBe(status);
    expect(upstream.bodies).toHaveLength(attempts);
  });

  it("goes to another endpoint after a refused connection", async () => {
    const dead = await fixtures.tcp(() => {});
    fixtures.close();
    const upstream = await statuses(200);
    const predicate = {
      name: "envoy.retry_host_predicates.previous_hosts",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
      },
    };
    const policy = {
      retry_on: "connect-failure",
      num_retries: 2,
      retry_host_predicate: [predicate],
      host_selection_retry_max_attempts: 5,
      ...quick,
    };
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [dead, upstream.port])],
      routes: [toCluster("up", retry(policy))],
    });
    for (let i = 0; i < 6; i++) expect((await fetch(`http://127.0.0.1:${test.port}/`)).status).toBe(200);
    expect(test.counter("cluster.up.upstream_rq_retry")).toBeGreaterThan(0);
    expect(test.counter("cluster.up.upstream_rq_retry_success")).toBe(test.counter("cluster.up.upstream_rq_retry"));
  });

  it("retries a reset only when asked to, and gives up bodies too long to keep", async () => {
    let connections = 0;
    const upstream = await fixtures.tcp((socket) => {
      connections++;
      socket.once("data", () => socket.destroy());
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream])],
      routes: [toCluster("up", retry({ retry_on: "reset", num_retries: 2, ...quick }))],
    });
    const url = `http://127.0.0.1:${test.port}/`;
    expect((await fetch(url)).status).toBe(503);
    expect(connections).toBe(3);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseFlags).toBe(
      ResponseFlag.upstreamConnectionTermination | ResponseFlag.upstreamRetryLimitExceeded,
    );
  });

  it("a try that takes too long is tried again within the route's timeout", async () => {
    let requests = 0;
    const upstream = await fixtures.http((_request, response) => {
      if (++requests > 1) response.end("second");
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream])],
      routes: [
        toCluster("up", {
          timeout: "2s",
          ...retry({ retry_on: "5xx", num_retries: 1, per_try_timeout: "0.05s", ...quick }),
        }),
      ],
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    expect(await response.text()).toBe("second");
    expect(test.counter("cluster.up.upstream_rq_per_try_timeout")).toBe(1);
  });
});

describe("timeouts", () => {
  it("504 UT when the route's timeout is over, and the upstream connection is closed", async () => {
    const upstream = await fixtures.http(() => {});
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream])],
      routes: [toCluster("up", { timeout: "0.05s" })],
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    expect([response.status, await response.text()]).toEqual([504, "upstream request timeout"]);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.upstreamRequestTimeout,
      responseCodeDetails: "response_timeout",
    });
    expect(test.lastRecord.durationMs).toBeGreaterThanOrEqual(50);
    expect(test.counter("cluster.up.upstream_rq_timeout")).toBe(1);
    expect(test.gauge("cluster.up.upstream_cx_active")).toBe(0);
  });

  it("a stream that lasts too long", async () => {
    const upstream = await fixtures.http(() => {});
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream])],
      routes: [toCluster("up", { max_stream_duration: { max_stream_duration: "0.05s" } })],
    });
    expect((await fetch(`http://127.0.0.1:${test.port}/`)).status).toBe(504);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ responseFlags: 0, responseCodeDetails: "max_duration_timeout" });
    expect(test.counter("http.test.downstream_rq_max_duration_reached")).toBe(1);
  });

  it("a gRPC call whose client gives it no time is not sent at all", async () => {
    const upstream = await statuses(200);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port])],
      routes: [toCluster("up", { max_stream_duration: { grpc_timeout_header_max: "5s" } })],
    });
    const headers = { "content-type": "application/grpc", "grpc-timeout": "0m" };
    const response = await fetch(`http://127.0.0.1:${test.port}/`, { method: "POST", headers });
    expect([response.status, response.headers.get("grpc-status")]).toEqual([200, "4"]);
    expect(upstream.heads).toEqual([]);
    expect(test.gauge("cluster.up.upstream_rq_active")).toBe(0);
  });
});

describe("circuit breakers", () => {
  const breakers = (thresholds: object) => ({ circuit_breakers: { thresholds: [thresholds as never] } });

  it("503 UO past max_requests", async () => {
    const upstream = await fixtures.http(() => {});
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream], breakers({ max_requests: 1 }))],
      routes: [toCluster("up")],
    });
    const first = await fixtures.client(test.port);
    first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => test.gauge("cluster.up.upstream_rq_active") === 1);
    const response = await fetch(`http://127.0.0.1:${test.port}/`);
    expect([response.status, response.headers.get("x-envoy-overloaded")]).toEqual([503, "true"]);
    expect(await response.text()).toBe(
      "upstream connect error or disconnect/reset before headers. reset reason: overflow",
    );
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.upstreamOverflow,
      responseCodeDetails: "upstream_reset_before_response_started{overflow}",
    });
    expect(test.counter("cluster.up.upstream_rq_pending_overflow")).toBe(1);
  });

  it("queues for a connection up to max_pending_requests", async () => {
    const waiting: (() => void)[] = [];
    const upstream = await fixtures.http((_request, response) => {
      waiting.push(() => response.end("ok"));
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream], breakers({ max_connections: 1, max_pending_requests: 1 }))],
      routes: [toCluster("up")],
    });
    const url = `http://127.0.0.1:${test.port}/`;
    const first = fetch(url);
    await eventually(() => waiting.length === 1);
    const second = fetch(url);
    await eventually(() => test.gauge("cluster.up.upstream_rq_pending_active") === 1);
    expect((await fetch(url)).status).toBe(503);
    waiting.shift()?.();
    expect((await first).status).toBe(200);
    await eventually(() => waiting.length === 1);
    waiting.shift()?.();
    expect((await second).status).toBe(200);
    expect(test.counter("cluster.up.upstream_cx_total")).toBe(1);
    expect(test.counter("cluster.up.upstream_cx_overflow")).toBeGreaterThan(0);
  });

  it("closes a connection after max_requests_per_connection", async () => {
    const upstream = await statuses(200);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port], { max_requests_per_connection: 2 })],
      routes: [toCluster("up")],
    });
    for (let i = 0; i < 4; i++) await (await fetch(`http://127.0.0.1:${test.port}/`)).text();
    expect(test.counter("cluster.up.upstream_cx_total")).toBe(2);
  });
});

describe("outlier detection", () => {
  it("takes a failing endpoint out and lets it back in", async () => {
    const bad = await statuses(503);
    const good = await statuses(200);
    const outlier = { consecutive_5xx: 2, interval: "0.05s", base_ejection_time: "2s", max_ejection_percent: 100 };
    const cluster = { outlier_detection: outlier, common_lb_config: { healthy_panic_threshold: { value: 0 } } };
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [bad.port, good.port], cluster)],
      routes: [toCluster("up")],
    });
    const call = async () => (await fetch(`http://127.0.0.1:${test.port}/`)).status;
    for (let i = 0; i < 4; i++) await call();
    expect(test.gauge("cluster.up.outlier_detection.ejections_active")).toBe(1);
    expect(test.gauge("cluster.up.membership_healthy")).toBe(1);
    expect(await Promise.all([call(), call(), call()])).toEqual([200, 200, 200]);
    await eventually(() => test.gauge("cluster.up.outlier_detection.ejections_active") === 0);
    expect((await Promise.all([call(), call()])).sort()).toEqual([200, 503]);
  });
});

describe("where requests go", () => {
  it("503 UH without endpoints, 503 NC without a cluster, 404 NR without a route", async () => {
    const test = await fixtures.plane({
      clusters: [staticCluster("empty", [])],
      routes: [
        { match: { path: "/empty" }, route: { cluster: "empty" } },
        { match: { path: "/gone" }, route: { cluster: "gone" } },
      ],
    });
    const call = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${test.port}${path}`);
      const text = await response.text();
      await eventually(() => test.records.length > 0);
      const record = test.records.pop();
      return [response.status, text, record?.responseFlags, record?.responseCodeDetails];
    };
    expect(await call("/empty")).toEqual([
      503,
      "no healthy upstream",
      ResponseFlag.noHealthyUpstream,
      "no_healthy_upstream",
    ]);
    expect(await call("/gone")).toEqual([503, "", ResponseFlag.noClusterFound, "cluster_not_found"]);
    expect(await call("/none")).toEqual([404, "", ResponseFlag.noRouteFound, "route_not_found"]);
  });

  it("shares by weight and adds each cluster's headers", async () => {
    const counts = { a: 0, b: 0 };
    const a = await fixtures.http((_request, response) => response.end(String(++counts.a)));
    const b = await fixtures.http((_request, response) => response.end(String(++counts.b)));
    let next = 0;
    const test = await fixtures.plane({
      random: () => (next = (next + 0.1) % 1),
      clusters: [staticCluster("a", [a]), staticCluster("b", [b])],
      routes: [
        {
          match: { prefix: "/" },
          route: {
            weighted_clusters: {
              clusters: [
                { name: "a", weight: 70 },
                {
                  name: "b",
                  weight: 30,
                  response_headers_to_add: [{ header: { key: "x-canary", value: "%UPSTREAM_CLUSTER%" } }],
                },
              ],
            },
          },
        },
      ],
    });
    const canaries: (string | null)[] = [];
    for (let i = 0; i < 10; i++) canaries.push((await fetch(`http://127.0.0.1:${test.port}/`)).headers.get("x-canary"));
    expect(counts.a + counts.b).toBe(10);
    expect(canaries.filter((value) => value === "b")).toHaveLength(counts.b);
    expect(counts.b).toBeGreaterThanOrEqual(2);
    expect(counts.b).toBeLessThanOrEqual(4);
  });

  it("prefers healthy endpoints and the first priority", async () => {
    const hits: string[] = [];
    const server = (name: string) =>
      fixtures.http((_request, response) => {
        hits.push(name);
        response.end();
      });
    const [sick, first, second] = [await server("sick"), await server("first"), await server("second")];
    const endpoints: JsonObject[] = [
      { lb_endpoints: [{ ...lbEndpoint(sick), health_status: "UNHEALTHY" }, lbEndpoint(first), lbEndpoint(first)] },
      { priority: 1, lb_endpoints: [lbEndpoint(second)] },
    ];
    const test = await fixtures.plane({
      clusters: [{ name: "up", type: "STATIC", load_assignment: { cluster_name: "up", endpoints } }],
      routes: [toCluster("up")],
    });
    for (let i = 0; i < 20; i++) await fetch(`http://127.0.0.1:${test.port}/`);
    expect(hits).not.toContain("sick");
    expect(hits.filter((name) => name === "first").length).toBeGreaterThan(5);
  });

  it("mirrors the whole request and forgets the answer", async () => {
    const upstream = await statuses(200);
    const shadow = await statuses(500);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port]), staticCluster("shadow", [shadow.port])],
      routes: [toCluster("up", { request_mirror_policies: [{ cluster: "shadow" }] })],
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/m`, { method: "POST", body: "copy" });
    expect(response.status).toBe(200);
    await eventually(() => shadow.bodies.length === 1);
    expect(shadow.bodies).toEqual(["copy"]);
    expect(shadow.heads[0]?.host).toBe(`127.0.0.1-shadow:${test.port}`);
    expect(upstream.heads[0]?.host).toBe(`127.0.0.1:${test.port}`);
    await eventually(() => test.gauge("cluster.shadow.upstream_cx_active") === 1);
    expect(test.counter("cluster.shadow.upstream_rq_500")).toBe(1);
    expect(test.records).toHaveLength(1);
  });

  it("rewrites, redirects and answers directly", async () => {
    const upstream = await statuses(200);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port])],
      routes: [
        {
          match: { prefix: "/old/" },
          route: { cluster: "up", prefix_rewrite: "/new/", host_rewrite_literal: "b.example" },
        },
        {
          match: { prefix: "/re/" },
          route: {
            cluster: "up",
            regex_rewrite: { pattern: { regex: "^/re/(\\d+)/(\\w+)$" }, substitution: "/\\2/\\1$" },
          },
        },
        {
          match: { path: "/moved" },
          redirect: { https_redirect: true, host_redirect: "b.example", path_redirect: "/x", response_code: "FOUND" },
        },
        {
          match: { path: "/direct" },
          direct_response: { status: 418, body: { inline_string: "tea" } },
          response_headers_to_add: [{ header: { key: "x-by", value: "%PROTOCOL% %REQ(x-who)%" } }],
        },
      ],
    });
    const url = `http://127.0.0.1:${test.port}`;
    await fetch(`${url}/old/a?q=1`);
    await fetch(`${url}/re/12/abc?q=1`);
    expect(upstream.heads.map((head) => [head[":path"], head.host, head["x-envoy-original-path"]])).toEqual([
      ["/new/a?q=1", "b.example", "/old/a?q=1"],
      ["/abc/12$?q=1", url.slice(7), "/re/12/abc?q=1"],
    ]);
    const moved = await fetch(`${url}/moved?q=1`, { redirect: "manual" });
    expect([moved.status, moved.headers.get("location")]).toEqual([302, "https://b.example/x?q=1"]);
    const direct = await fetch(`${url}/direct`, { headers: { "x-who": "me" } });
    expect([direct.status, await direct.text(), direct.headers.get("x-by")]).toEqual([418, "tea", "HTTP/1.1 me"]);
  });

  it("changes headers from the most specific level to the least, by action", async () => {
    const upstream = await statuses(200);
    const add = (key: string, value: string, append_action = "APPEND_IF_EXISTS_OR_ADD") => ({
      header: { key, value },
      append_action,
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream.port])],
      hosts: [
        {
          name: "all",
          domains: ["*"],
          request_headers_to_add: [add("X-Order", "host"), add("x-set", "host", "OVERWRITE_IF_EXISTS_OR_ADD")],
          routes: [
            {
              ...toCluster("up"),
              request_headers_to_add: [
                add("x-order", "route"),
                add("x-set", "route", "OVERWRITE_IF_EXISTS_OR_ADD"),
                add("x-absent", "new", "ADD_IF_ABSENT"),
                add("x-there", "new", "ADD_IF_ABSENT"),
                add("x-never", "new", "OVERWRITE_IF_EXISTS"),
              ],
              request_headers_to_remove: ["X-Gone"],
            },
          ],
        },
      ],
    });
    await fetch(`http://127.0.0.1:${test.port}/`, { headers: { "x-gone": "1", "x-there": "old" } });
    expect(upstream.heads[0]).toMatchObject({
      "x-order": "route, host",
      "x-set": "host",
      "x-absent": "new",
      "x-there": "old",
    });
    expect(upstream.heads[0]).not.toHaveProperty("x-gone");
    expect(upstream.heads[0]).not.toHaveProperty("x-never");
  });
});
