import { afterEach, describe, expect, it } from "vitest";
import { ResponseFlag } from "../record.ts";
import { Runtime, runtimeValues } from "../runtime.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const faultFilter = (config: object = {}) => ({
  name: "envoy.filters.http.fault",
  typed_config: { "@type": type("fault.v3.HTTPFault"), ...config },
});
const perRoute = (config: object) => ({
  "envoy.filters.http.fault": { "@type": type("fault.v3.HTTPFault"), ...config },
});

async function plane(options: { filter: object; route?: object; random?: () => number; runtime?: Runtime }) {
  const seen: Record<string, unknown>[] = [];
  const upstream = await fixtures.http((request, response) => {
    seen.push(request.headers);
    response.end("ok");
  });
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [upstream])],
    routes: [{ ...toCluster("up"), ...options.route }],
    filters: [options.filter as never],
    random: options.random,
    runtime: options.runtime,
  });
  return { test, seen, url: `http://127.0.0.1:${test.port}/` };
}

const all = { numerator: 100 };

describe("fault", () => {
  it("follows the runtime while requests come", async () => {
    const runtime = new Runtime();
    const { url } = await plane({ filter: faultFilter({ abort: { http_status: 418, percentage: all } }), runtime });
    const statuses: number[] = [];
    for (const percent of [undefined, 0, 100, undefined]) {
      runtime.setLayer(
        "admin",
        percent === undefined ? new Map() : runtimeValues({ fault: { http: { abort: { abort_percent: percent } } } }),
      );
      statuses.push((await fetch(url)).status);
    }
    expect(statuses).toEqual([418, 200, 418, 418]);
  });

  it("aborts", async () => {
    const { test, url } = await plane({
      filter: faultFilter(),
      route: { typed_per_filter_config: perRoute({ abort: { http_status: 418, percentage: all } }) },
    });
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([418, "fault filter abort"]);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.faultInjected,
      responseCodeDetails: "fault_filter_abort",
      upstreamAttempts: 0,
      routeName: "",
    });
    expect(test.counter("http.test.fault.aborts_injected")).toBe(1);
    expect(test.gauge("http.test.fault.active_faults")).toBe(0);
  });

  it("aborts with a gRPC status, which is a 200 to callers that do not speak gRPC", async () => {
    const { url } = await plane({ filter: faultFilter({ abort: { grpc_status: 14, percentage: all } }) });
    const plain = await fetch(url);
    expect([plain.status, await plain.text()]).toEqual([200, "fault filter abort"]);
    const response = await fetch(url, { headers: { "content-type": "application/grpc" } });
    expect([response.status, response.headers.get("grpc-status")]).toEqual([200, "14"]);
  });

  it("delays, then goes on", async () => {
    const { test, url } = await plane({ filter: faultFilter({ delay: { fixed_delay: "0.08s", percentage: all } }) });
    expect(await (await fetch(url, { method: "POST", body: "x" })).text()).toBe("ok");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseFlags).toBe(ResponseFlag.delayInjected);
    expect(test.lastRecord.durationMs).toBeGreaterThanOrEqual(79);
    expect(test.counter("http.test.fault.delays_injected")).toBe(1);
  });

  it("delays, then aborts, each by its own share", async () => {
    const config = { delay: { fixed_delay: "0.01s", percentage: all }, abort: { http_status: 500, percentage: all } };
    const { test, url } = await plane({ filter: faultFilter(config) });
    expect((await fetch(url)).status).toBe(500);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseFlags).toBe(ResponseFlag.delayInjected | ResponseFlag.faultInjected);
  });

  it("a client that leaves while delayed is let go at once", async () => {
    const { test } = await plane({ filter: faultFilter({ delay: { fixed_delay: "60s", percentage: all } }) });
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => test.gauge("http.test.fault.active_faults") === 1);
    client.socket.destroy();
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseFlags).toBe(
      ResponseFlag.delayInjected | ResponseFlag.downstreamConnectionTermination,
    );
    expect(test.gauge("http.test.fault.active_faults")).toBe(0);
  });

  it("holds to its percentage, with any denominator", async () => {
    let draw = 0;
    const abort = { http_status: 500, percentage: { numerator: 25, denominator: "TEN_THOUSAND" } };
    const { url } = await plane({ filter: faultFilter({ abort }), random: () => draw });
    draw = 0.0024;
    expect((await fetch(url)).status).toBe(500);
    draw = 0.0026;
    expect((await fetch(url)).status).toBe(200);
  });

  it("only where its headers match, and only so many at once", async () => {
    const delay = { fixed_delay: "60s", percentage: all };
    const headers = [{ name: "x-test", string_match: { exact: "1" } }];
    const { test, url } = await plane({ filter: faultFilter({ delay, headers, max_active_faults: 1 }) });
    expect((await fetch(url)).status).toBe(200);
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\nx-test: 1\r\n\r\n");
    await eventually(() => test.gauge("http.test.fault.active_faults") === 1);
    expect((await fetch(url, { headers: { "x-test": "1" } })).status).toBe(200);
    expect(test.counter("http.test.fault.faults_overflow")).toBe(1);
  });
});

describe("header mutation", () => {
  it("changes requests and responses", async () => {
    const set = (key: string, value: string) => ({
      append: { header: { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
    });
    const mutations = {
      request_mutations: [set("x-limpid-peer", "a;b"), { remove: "x-gone" }],
      response_mutations: [set("x-out", "%RESPONSE_CODE%")],
    };
    const { seen, url, test } = await plane({
      filter: { name: "hm", typed_config: { "@type": type("header_mutation.v3.HeaderMutation"), mutations } },
    });
    const response = await fetch(url, { headers: { "x-limpid-peer": "forged", "x-gone": "1" } });
    expect(response.headers.get("x-out")).toBe("200");
    expect(seen[0]).toMatchObject({ "x-limpid-peer": "a;b" });
    expect(seen[0]).not.toHaveProperty("x-gone");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.requestHeaders).toContain("a;b");
  });
});

describe("cors", () => {
  const policy = {
    allow_origin_string_match: [{ exact: "http://good.example" }],
    allow_methods: "GET,PUT",
    allow_headers: "x-a",
    max_age: "60",
    expose_headers: "x-b",
    allow_credentials: true,
  };
  const cors = (changes: object = {}) =>
    plane({
      filter: { name: "envoy.filters.http.cors", typed_config: { "@type": type("cors.v3.Cors") } },
      route: {
        typed_per_filter_config: {
          "envoy.filters.http.cors": { "@type": type("cors.v3.CorsPolicy"), ...policy, ...changes },
        },
      },
    });
  const preflight = { "access-control-request-method": "PUT" };

  it("answers a preflight from an allowed origin", async () => {
    const { url, seen } = await cors();
    const response = await fetch(url, { method: "OPTIONS", headers: { origin: "http://good.example", ...preflight } });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "http://good.example",
      "access-control-allow-methods": "GET,PUT",
      "access-control-allow-headers": "x-a",
      "access-control-allow-credentials": "true",
      "access-control-max-age": "60",
    });
    expect(seen).toHaveLength(0);
  });

  it("marks the response to an allowed origin, and no other", async () => {
    const { url } = await cors();
    const good = await fetch(url, { headers: { origin: "http://good.example" } });
    expect(good.headers.get("access-control-allow-origin")).toBe("http://good.example");
    expect(good.headers.get("access-control-expose-headers")).toBe("x-b");
    const bad = await fetch(url, { headers: { origin: "http://bad.example" } });
    expect(bad.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("answers a preflight from another origin without its permission where it is not to be forwarded", async () => {
    const { test, url, seen } = await cors({ forward_not_matching_preflights: false });
    const response = await fetch(url, { method: "OPTIONS", headers: { origin: "http://bad.example", ...preflight } });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("access-control-allow-methods")).toBe("GET,PUT");
    expect(seen).toHaveLength(0);
    await eventually(() => test.gauge("http.test.downstream_rq_active") === 0);
    expect(test.lastRecord.responseCodeDetails).toBe("cors_response");
  });

  it("forwards such a preflight otherwise", async () => {
    const { url, seen } = await cors();
    const response = await fetch(url, { method: "OPTIONS", headers: { origin: "http://bad.example", ...preflight } });
    expect(await response.text()).toBe("ok");
    expect(seen).toHaveLength(1);
  });

  it("takes the star for every origin", async () => {
    const { url } = await cors({ allow_origin_string_match: [{ exact: "*" }], allow_methods: "*", allow_headers: "*" });
    const response = await fetch(url, { headers: { origin: "http://any.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBe("http://any.example");
    const headers = { origin: "http://any.example", ...preflight, "access-control-request-headers": "x-y" };
    const asked = await fetch(url, { method: "OPTIONS", headers });
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      "access-control-allow-origin": "http://any.example",
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-y",
    });
  });
});
