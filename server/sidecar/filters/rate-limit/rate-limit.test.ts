import type { JsonObject } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { RateLimiter } from "../../../ratelimit/rate-limiter.ts";
import { addRateLimitService } from "../../../ratelimit/service.ts";
import { ResponseFlag } from "../../record.ts";
import {
  clusterFrom,
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  staticCluster,
  toCluster,
} from "../../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};
const ratelimit = (more: JsonObject = {}): JsonObject => ({
  name: "ratelimit",
  typed_config: {
    "@type": type("ratelimit.v3.RateLimit"),
    domain: "test",
    timeout: "5s",
    rate_limit_service: { grpc_service: { envoy_grpc: { cluster_name: "rls" } } },
    ...more,
  },
});

/** Limpid's own service: two requests an hour for each user, ten for all together. */
async function limited(more: JsonObject = {}) {
  const limiter = new RateLimiter();
  limiter.reload([
    {
      domain: "test",
      descriptors: [
        { key: "user", rate_limit: { unit: "hour", requests_per_unit: 2, name: "per user" } },
        { key: "generic_key", value: "all", rate_limit: { unit: "hour", requests_per_unit: 10 } },
      ],
    },
  ] as never);
  const server = new Server();
  addRateLimitService(server, { limiter, clock: { now: () => 0 } as never });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  fixtures.onClose(() => server.forceShutdown());
  const up = await fixtures.http((_, response) => void response.end("in"));
  const rate_limits = [
    { actions: [{ request_headers: { header_name: "x-user", descriptor_key: "user" } }] },
    { actions: [{ generic_key: { descriptor_value: "all" } }] },
  ];
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [up]), staticCluster("rls", [port], http2)],
    routes: [toCluster("up", { rate_limits })],
    filters: [ratelimit({ enable_x_ratelimit_headers: "DRAFT_VERSION_03", ...more })],
  });
  const ask = (user?: string) =>
    fetch(`http://127.0.0.1:${test.port}/`, { headers: user === undefined ? {} : { "x-user": user } });
  return { test, ask, server };
}

describe("limits of Limpid's own service", () => {
  it("hold, and the client is told how it stands", async () => {
    const { test, ask } = await limited();
    const answers = [await ask("a"), await ask("a"), await ask("b"), await ask("a"), await ask()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 200]);
    const told = (index: number, name: string) => answers[index]?.headers.get(name);
    expect(told(0, "x-ratelimit-limit")).toBe('2, 2;w=3600;name="per user", 10;w=3600');
    expect([
      told(0, "x-ratelimit-remaining"),
      told(1, "x-ratelimit-remaining"),
      told(3, "x-envoy-ratelimited"),
    ]).toEqual(["1", "0", "true"]);
    expect(told(0, "x-ratelimit-reset")).toBe("3600");
    await eventually(() => test.records.length === 5);
    expect(test.records[3]).toMatchObject({
      responseFlags: ResponseFlag.rateLimited,
      responseCodeDetails: "request_rate_limited",
    });
    expect(test.counter("cluster.up.ratelimit.over_limit")).toBe(1);
  });

  it("hold nobody up when it is gone, or everybody, as is configured", async () => {
    const lax = await limited();
    lax.server.forceShutdown();
    expect((await lax.ask("a")).status).toBe(200);
    const strict = await limited({ failure_mode_deny: true });
    strict.server.forceShutdown();
    expect((await strict.ask("a")).status).toBe(500);
    await eventually(() => strict.test.records.length === 1);
    expect(strict.test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.rateLimitServiceError,
      responseCodeDetails: "rate_limiter_error",
    });
  });
});

describe("limits that proxies share", () => {
  const local = (more: JsonObject = {}): JsonObject => ({
    "@type": type("local_ratelimit.v3.LocalRateLimit"),
    stat_prefix: "local",
    token_bucket: { max_tokens: 5, tokens_per_fill: 1, fill_interval: "600s" },
    filter_enabled: { default_value: { numerator: 100 } },
    filter_enforced: { default_value: { numerator: 100 } },
    local_cluster_rate_limit: {},
    ...more,
  });
  const filter = (more?: JsonObject): JsonObject => ({ name: "local", typed_config: local(more) });

  it("are less with every proxy that joins", async () => {
    const up = await fixtures.http((_, response) => void response.end("in"));
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up]), staticCluster("peers", [1, 2])],
      peers: "peers",
      routes: [toCluster("up")],
      filters: [filter()],
    });
    const ask = async () => (await fetch(`http://127.0.0.1:${test.port}/`)).status;
    expect(await ask()).toBe(200);
    expect(test.plane.setCluster(clusterFrom(staticCluster("peers", [1, 2, 3])))).toEqual([]);
    expect([await ask(), await ask()]).toEqual([200, 429]);
  });

  it.each<[string, JsonObject, string]>([
    ["no cluster of theirs", {}, "local_cluster_rate_limit: the bootstrap names no cluster_manager.local_cluster_name"],
    [
      "connections of their own",
      { local_rate_limit_per_downstream_connection: true },
      "local_cluster_rate_limit: cannot be with local_rate_limit_per_downstream_connection",
    ],
  ])("need a cluster, and no buckets of connections: %s", async (_, more, problem) => {
    const test = await fixtures.plane({});
    const told = (options: Parameters<typeof listenerJson>[0]) =>
      test.plane.setListener(listenerFrom(listenerJson(options)));
    expect(told({ filters: [filter(more)] })).toEqual([expect.stringContaining(`typed_config.${problem}`)]);
    const route = { ...toCluster("up"), typed_per_filter_config: { local: local(more) } };
    expect(told({ filters: [filter({ local_cluster_rate_limit: null })], routes: [route] })).toEqual([
      expect.stringContaining(`typed_per_filter_config["local"].${problem}`),
    ]);
  });
});

describe("settings that cannot be", () => {
  it.each<[JsonObject, string]>([
    [{ domain: "" }, "domain: required"],
    [{ rate_limit_service: {} }, "rate_limit_service.grpc_service.envoy_grpc: required"],
    [{ rate_limits: [{}] }, "rate_limits[0].actions: at least one is required"],
    [
      { rate_limits: [{ actions: [{ extension: { name: "x" } }] }] },
      "rate_limits[0].actions[0].extension: not supported",
    ],
  ])("%j", async (config, problem) => {
    const test = await fixtures.plane({});
    expect(test.plane.setListener(listenerFrom(listenerJson({ filters: [ratelimit(config)] })))).toEqual([
      expect.stringContaining(`typed_config.${problem}`),
    ]);
  });
});
