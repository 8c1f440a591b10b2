import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import {
  clusterFrom,
  endpointsFrom,
  eventually,
  Fixtures,
  lbEndpoint,
  staticCluster,
  type TestPlane,
  toCluster,
} from "../../test-plane.ts";
import { HealthFlag } from "../health-flags.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const often = {
  timeout: "2s",
  interval: "0.02s",
  no_traffic_interval: "0.02s",
  unhealthy_threshold: 1,
  healthy_threshold: 1,
};
const checked = (check: JsonObject, fields: JsonObject = {}): JsonObject => ({
  health_checks: [{ ...often, ...check }],
  ...fields,
});
const http = (fields: JsonObject = {}) => checked({ http_health_check: { path: "/health", ...fields } });

const hosts = ({ plane }: TestPlane) => plane.clusterMap.get("up")?.allEndpoints ?? [];
const flags = (test: TestPlane) => hosts(test).map(({ health }) => health.flags);
const healthy = (test: TestPlane) => () => test.gauge("cluster.up.membership_healthy") === 1;
const sick = (test: TestPlane) => () => test.gauge("cluster.up.membership_healthy") === 0;

describe("HTTP", () => {
  it("asks as configured, over one connection, and follows the answers", async () => {
    let answer = 200;
    const seen: string[] = [];
    const ports = new Set<number | undefined>();
    const port = await fixtures.http((request, response) => {
      const { host, "user-agent": agent, "x-check": mark } = request.headers;
      seen.push(`${request.method} ${request.url} ${host} ${agent} ${mark}`);
      ports.add(request.socket.remotePort);
      response.writeHead(answer).end();
    });
    const fields = http({ host: "app.test", request_headers_to_add: [{ header: { key: "x-check", value: "yes" } }] });
    const test = await fixtures.plane({ clusters: [staticCluster("up", [port], fields)] });
    await eventually(healthy(test));
    expect(seen[0]).toBe("GET /health app.test Envoy/HC yes");
    expect(test.gauge("cluster.up.health_check.healthy")).toBe(1);
    answer = 503;
    await eventually(sick(test));
    expect(flags(test)).toEqual([HealthFlag.failedActiveCheck]);
    answer = 200;
    await eventually(healthy(test));
    expect(ports.size).toBe(1);
    expect(test.counter("cluster.up.health_check.failure")).toBeGreaterThan(0);
    // Checks are no traffic of the cluster.
    expect(test.counter("cluster.up.upstream_cx_total")).toBe(0);
  });

  it("asks for the cluster's name, or the endpoint's own, at the endpoint's own port", async () => {
    const names: (string | undefined)[] = [];
    const port = await fixtures.http((request, response) => {
      names.push(request.headers.host);
      response.end();
    });
    const own = { ...lbEndpoint(1) };
    const endpoint = {
      ...(own.endpoint as JsonObject),
      health_check_config: { port_value: port, hostname: "one.test" },
    };
    const assignment = (entry: JsonObject) => ({
      load_assignment: { cluster_name: "up", endpoints: [{ lb_endpoints: [entry] }] },
    });
    const test = await fixtures.plane({
      clusters: [
        staticCluster("up", [], { ...http(), ...assignment({ endpoint }) }),
        staticCluster("other", [port], http()),
      ],
    });
    await eventually(healthy(test));
    await eventually(() => names.includes("other"));
    expect(names).toContain("one.test");
  });

  it("takes a new connection for each where it may not keep one", async () => {
    const ports = new Set<number | undefined>();
    const port = await fixtures.http((request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [port], checked({ http_health_check: { path: "/" }, reuse_connection: false }))],
    });
    await eventually(() => ports.size > 3);
    expect(healthy(test)()).toBe(true);
  });

  it("statuses, bodies and names are expected as configured", async () => {
    const port = await fixtures.http((request, response) => {
      const answers: Record<string, () => void> = {
        "/204": () => response.writeHead(204).end(),
        "/body": () => response.end("all is well here"),
        "/name": () => response.writeHead(200, { "x-envoy-upstream-healthchecked-cluster": "right" }).end(),
        "/degraded": () => response.writeHead(200, { "x-envoy-degraded": "1" }).end(),
      };
      answers[request.url ?? ""]?.();
    });
    const hex = (text: string) => ({ text: Buffer.from(text).toString("hex") });
    const cases: [JsonObject, number][] = [
      [{ path: "/204" }, HealthFlag.failedActiveCheck],
      [{ path: "/204", expected_statuses: [{ start: "200", end: "300" }] }, 0],
      [{ path: "/body", receive: [hex("all"), hex("well")] }, 0],
      [{ path: "/body", receive: [hex("well"), hex("all")] }, HealthFlag.failedActiveCheck],
      [{ path: "/name", service_name_matcher: { prefix: "ri" } }, 0],
      [{ path: "/name", service_name_matcher: { exact: "wrong" } }, HealthFlag.failedActiveCheck],
      [{ path: "/degraded" }, HealthFlag.degradedActiveCheck],
    ];
    const clusters = cases.map(([fields], i) => staticCluster(`c${i}`, [port], checked({ http_health_check: fields })));
    const { plane } = await fixtures.plane({ clusters });
    for (const [i, [, expected]] of cases.entries()) {
      expect(plane.clusterMap.get(`c${i}`)?.allEndpoints[0]?.health.flags, `case ${i}`).toBe(expected);
    }
  });

  it("a status that may be asked again fails by threshold only", async () => {
    let answer = 200;
    let asked = 0;
    const port = await fixtures.http((_, response) => {
      asked++;
      response.writeHead(answer).end();
    });
    const check = { http_health_check: { path: "/", retriable_statuses: [{ start: "503", end: "504" }] } };
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [port], checked({ ...check, unhealthy_threshold: 3 }))],
    });
    await eventually(healthy(test));
    answer = 503;
    const before = asked;
    await eventually(sick(test));
    expect(asked - before).toBeGreaterThanOrEqual(3);
  });

  it("over HTTP/2 with prior knowledge", async () => {
    const server = createHttp2Server((request, response) => {
      response.writeHead(request.headers[":path"] === "/health" ? 200 : 500).end();
    });
    fixtures.onClose(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as AddressInfo;
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [port], http({ codec_client_type: "HTTP2" }))],
    });
    await eventually(healthy(test));
    test.plane.removeCluster("up");
  });

  it("a host that takes the question and says nothing has timed out", async () => {
    const port = await fixtures.http(() => {});
    const check = { http_health_check: { path: "/" }, timeout: "0.05s" };
    const test = await fixtures.plane({ clusters: [staticCluster("up", [port], checked(check))] });
    await eventually(() => test.counter("cluster.up.health_check.network_failure") > 0);
    expect(flags(test)).toEqual([HealthFlag.failedActiveCheck | HealthFlag.activeCheckTimeout]);
  });
});

describe("TCP", () => {
  it("is content with a connection, or compares what it gets", async () => {
    const port = await fixtures.tcp((socket) => void socket.on("data", (bytes) => socket.write(`<${bytes}>`)));
    const hex = (text: string) => ({ text: Buffer.from(text).toString("hex") });
    const test = await fixtures.plane({
      clusters: [
        staticCluster("connects", [port], checked({ tcp_health_check: {} })),
        staticCluster(
          "answers",
          [port],
          checked({ tcp_health_check: { send: hex("ping"), receive: [hex("<ping>")] } }),
        ),
        staticCluster("refuses", [1], checked({ tcp_health_check: {} })),
      ],
    });
    expect(test.gauge("cluster.connects.membership_healthy")).toBe(1);
    expect(test.gauge("cluster.answers.membership_healthy")).toBe(1);
    expect(test.gauge("cluster.refuses.membership_healthy")).toBe(0);
    await eventually(() => test.counter("cluster.answers.health_check.success") > 2);
  });
});

describe("gRPC", () => {
  const http2 = {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };

  it("asks a real server for a service, and follows its status", async () => {
    const server = new Server();
    let serving = 1;
    const services: string[] = [];
    const frame = (bytes: Buffer) => bytes;
    server.addService(
      {
        Check: {
          path: "/grpc.health.v1.Health/Check",
          requestStream: false,
          responseStream: false,
          requestSerialize: frame,
          requestDeserialize: frame,
          responseSerialize: frame,
          responseDeserialize: frame,
        },
      },
      {
        Check: (call: { request: Buffer }, done: (error: null, answer: Buffer) => void) => {
          services.push(call.request.subarray(2).toString());
          done(null, Buffer.from([8, serving]));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    fixtures.onClose(() => server.forceShutdown());
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [port], checked({ grpc_health_check: { service_name: "a.B" } }, http2))],
    });
    await eventually(healthy(test));
    expect(services[0]).toBe("a.B");
    serving = 2;
    await eventually(sick(test));
    serving = 1;
    await eventually(healthy(test));
  });
});

describe("a cluster that checks", () => {
  it("is not in force before its hosts are known, and sends nothing to those that fail", async () => {
    const good = await fixtures.http((_, response) => void response.end("good"));
    const bad = await fixtures.http((_, response) => void response.writeHead(500).end("bad"));
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [bad, good], { ...http(), common_lb_config: { healthy_panic_threshold: {} } })],
      routes: [toCluster("up")],
    });
    for (let i = 0; i < 8; i++) {
      const client = await fixtures.client(test.port);
      const text = await client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").untilEnd();
      expect(text).toContain("good");
    }
  });

  it("combines what EDS says with what the checks say", async () => {
    const port = await fixtures.http((_, response) => void response.end());
    const cluster = { name: "up", type: "EDS", connect_timeout: "1s", eds_cluster_config: { eds_config: { ads: {} } } };
    const entry = (health_status: string) =>
      endpointsFrom({ cluster_name: "up", endpoints: [{ lb_endpoints: [{ ...lbEndpoint(port), health_status }] }] });
    const test = await fixtures.plane({
      clusters: [{ ...cluster, ...http() }],
      endpoints: [entry("UNHEALTHY")],
    });
    await eventually(() => test.counter("cluster.up.health_check.success") > 0);
    expect(flags(test)).toEqual([HealthFlag.failedEdsHealth]);
    test.plane.setEndpoints(entry("DRAINING"));
    expect(flags(test)).toEqual([HealthFlag.edsDraining]);
    test.plane.setEndpoints(entry("DEGRADED"));
    expect(test.gauge("cluster.up.membership_degraded")).toBe(1);
    test.plane.setEndpoints(entry("HEALTHY"));
    expect(test.gauge("cluster.up.membership_healthy")).toBe(1);
  });

  const emptied = endpointsFrom({ cluster_name: "up", endpoints: [] });
  const edsCluster = (fields: JsonObject = {}): JsonObject => ({
    name: "up",
    type: "EDS",
    connect_timeout: "1s",
    eds_cluster_config: { eds_config: { ads: {} } },
    ...http(),
    ...fields,
  });

  it("keeps a host that discovery has lost for as long as it is well", async () => {
    let answer = 200;
    const port = await fixtures.http((_, response) => void response.writeHead(answer).end());
    const one = endpointsFrom({ cluster_name: "up", endpoints: [{ lb_endpoints: [lbEndpoint(port)] }] });
    const test = await fixtures.plane({ clusters: [edsCluster()], endpoints: [one] });
    await eventually(healthy(test));
    test.plane.setEndpoints(emptied);
    expect(flags(test)).toEqual([HealthFlag.pendingRemoval]);
    test.plane.setEndpoints(one);
    expect(flags(test)).toEqual([0]);
    test.plane.setEndpoints(emptied);
    answer = 500;
    await eventually(() => hosts(test).length === 0);
    expect(test.gauge("cluster.up.membership_total")).toBe(0);
  });

  it("drops it at once where it is told to", async () => {
    const port = await fixtures.http((_, response) => void response.end());
    const one = endpointsFrom({ cluster_name: "up", endpoints: [{ lb_endpoints: [lbEndpoint(port)] }] });
    const test = await fixtures.plane({
      clusters: [edsCluster({ ignore_health_on_host_removal: true })],
      endpoints: [one],
    });
    await eventually(healthy(test));
    test.plane.setEndpoints(emptied);
    expect(hosts(test)).toEqual([]);
  });

  it("leaves hosts alone that are not to be checked, and forgets what it knew when it stops", async () => {
    const unchecked = lbEndpoint(1).endpoint as JsonObject;
    const endpoint = { ...unchecked, health_check_config: { disable_active_health_check: true } };
    const load_assignment = { cluster_name: "up", endpoints: [{ lb_endpoints: [{ endpoint }, lbEndpoint(2)] }] };
    const test = await fixtures.plane({ clusters: [staticCluster("up", [], { ...http(), load_assignment })] });
    expect(flags(test)).toEqual([0, HealthFlag.failedActiveCheck]);
    test.plane.setCluster(clusterFrom(staticCluster("up", [1, 2])));
    expect(flags(test)).toEqual([0, 0]);
  });

  it("takes a host out that says with a response that it is failing", async () => {
    let failing = false;
    const port = await fixtures.http((request, response) => {
      const immediate = failing && request.url !== "/health";
      response.writeHead(200, immediate ? { "x-envoy-immediate-health-check-fail": "true" } : {}).end();
    });
    const test = await fixtures.plane({
      clusters: [
        staticCluster(
          "up",
          [port],
          checked({ http_health_check: { path: "/health" }, interval: "3600s", no_traffic_interval: "3600s" }),
        ),
      ],
      routes: [toCluster("up")],
    });
    await eventually(() => healthy(test)() && test.counter("cluster.up.health_check.success") === 1);
    failing = true;
    const client = await fixtures.client(test.port);
    await client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").untilEnd();
    expect(flags(test)).toEqual([HealthFlag.failedActiveCheck | HealthFlag.excludedAtOnce]);
    expect(test.counter("cluster.up.health_check.passive_failure")).toBe(1);
  });
});
