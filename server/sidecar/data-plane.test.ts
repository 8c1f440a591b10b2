import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import {
  clusterFrom,
  endpointsFrom,
  eventually,
  Fixtures,
  hostFrom,
  lbEndpoint,
  listenerFrom,
  listenerJson,
  routesFrom,
  staticCluster,
  type TestPlane,
  toCluster,
} from "./test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const ads = { config_source: { ads: {}, resource_api_version: "V3" } };
/** The test listener with its routes over RDS. */
function rdsListener(): JsonObject {
  const json = listenerJson({ manager: { rds: { route_config_name: "r", ...ads } } });
  const [chain] = json.filter_chains as { filters: { typed_config: JsonObject }[] }[];
  delete chain?.filters[0]?.typed_config.route_config;
  return json;
}
const edsCluster = (name: string): JsonObject => ({
  name,
  type: "EDS",
  eds_cluster_config: { eds_config: { ads: {} }, service_name: `${name}-service` },
});
const assignment = (name: string, ports: number[]) =>
  endpointsFrom({ cluster_name: name, endpoints: [{ lb_endpoints: ports.map(lbEndpoint) }] });
const vhost = (name: string, cluster: string) =>
  hostFrom({ name, domains: [name, `${name}:80`], routes: [toCluster(cluster)] });

const named = (name: string) => fixtures.http((_request, response) => response.end(name));
const call = async (port: number, host: string) => {
  const client = await fixtures.client(port);
  const text = await client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`).untilEnd();
  return { status: Number(text.slice(9, 12)), body: text.slice(text.indexOf("\r\n\r\n") + 4) };
};

describe("what is not supported is refused by name", () => {
  const manager = "listener test: filter_chains[0].filters[0].typed_config";
  it.each<[string, JsonObject, string]>([
    ["proxy protocol", { use_proxy_proto: true }, "filter_chains[0].use_proxy_proto: not supported"],
    [
      "TLS",
      { transport_socket: { name: "tls", typed_config: { "@type": "type.googleapis.com/google.protobuf.Empty" } } },
      "filter_chains[0].transport_socket.typed_config: google.protobuf.Empty is not supported",
    ],
    [
      "TLS without config",
      { transport_socket: { name: "tls" } },
      "filter_chains[0].transport_socket.typed_config: required",
    ],
    [
      "a match on the source",
      { filter_chain_match: { source_ports: [80] } },
      "filter_chains[0].filter_chain_match.source_ports: not supported",
    ],
  ])("%s on a chain", async (_, chain, error) => {
    const test = await fixtures.plane({});
    const json = listenerJson({});
    const [first] = json.filter_chains as JsonObject[];
    const listener = listenerFrom({ ...json, filter_chains: [{ ...first, ...chain }] });
    expect(test.plane.setListener(listener)).toEqual([`listener test: ${error}`]);
  });

  it.each<[string, JsonObject, string]>([
    [
      "a manager field",
      { scheme_header_transformation: { scheme_to_overwrite: "https" } },
      `${manager}.scheme_header_transformation: not supported`,
    ],
    ["HTTP/3", { codec_type: "HTTP3" }, `${manager}.codec_type: HTTP3 is not supported`],
    ["no router", { http_filters: [] }, `${manager}.http_filters: the last filter must be the router`],
    [
      "a nested manager field",
      { common_http_protocol_options: { headers_with_underscores_action: "REJECT_REQUEST" } },
      `${manager}.common_http_protocol_options.headers_with_underscores_action: not supported`,
    ],
  ])("%s", async (_, fields, error) => {
    const test = await fixtures.plane({});
    expect(test.plane.setListener(listenerFrom(listenerJson({ manager: fields })))).toEqual([error]);
  });

  it("an unknown filter", async () => {
    const test = await fixtures.plane({});
    const listener = listenerFrom(listenerJson({}));
    const filter = listener.filterChains[0]?.filters[0];
    if (filter?.configType.case === "typedConfig")
      filter.configType.value.typeUrl = "type.googleapis.com/envoy.x.TcpProxy";
    expect(test.plane.setListener(listener)).toEqual([
      "listener test: filter_chains[0].filters[0].typed_config: envoy.x.TcpProxy is not supported",
    ]);
  });

  it.each<[string, JsonObject, string]>([
    [
      "a service that is told of health checks",
      { health_checks: [{ timeout: "1s", event_service: {} }] },
      "cluster c: health_checks[0].event_service: not supported",
    ],
    [
      "balancer",
      { lb_policy: "CLUSTER_PROVIDED" },
      "cluster c: lb_policy: CLUSTER_PROVIDED is not supported by this type of cluster",
    ],
    ["TLS", { transport_socket: { name: "tls" } }, "cluster c: transport_socket.typed_config: required"],
    [
      "a subset that falls back to itself",
      {
        lb_subset_config: {
          subset_selectors: [{ keys: ["version"], fallback_policy: "KEYS_SUBSET", fallback_keys_subset: ["version"] }],
        },
      },
      "cluster c: lb_subset_config.subset_selectors[0].fallback_keys_subset: must be some of keys, and not all of them",
    ],
    [
      "a protocol chosen by ALPN",
      {
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            auto_config: {},
          },
        },
      },
      'cluster c: typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"].auto_config: needs a transport_socket with TLS, whose handshake chooses',
    ],
    [
      "a port that is none",
      { load_assignment: { endpoints: [{ lb_endpoints: [lbEndpoint(70_000)] }] } },
      "cluster c: load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.port_value: must be at most 65535",
    ],
  ])("cluster: %s", async (_, fields, error) => {
    const test = await fixtures.plane({});
    expect(test.plane.setCluster(clusterFrom({ ...staticCluster("c", []), ...fields }))).toEqual([error]);
  });

  it.each<[string, JsonObject, string]>([
    [
      "hash policy",
      { route: { cluster: "c", hash_policy: [{}] } },
      "routes[0].route.hash_policy[0].policy_specifier: required",
    ],
    [
      "rate limits without actions",
      { route: { cluster: "c", rate_limits: [{}] } },
      "routes[0].route.rate_limits[0].actions: at least one is required",
    ],
    [
      "retry condition",
      { route: { cluster: "c", retry_policy: { retry_on: "magic" } } },
      'routes[0].route.retry_policy.retry_on: "magic" is not supported',
    ],
    ["no action", {}, "routes[0].action: one of route, redirect, direct_response is required"],
    [
      "a bad regex",
      { match: { safe_regex: { regex: "(" } }, route: { cluster: "c" } },
      'routes[0].match.safe_regex.regex: "(" is invalid',
    ],
    [
      "formatter",
      { route: { cluster: "c" }, request_headers_to_add: [{ header: { key: "x", value: "%FOO%" } }] },
      "routes[0].request_headers_to_add[0].header.value: %FOO% is not supported",
    ],
    [
      "framing header",
      { route: { cluster: "c" }, request_headers_to_add: [{ header: { key: "Host", value: "x" } }] },
      'routes[0].request_headers_to_add[0].header.key: "Host" may not be changed',
    ],
  ])("route: %s", async (_, fields, error) => {
    const test = await fixtures.plane({});
    const host = hostFrom({ name: "h", domains: ["h"], routes: [{ match: { prefix: "/" }, ...fields }] });
    const [first, ...rest] = test.plane.setVirtualHost("r", host, "r/h");
    expect(rest).toEqual([]);
    expect(first).toContain(`virtual host r/h: ${error}`);
  });

  it("names all that cannot be compiled, each with its path", async () => {
    const test = await fixtures.plane({});
    const regex = {
      match: { safe_regex: { regex: "(" } },
      route: { cluster: "c", retry_policy: { retry_on: "magic" } },
    };
    const nowhere: JsonObject = { name: "b" };
    const headers = {
      ...toCluster("c"),
      request_headers_to_add: [{ header: { key: "Host", value: "x" } }, { header: { key: "x", value: "%FOO%" } }],
    };
    const table = {
      name: "r",
      virtual_hosts: [{ name: "a", domains: ["a"], routes: [regex, headers] }, nowhere],
    };
    expect(test.plane.setRouteConfiguration(routesFrom(table)).map((error) => error.slice(0, 72))).toEqual([
      'route r: virtual_hosts[0].routes[0].match.safe_regex.regex: "(" is inval',
      'route r: virtual_hosts[0].routes[0].route.retry_policy.retry_on: "magic"',
      "route r: virtual_hosts[0].routes[1].request_headers_to_add[0].header.key",
      "route r: virtual_hosts[0].routes[1].request_headers_to_add[1].header.val",
      "route r: virtual_hosts[1].domains: at least one is required",
    ]);
    const [chain] = listenerJson({}).filter_chains as JsonObject[];
    const bare = { ...chain, filter_chain_match: { server_names: ["*x"] }, filters: [] };
    const listener = { ...listenerJson({ manager: { codec_type: "HTTP3", http_filters: [] } }) };
    listener.filter_chains = [...(listener.filter_chains as JsonObject[]), bare];
    expect(test.plane.setListener(listenerFrom(listener))).toEqual([
      `${manager}.http_filters: the last filter must be the router`,
      `${manager}.codec_type: HTTP3 is not supported`,
      'listener test: filter_chains[1].filter_chain_match.server_names[0]: "*x" is neither a name nor "*." and a name',
      "listener test: filter_chains[1].filters: the last must be an HTTP connection manager or a TCP proxy",
    ]);
    const bad = { ...staticCluster("c", [70_000]), lb_policy: "CLUSTER_PROVIDED", transport_socket: { name: "tls" } };
    expect(test.plane.setCluster(clusterFrom(bad))).toEqual([
      "cluster c: lb_policy: CLUSTER_PROVIDED is not supported by this type of cluster",
      "cluster c: transport_socket.typed_config: required",
      "cluster c: load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.port_value: must be at most 65535",
    ]);
  });

  it("names everything at once, and leaves the version in force alone", async () => {
    const up = await named("up");
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
    const bad = { ...staticCluster("up", []), health_checks: [{ alt_port: 1 }], track_timeout_budgets: true };
    expect(test.plane.setCluster(clusterFrom(bad))).toEqual([
      "cluster up: health_checks[0].alt_port: not supported",
      "cluster up: track_timeout_budgets: not supported",
    ]);
    expect(await call(test.port, "a")).toEqual({ status: 200, body: "up" });
  });
});

describe("warming", () => {
  it("a listener waits for its routes, a cluster for its endpoints", async () => {
    const up = await named("up");
    const test = await fixtures.plane({});
    const { plane } = test;
    plane.removeListener("test");
    expect(plane.setCluster(clusterFrom(edsCluster("c")))).toEqual([]);
    expect(plane.requiredEndpoints()).toEqual(["c-service"]);
    const listener = rdsListener();
    expect(plane.setListener(listenerFrom(listener))).toEqual([]);
    expect(plane.requiredRoutes()).toEqual(["r"]);
    expect(plane.ready).toBe(false);
    expect(plane.boundListeners()).toEqual([]);
    expect(plane.setRouteConfiguration(routesFrom({ name: "r", vhds: ads }))).toEqual([]);
    expect(plane.wantsVhds()).toBe(true);
    expect(plane.setVirtualHost("r", vhost("a", "c"), "r/a")).toEqual([]);
    expect(plane.ready).toBe(false);
    expect(plane.setEndpoints(assignment("c-service", [up]))).toEqual([]);
    await plane.whenListening();
    const port = plane.boundListeners()[0]?.port ?? 0;
    expect(await call(port, "a")).toEqual({ status: 200, body: "up" });
    expect((await call(port, "b")).status).toBe(404);
  });
});

describe("updates", () => {
  /** A plane whose routes come over RDS and VHDS. */
  async function vhdsPlane(...clusters: [string, number][]): Promise<TestPlane> {
    const test = await fixtures.plane({ clusters: clusters.map(([name, port]) => staticCluster(name, [port])) });
    test.plane.removeListener("test");
    const json = rdsListener();
    expect(test.plane.setListener(listenerFrom(json))).toEqual([]);
    test.plane.setRouteConfiguration(routesFrom({ name: "r", vhds: ads }));
    test.plane.setVirtualHost("r", vhost("a", clusters[0]?.[0] ?? ""), "r/a");
    await test.plane.whenListening();
    test.port = test.plane.boundListeners()[0]?.port ?? 0;
    return test;
  }

  it("one virtual host is swapped, added and removed on an open connection", async () => {
    const test = await vhdsPlane(["one", await named("one")], ["two", await named("two")]);
    const client = await fixtures.client(test.port);
    const ask = async (host: string) => {
      client.received = "";
      await client
        .send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
        .until((text) => /\r\n\r\n(one|two)$|404 .*\r\n\r\n$/s.test(text));
      return /(one|two|404)/.exec(client.received.slice(9))?.[0];
    };
    const answer = async (host: string) => ((await ask(host)) === "404" ? "404" : client.received.slice(-3));
    expect(await answer("a:80")).toBe("one");
    test.plane.setVirtualHost("r", vhost("a", "two"), "r/a");
    expect(await answer("a:80")).toBe("two");
    test.plane.setVirtualHost("r", vhost("b", "one"), "r/b");
    expect(await answer("b")).toBe("one");
    test.plane.setRouteConfiguration(routesFrom({ name: "r", vhds: ads }));
    expect(await answer("b")).toBe("one");
    test.plane.removeVirtualHost("r/b");
    expect(await answer("b")).toBe("404");
    expect(test.plane.setVirtualHost("r", vhost("a", "two"), "r/c")[0]).toContain(
      'domains: "a" is already in virtual host "a"',
    );
  });

  it("everything changes all the time, and no request is dropped", async () => {
    const [one, two] = [await named("one"), await named("two")];
    const test = await vhdsPlane(["one", one], ["two", two]);
    const statuses = new Map<string, number>();
    let running = true;
    const load = Array.from({ length: 8 }, async () => {
      const client = await fixtures.client(test.port);
      while (running) {
        client.received = "";
        await client
          .send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
          .until((text) => /\r\n\r\n(one|two)$/.test(text) || !text.startsWith("HTTP/1.1 200".slice(0, text.length)));
        const key = client.received.slice(9, 12) + client.received.slice(-3);
        statuses.set(key, (statuses.get(key) ?? 0) + 1);
      }
    });
    const json = rdsListener();
    for (let round = 0; round < 100; round++) {
      const name = round % 2 === 0 ? "one" : "two";
      const port = round % 3 === 0 ? one : two;
      expect(test.plane.setVirtualHost("r", vhost("a", name), "r/a")).toEqual([]);
      expect(test.plane.setCluster(clusterFrom(staticCluster(name, round % 5 === 0 ? [port] : [one, two])))).toEqual(
        [],
      );
      expect(
        test.plane.setListener(listenerFrom({ ...json, metadata: { filter_metadata: { round: { round } } } })),
      ).toEqual([]);
      expect(test.plane.setRouteConfiguration(routesFrom({ name: "r", vhds: ads }))).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    running = false;
    await Promise.all(load);
    expect([...statuses.keys()].sort()).toEqual(["200one", "200two"]);
    // All eight clients kept their connection through every listener update.
    expect(test.counter("http.test.downstream_cx_total")).toBe(8);
  });

  it("an endpoint that stays keeps its connections, one that goes is drained", async () => {
    const [one, two] = [await named("one"), await named("two")];
    const test = await fixtures.plane({
      clusters: [edsCluster("c")],
      endpoints: [assignment("c-service", [one])],
      routes: [toCluster("c")],
    });
    await call(test.port, "a");
    expect(test.counter("cluster.c.upstream_cx_total")).toBe(1);
    test.plane.setEndpoints(assignment("c-service", [one, two]));
    for (let i = 0; i < 4; i++) await call(test.port, "a");
    expect(test.counter("cluster.c.upstream_cx_total")).toBe(2);
    test.plane.setEndpoints(assignment("c-service", [two]));
    await eventually(() => test.gauge("cluster.c.upstream_cx_active") === 1);
    expect((await call(test.port, "a")).body).toBe("two");
    test.plane.removeCluster("c");
    expect((await call(test.port, "a")).status).toBe(503);
    expect([...test.stats.counters.keys()].filter((name) => name.startsWith("cluster.c."))).toEqual([]);
  });

  it("a new address is bound before the old one drains", async () => {
    const up = await named("up");
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
    const old = await fixtures.client(test.port);
    await old.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until((text) => text.endsWith("up"));
    const moved = listenerJson({ routes: [toCluster("up")] });
    moved.address = { socket_address: { address: "127.0.0.2", port_value: 0 } };
    expect(test.plane.setListener(listenerFrom(moved))).toEqual([]);
    await test.plane.whenListening();
    const [bound] = test.plane.boundListeners();
    expect(bound?.address).toBe("127.0.0.2");
    await old.untilEnd();
  });

  it("resolves DNS clusters", async () => {
    const up = await named("up");
    const endpoint = { endpoint: { address: { socket_address: { address: "localhost", port_value: up } } } };
    const cluster = {
      name: "d",
      type: "STRICT_DNS",
      dns_lookup_family: "V4_ONLY",
      load_assignment: { cluster_name: "d", endpoints: [{ lb_endpoints: [endpoint] }] },
    };
    const test = await fixtures.plane({ clusters: [cluster], routes: [toCluster("d", { auto_host_rewrite: true })] });
    expect(await call(test.port, "a")).toEqual({ status: 200, body: "up" });
    expect(test.lastRecord).toMatchObject({ authority: "localhost", upstreamRemoteAddress: "127.0.0.1" });
  });
});
