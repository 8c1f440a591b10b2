import { afterEach, expect, it } from "vitest";
import { refreshServerStats } from "./server-stats.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "./test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

it("has the figures of a few requests that Envoy has of them", async () => {
  const gone = new Fixtures();
  const dead = await gone.tcp(() => {});
  gone.close();
  const up = await fixtures.http((_, response) => void response.end("ok"));
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [up]), staticCluster("dead", [dead])],
    routes: [
      { match: { prefix: "/ok" }, route: { cluster: "up" } },
      { match: { prefix: "/dead" }, route: { cluster: "dead" } },
      { match: { prefix: "/redirect" }, redirect: { path_redirect: "/x" } },
      { match: { prefix: "/direct" }, direct_response: { status: 200 } },
    ],
  });
  const client = await fixtures.client(test.port);
  client.send(["/ok", "/dead", "/redirect", "/direct", "/none"].map(get).join(""));
  await eventually(() => test.records.length === 5);
  refreshServerStats(test.stats, test.plane, "LIVE");
  const counted = (...names: string[]) => names.map((name) => test.counter(name));
  expect(counted("http.test.rq_total", "http.test.rq_direct_response", "http.test.rq_redirect")).toEqual([5, 2, 0]);
  // A request that found no connection was never sent.
  expect(counted("cluster.up.upstream_rq_total", "cluster.dead.upstream_rq_total")).toEqual([1, 0]);
  expect(counted("cluster.up.upstream_cx_http1_total", "http.test.downstream_rq_http1_total")).toEqual([1, 5]);
  expect(test.gauge("http.test.downstream_cx_http1_active")).toBe(1);
  expect(test.gauge("cluster.up.circuit_breakers.default.rq_open")).toBe(0);
});

it("says which circuit breaker is open", async () => {
  const up = await fixtures.tcp(() => {});
  const breakers = { circuit_breakers: { thresholds: [{ max_requests: 1, max_connections: 2 }] } };
  const test = await fixtures.plane({ clusters: [staticCluster("up", [up], breakers)], routes: [toCluster("up")] });
  (await fixtures.client(test.port)).send(get("/"));
  await eventually(() => test.gauge("cluster.up.upstream_rq_active") === 1);
  refreshServerStats(test.stats, test.plane, "LIVE");
  const open = (name: string) => test.gauge(`cluster.up.circuit_breakers.default.${name}_open`);
  expect([open("rq"), open("cx"), open("rq_pending"), open("rq_retry")]).toEqual([1, 0, 0, 0]);
});
