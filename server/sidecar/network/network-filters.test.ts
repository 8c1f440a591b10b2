import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import {
  Authorization,
  type CheckRequest,
  CheckResponseSchema,
} from "../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import {
  RateLimitResponse_Code as Code,
  type RateLimitRequest,
  RateLimitResponseSchema,
  RateLimitService,
} from "../../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { addService } from "../../lib/grpc.ts";
import { ResponseFlag } from "../record.ts";
import {
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  routerFilter,
  staticCluster,
  type TestPlane,
  toCluster,
} from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.network.${name}`;
const tcpProxy: JsonObject = {
  name: "tcp",
  typed_config: {
    "@type": type("tcp_proxy.v3.TcpProxy"),
    stat_prefix: "t",
    cluster: "up",
    access_log: [{ name: "test" }],
  },
};
const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};
const filter = (proto: string, config: JsonObject): JsonObject => ({
  name: proto,
  typed_config: { "@type": type(proto), ...config },
});
const connectionLimit = (config: JsonObject = {}) =>
  filter("connection_limit.v3.ConnectionLimit", { stat_prefix: "c", max_connections: 1, ...config });
const localLimit = (config: JsonObject = {}) =>
  filter("local_ratelimit.v3.LocalRateLimit", {
    stat_prefix: "l",
    token_bucket: { max_tokens: 2, fill_interval: "600s" },
    ...config,
  });

/** An echo behind the filters. */
async function behind(filters: JsonObject[], clusters: JsonObject[] = []): Promise<TestPlane> {
  const up = await fixtures.tcp((socket) => void socket.pipe(socket));
  const listener = { filter_chains: [{ filters: [...filters, tcpProxy] }] };
  return fixtures.plane({ clusters: [staticCluster("up", [up]), ...clusters], listener });
}

/** Whether what it says comes back. */
async function served(test: TestPlane): Promise<boolean> {
  const client = await fixtures.client(test.port);
  return client
    .send("hello")
    .until((received) => received === "hello")
    .then(
      () => true,
      () => false,
    );
}

describe("connection limit", () => {
  it("holds for connections at a time, and lets in who comes when one has gone", async () => {
    const test = await behind([connectionLimit()]);
    const first = await fixtures.client(test.port);
    await first.send("a").until((received) => received === "a");
    expect(await served(test)).toBe(false);
    expect([
      test.counter("connection_limit.c.limited_connections"),
      test.gauge("connection_limit.c.active_connections"),
    ]).toEqual([1, 1]);
    first.socket.destroy();
    await eventually(() => test.gauge("connection_limit.c.active_connections") === 0);
    expect(await served(test)).toBe(true);
    const refused = test.records.find(({ responseCodeDetails }) => responseCodeDetails === "over_connection_limit");
    expect(refused?.upstreamAttempts).toBe(0);
  });

  it("keeps who is refused waiting, and counts him meanwhile", async () => {
    const test = await behind([connectionLimit({ delay: "60s" })]);
    const first = await fixtures.client(test.port);
    await first.send("a").until((received) => received === "a");
    const second = await fixtures.client(test.port);
    second.send("b");
    await eventually(() => test.counter("connection_limit.c.limited_connections") === 1);
    expect([second.ended, test.gauge("connection_limit.c.active_connections")]).toEqual([false, 2]);
  });

  it("closes after the delay", async () => {
    const test = await behind([
      connectionLimit({ max_connections: 1, delay: "0.02s" }),
      connectionLimit({ stat_prefix: "never" }),
    ]);
    const first = await fixtures.client(test.port);
    await first.send("a").until((received) => received === "a");
    expect(await served(test)).toBe(false);
    expect(test.counter("connection_limit.never.limited_connections")).toBe(0);
  });

  it("stands before HTTP as well", async () => {
    const up = await fixtures.http((_, response) => void response.end("in"));
    const manager = filter("http_connection_manager.v3.HttpConnectionManager", {
      stat_prefix: "test",
      route_config: { name: "local", virtual_hosts: [{ name: "all", domains: ["*"], routes: [toCluster("up")] }] },
      http_filters: [routerFilter],
    });
    const listener = { filter_chains: [{ filters: [connectionLimit(), manager] }] };
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], listener });
    const first = await fixtures.client(test.port);
    await first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until((received) => received.includes("in"));
    const second = await fixtures.client(test.port);
    expect(await second.untilEnd()).toBe("");
  });
});

describe("local rate limit", () => {
  it("holds for new connections in a time", async () => {
    const test = await behind([localLimit()]);
    expect([await served(test), await served(test), await served(test)]).toEqual([true, true, false]);
    expect(test.counter("local_rate_limit.l.rate_limited")).toBe(1);
    await eventually(() =>
      test.records.some(({ responseFlags }) => responseFlags === ResponseFlag.upstreamRetryLimitExceeded),
    );
  });

  it("may be shared by those who name it alike", async () => {
    const test = await behind([localLimit({ share_key: "k" }), localLimit({ share_key: "k", stat_prefix: "m" })]);
    expect([await served(test), await served(test)]).toEqual([true, false]);
    expect(test.counter("local_rate_limit.l.rate_limited")).toBe(1);
  });

  it("holds for nobody while it is switched off", async () => {
    const off = { default_value: false, runtime_key: "x" };
    const test = await behind([localLimit({ runtime_enabled: off }), connectionLimit({ runtime_enabled: off })]);
    expect([await served(test), await served(test), await served(test)]).toEqual([true, true, true]);
  });
});

async function listening(server: Server): Promise<JsonObject> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  fixtures.onClose(() => server.forceShutdown());
  return staticCluster("asked", [port], http2);
}
const service: JsonObject = { grpc_service: { envoy_grpc: { cluster_name: "asked" }, timeout: "5s" } };

describe("a service that limits connections", () => {
  const limit = (config: JsonObject = {}) =>
    filter("ratelimit.v3.RateLimit", {
      stat_prefix: "r",
      domain: "d",
      descriptors: [{ entries: [{ key: "a", value: "b" }] }],
      timeout: "5s",
      rate_limit_service: service,
      ...config,
    });

  it("is asked about each", async () => {
    const asked: RateLimitRequest[] = [];
    const server = new Server();
    addService(server, RateLimitService, {
      shouldRateLimit({ request }, callback) {
        asked.push(request);
        callback(null, create(RateLimitResponseSchema, { overallCode: asked.length > 1 ? Code.OVER_LIMIT : Code.OK }));
      },
    });
    const test = await behind([limit()], [await listening(server)]);
    expect([await served(test), await served(test)]).toEqual([true, false]);
    expect(asked[0]).toMatchObject({ domain: "d", descriptors: [{ entries: [{ key: "a", value: "b" }] }] });
    expect(["total", "ok", "over_limit", "cx_closed"].map((name) => test.counter(`ratelimit.r.${name}`))).toEqual([
      2, 1, 1, 1,
    ]);
    expect(test.gauge("ratelimit.r.active")).toBe(0);
  });

  it("lets in who comes while it is gone, or not, as is configured", async () => {
    const gone = staticCluster("asked", [], http2);
    expect(await served(await behind([limit()], [gone]))).toBe(true);
    const strict = await behind([limit({ failure_mode_deny: true })], [gone]);
    expect(await served(strict)).toBe(false);
    expect(strict.counter("ratelimit.r.error")).toBe(1);
  });
});

describe("a service that authorizes connections", () => {
  const authz = (config: JsonObject = {}) =>
    filter("ext_authz.v3.ExtAuthz", { stat_prefix: "tcp.", ...service, ...config });

  async function asking(answer: (asked: number) => MessageInitShape<typeof CheckResponseSchema> | undefined) {
    const asked: CheckRequest[] = [];
    const server = new Server();
    addService(server, Authorization, {
      check({ request }, callback) {
        asked.push(request);
        const said = answer(asked.length);
        if (said !== undefined) callback(null, create(CheckResponseSchema, said));
      },
    });
    return { asked, cluster: await listening(server) };
  }

  it("is told both ends, and its word holds", async () => {
    const { asked, cluster } = await asking((times) => ({ status: { code: times === 1 ? 0 : 7 } }));
    const test = await behind([authz()], [cluster]);
    expect([await served(test), await served(test)]).toEqual([true, false]);
    expect(asked[0]?.attributes?.destination?.address?.address.value).toMatchObject({
      address: "127.0.0.1",
      portSpecifier: { case: "portValue", value: test.port },
    });
    expect(["total", "ok", "denied", "cx_closed"].map((name) => test.counter(`ext_authz.tcp..${name}`))).toEqual([
      2, 1, 1, 1,
    ]);
    await eventually(() =>
      test.records.some(({ responseFlags }) => responseFlags === ResponseFlag.unauthorizedExternalService),
    );
  });

  it("is asked where RBAC's rules on trial say so, as Istio's CUSTOM has it", async () => {
    const { asked, cluster } = await asking(() => ({ status: { code: 7 } }));
    const trial = (name: string) =>
      filter("rbac.v3.RBAC", {
        stat_prefix: "tcp.",
        shadow_rules_stat_prefix: "custom_",
        shadow_rules: {
          action: "DENY",
          policies: { [name]: { permissions: [{ any: true }], principals: [{ any: true }] } },
        },
      });
    const enabled = {
      filter_enabled_metadata: {
        filter: "envoy.filters.network.rbac",
        path: [{ key: "custom_shadow_effective_policy_id" }],
        value: { string_match: { prefix: "ask" } },
      },
    };
    expect(await served(await behind([trial("ask"), authz(enabled)], [cluster]))).toBe(false);
    const other = await behind([trial("other"), authz(enabled)], [cluster]);
    expect(await served(other)).toBe(true);
    expect([asked.length, other.counter("ext_authz.tcp..disabled")]).toEqual([1, 1]);
  });

  it("holds nothing of a client that leaves before it answers", async () => {
    const { asked, cluster } = await asking(() => undefined);
    const test = await behind([authz()], [cluster]);
    const client = await fixtures.client(test.port);
    await eventually(() => asked.length === 1);
    expect(test.gauge("ext_authz.tcp..active")).toBe(1);
    client.socket.resetAndDestroy();
    await eventually(() => test.gauge("ext_authz.tcp..active") === 0);
    expect(
      [...test.stats.gauges].filter(
        ([name, { value }]) => name.startsWith("listener.") && name.endsWith("_cx_active") && value !== 0,
      ),
    ).toEqual([]);
  });
});

describe("settings that cannot be", () => {
  it.each<[JsonObject, string]>([
    [connectionLimit({ max_connections: 0 }), "max_connections: must be 1 at least"],
    [connectionLimit({ stat_prefix: "" }), "stat_prefix: required"],
    [localLimit({ token_bucket: { max_tokens: 1 } }), "token_bucket.fill_interval: required"],
    [filter("ratelimit.v3.RateLimit", { stat_prefix: "r" }), "domain: required"],
    [filter("ext_authz.v3.ExtAuthz", { stat_prefix: "r" }), "grpc_service.envoy_grpc: required"],
  ])("%j", async (config, problem) => {
    const test = await fixtures.plane({});
    const listener = { filter_chains: [{ filters: [config, tcpProxy] }] };
    expect(test.plane.setListener(listenerFrom(listenerJson({ listener })))).toEqual([
      expect.stringContaining(`filters[0].typed_config.${problem}`),
    ]);
  });
});
