import { create, type JsonObject, toJson } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  RateLimitResponse_Code as Code,
  RateLimitRequestSchema,
  RateLimitResponseSchema,
  RateLimitService,
  RateLimitResponse_RateLimit_Unit as Unit,
} from "../../../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { addService } from "../../../lib/grpc.ts";
import { Fixtures, staticCluster, toCluster } from "../../test-plane.ts";
import { envoyMissing } from "../../testing/beside-envoy.ts";
import { type Outcome, Twins } from "../../testing/twins.ts";

// The same requests to real Envoy and to our filters: who is let through, what a service is asked, what the client hears and what is logged agree.

const fixtures = new Fixtures();
const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const localName = "envoy.filters.http.local_ratelimit";
const globalName = "envoy.filters.http.ratelimit";
let local: Twins;
let global: Twins;
/** What the service was asked. */
const asked: string[] = [];

const all: JsonObject = { default_value: { numerator: 100 } };
const bucket = (max_tokens: number, seconds = 600): JsonObject => ({
  max_tokens,
  tokens_per_fill: 1,
  fill_interval: `${seconds}s`,
});
const limits = (token_bucket: JsonObject | undefined, more: JsonObject = {}): JsonObject => ({
  stat_prefix: "local",
  ...(token_bucket && { token_bucket }),
  filter_enabled: all,
  filter_enforced: all,
  ...more,
});
const header = (key: string, value: string): JsonObject => ({ header: { key, value } });
const ofHeader = (header_name: string, more: JsonObject = {}): JsonObject => ({
  request_headers: { header_name, descriptor_key: header_name, ...more },
});
const generic = (descriptor_value: string, more: JsonObject = {}): JsonObject => ({
  generic_key: { descriptor_value, ...more },
});
const perLocal = (config: JsonObject): JsonObject => ({
  typed_per_filter_config: { [localName]: { "@type": type("local_ratelimit.v3.LocalRateLimit"), ...config } },
});
const limit = (...actions: JsonObject[]): JsonObject => ({ actions });
const descriptor = (bucket_: JsonObject, ...entries: [string, string][]): JsonObject => ({
  entries: entries.map(([key, value]) => ({ key, value })),
  token_bucket: bucket_,
});
const at = (prefix: string, more: JsonObject = {}, action: JsonObject = {}): JsonObject => ({
  ...toCluster("up", action),
  match: { prefix },
  ...more,
});

const byUser = { rate_limits: [limit(ofHeader("x-user"))] };
const localRoutes: JsonObject[] = [
  at("/two", perLocal(limits(bucket(2), { response_headers_to_add: [header("x-limited", "%REQ(:path)%")] }))),
  at("/status", perLocal(limits(bucket(1), { status: { code: "ServiceUnavailable" } }))),
  at("/low-status", perLocal(limits(bucket(1), { status: { code: "OK" } }))),
  at(
    "/lax",
    perLocal(
      limits(bucket(1), {
        filter_enforced: undefined as never,
        request_headers_to_add_when_not_enforced: [header("x-over", "yes")],
      }),
    ),
  ),
  at("/off", perLocal(limits(bucket(1), { filter_enabled: { default_value: {} } }))),
  at("/headers", perLocal(limits(bucket(3), { enable_x_ratelimit_headers: "DRAFT_VERSION_03" }))),
  at("/connection", perLocal(limits(bucket(1), { local_rate_limit_per_downstream_connection: true }))),
  at("/exhausted", perLocal(limits(bucket(1), { rate_limited_as_resource_exhausted: true }))),
  at(
    "/users",
    perLocal(
      limits(bucket(100), {
        descriptors: [descriptor(bucket(1), ["x-user", "a"]), descriptor(bucket(2), ["x-user", "b"])],
        enable_x_ratelimit_headers: "DRAFT_VERSION_03",
      }),
    ),
    byUser,
  ),
  at("/anybody", perLocal(limits(bucket(100), { descriptors: [descriptor(bucket(1), ["x-user", ""])] })), byUser),
  at(
    "/own",
    perLocal(
      limits(bucket(100), {
        descriptors: [descriptor(bucket(1), ["x-user", "a"], ["generic_key", "g"])],
        rate_limits: [limit(ofHeader("x-user"), generic("g"))],
        always_consume_default_token_bucket: false,
      }),
    ),
    byUser,
  ),
  at(
    "/shared",
    perLocal(limits(bucket(8), { local_cluster_rate_limit: {}, enable_x_ratelimit_headers: "DRAFT_VERSION_03" })),
  ),
  at(
    "/shared-users",
    perLocal(
      limits(bucket(100), {
        descriptors: [descriptor(bucket(3), ["x-user", "a"]), descriptor(bucket(7), ["x-user", "b"])],
        local_cluster_rate_limit: {},
        enable_x_ratelimit_headers: "DRAFT_VERSION_03",
      }),
    ),
    byUser,
  ),
  at(
    "/scarce",
    perLocal(
      limits(bucket(2), {
        descriptors: [descriptor(bucket(5), ["x-user", "a"])],
        always_consume_default_token_bucket: false,
      }),
    ),
    byUser,
  ),
];

const perGlobal = (config: JsonObject): JsonObject => ({
  typed_per_filter_config: { [globalName]: { "@type": type("ratelimit.v3.RateLimitPerRoute"), ...config } },
});
const metadataKey = (key: string, ...path: string[]): JsonObject => ({
  key,
  path: path.map((segment) => ({ key: segment })),
});
const globalRoutes: JsonObject[] = [
  at("/plain", {}, { rate_limits: [limit(generic("g"))] }),
  at(
    "/kinds",
    { metadata: { filter_metadata: { m: { a: { b: "deep" } } } } },
    {
      rate_limits: [
        limit({ source_cluster: {} }, { destination_cluster: {} }, { remote_address: {} }),
        limit({ masked_remote_address: { v4_prefix_mask_len: 20 } }, generic("v", { descriptor_key: "k" })),
        limit(ofHeader("x-user"), ofHeader("x-none", { skip_if_absent: true })),
        limit(ofHeader("x-none")),
        limit({
          header_value_match: {
            descriptor_value: "get",
            headers: [{ name: ":method", string_match: { exact: "GET" } }],
          },
        }),
        limit({
          header_value_match: {
            descriptor_value: "no",
            expect_match: false,
            headers: [{ name: "x-user", present_match: true }],
          },
        }),
        limit({
          query_parameter_value_match: {
            descriptor_value: "q",
            query_parameters: [{ name: "a", string_match: { exact: "1" } }],
          },
        }),
        limit({ query_parameters: { query_parameter_name: "a", descriptor_key: "qa" } }),
        limit({ metadata: { descriptor_key: "md", metadata_key: metadataKey("m", "a", "b"), source: "ROUTE_ENTRY" } }),
        limit({
          metadata: { descriptor_key: "dyn", metadata_key: metadataKey("m", "a", "b"), default_value: "default" },
        }),
        limit({ metadata: { descriptor_key: "dyn", metadata_key: metadataKey("m", "a", "b") } }),
        { ...limit(generic("other stage")), stage: 1 },
        { ...limit(generic("three")), hits_addend: { number: 3 } },
        { ...limit(generic("computed")), hits_addend: { format: "%REQ(x-hits)%" } },
      ],
    },
  ),
  at("/nothing", {}, { rate_limits: [limit(ofHeader("x-none"))] }),
  at("/include", {}, { rate_limits: [limit(generic("route"))], include_vh_rate_limits: true }),
  at("/host"),
  at("/ignore", perGlobal({ vh_rate_limits: "IGNORE" })),
  at("/both", perGlobal({ vh_rate_limits: "INCLUDE" }), { rate_limits: [limit(generic("route"))] }),
  at(
    "/routes-own",
    perGlobal({
      rate_limits: [
        limit(generic("own")),
        { ...limit(generic("three")), hits_addend: { number: 3 } },
        { ...limit(generic("computed")), hits_addend: { format: "%REQ(x-hits)%" } },
      ],
      domain: "other",
    }),
    {
      rate_limits: [limit(generic("route"))],
    },
  ),
  at("/none", { route: { cluster: "nosuch", rate_limits: [limit(generic("x"))] } }),
];

/** What the service says, by the value of a header that it is told. */
function answerTo(user: string) {
  const quota = (requestsPerUnit: number, unit: Unit, limitRemaining: number, name = "") => ({
    code: Code.OK,
    currentLimit: { requestsPerUnit, unit, name },
    limitRemaining,
    durationUntilReset: { seconds: 7n },
  });
  switch (user) {
    case "over":
      return {
        overallCode: Code.OVER_LIMIT,
        statuses: [{ ...quota(10, Unit.MINUTE, 0), code: Code.OVER_LIMIT }],
        responseHeadersToAdd: [
          { key: "x-why", value: "much" },
          { key: "content-type", value: "text/html" },
        ],
        rawBody: Buffer.from("<p>slow</p>"),
      };
    case "bare":
      return { overallCode: Code.OVER_LIMIT };
    case "quota":
      return {
        overallCode: Code.OK,
        statuses: [quota(10, Unit.MINUTE, 5, "per minute"), quota(100, Unit.HOUR, 3), { code: Code.OK }],
      };
    case "told":
      return {
        overallCode: Code.OK,
        responseHeadersToAdd: [{ key: "x-to-client", value: "c" }],
        requestHeadersToAdd: [{ key: "x-to-upstream", value: "u" }],
        dynamicMetadata: { quota: 3 },
      };
    default:
      return { overallCode: Code.OK };
  }
}

async function service(): Promise<number> {
  const server = new Server();
  addService(server, RateLimitService, {
    shouldRateLimit({ request }, callback) {
      asked.push(JSON.stringify(toJson(RateLimitRequestSchema, request)));
      const entries = request.descriptors.flatMap((each) => each.entries);
      const user = entries.find(({ key }) => key === "x-user")?.value ?? "";
      if (user === "slow") return;
      if (user === "broken") callback({ code: 13, details: "broken" });
      else callback(null, create(RateLimitResponseSchema, answerTo(user)));
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  fixtures.onClose(() => server.forceShutdown());
  return port;
}

beforeAll(async () => {
  if (envoyMissing) return;
  const up = await fixtures.http((request, response) => {
    const fields = Object.entries(request.headers).filter(([name]) => !/^(x-request-id|host)$/.test(name));
    response.end(JSON.stringify([request.method, request.url, fields.sort()]));
  });
  const http2 = {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  local = await Twins.start(fixtures, {
    // Three proxies like this one.
    clusters: [staticCluster("up", [up]), staticCluster("peers", [1, 2, 3])],
    peers: "peers",
    routes: [...localRoutes.map((route) => JSON.parse(JSON.stringify(route))), toCluster("up")],
    filters: [
      { name: localName, typed_config: { "@type": type("local_ratelimit.v3.LocalRateLimit"), ...limits(bucket(1)) } },
    ],
  });
  const filter = (more: JsonObject): JsonObject => ({
    name: globalName,
    typed_config: {
      "@type": type("ratelimit.v3.RateLimit"),
      domain: "test",
      timeout: "5s",
      rate_limit_service: { grpc_service: { envoy_grpc: { cluster_name: "rls" } }, transport_api_version: "V3" },
      ...more,
    },
  });
  const strict = [limit(ofHeader("x-user"))];
  global = await Twins.start(
    fixtures,
    {
      clusters: [staticCluster("up", [up]), staticCluster("rls", [await service()], http2)],
      hosts: [
        {
          name: "all",
          domains: ["*"],
          rate_limits: [limit(generic("host"))],
          routes: [...globalRoutes, { match: { path: "/direct" }, direct_response: { status: 210 } }],
        },
        { name: "users", domains: ["users.test"], rate_limits: strict, routes: [toCluster("up")] },
        {
          name: "internal",
          domains: ["internal.test"],
          rate_limits: [{ ...strict[0], stage: 2 }],
          routes: [toCluster("up")],
        },
        { name: "slow", domains: ["slow.test"], rate_limits: [{ ...strict[0], stage: 4 }], routes: [toCluster("up")] },
        {
          name: "strict",
          domains: ["strict.test"],
          rate_limits: [{ ...strict[0], stage: 3 }],
          routes: [toCluster("up")],
        },
      ],
      filters: [
        filter({ enable_x_ratelimit_headers: "DRAFT_VERSION_03" }),
        filter({ stage: 2, request_type: "internal" }),
        filter({ stage: 4, timeout: "0.1s" }),
        filter({
          stage: 3,
          failure_mode_deny: true,
          rate_limited_as_resource_exhausted: true,
          disable_x_envoy_ratelimited_header: true,
          rate_limited_status: { code: "ServiceUnavailable" },
          response_headers_to_add: [header("x-limited", "yes")],
          status_on_error: { code: "BadGateway" },
          stat_prefix: "strict",
        }),
      ],
    },
    globalName,
  );
});

afterAll(() => fixtures.close());

const get = (path: string, host = "a.test", ...fields: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n$ASK\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;

/** When a bucket has a token again depends on the clock. */
const timeless = (outcome: Outcome): Outcome => ({
  ...outcome,
  answer: outcome.answer.replace(/(x-ratelimit-reset: )(5\d\d|600)$/m, "$1later"),
});

async function same(twins: Twins, text: string): Promise<string> {
  asked.length = 0;
  const { ours, envoys } = await twins.ask(text);
  expect(timeless(ours)).toEqual(timeless(envoys));
  const half = asked.length / 2;
  expect(asked.slice(0, half)).toEqual(asked.slice(half));
  return ours.log;
}

describe.skipIf(envoyMissing)("by buckets of its own, as Envoy limits", () => {
  it.each(["/two", "/status", "/low-status", "/lax", "/off", "/headers", "/connection", "/else", "/shared"])(
    "%s",
    async (path) => {
      for (let i = 0; i < 4; i++) await same(local, get(path));
    },
  );

  it.each(["/two", "/exhausted"])("gRPC: %s", async (path) => {
    for (let i = 0; i < 2; i++)
      await same(local, get(path, "a.test", "content-type: application/grpc", "content-length: 0"));
  });

  it.each(["/users", "/anybody", "/own", "/scarce", "/shared-users"])("by what a request is: %s", async (path) => {
    for (const user of ["a", "b", "a", "b", "b", "c", "d", "c", "a"])
      await same(local, get(path, "a.test", `x-user: ${user}`));
    for (let i = 0; i < 3; i++) await same(local, get(path));
  });

  it("counts alike", async () => {
    for (const name of ["enabled", "enforced", "rate_limited", "ok"]) {
      const { ours, envoys } = await local.counters(`local.http_local_rate_limit.${name}`);
      expect([name, ours]).toEqual([name, envoys]);
    }
  });
});

describe.skipIf(envoyMissing)("as a service says, as Envoy limits", () => {
  it.each(["/plain", "/nothing", "/include", "/host", "/ignore", "/both", "/routes-own", "/none", "/direct"])(
    "%s",
    async (path) => {
      await same(global, get(path));
    },
  );

  it.each<[string, string]>([
    ["all kinds", get("/kinds?a=1&b", "a.test", "x-user: me", "x-hits: 4")],
    ["hits", get("/routes-own", "a.test", "x-hits: 4")],
    ["hits that are no number", get("/routes-own", "a.test", "x-hits: many")],
    ["all kinds, the other way", get("/kinds?a=2", "a.test", "x-hits: many").replace("GET", "PUT")],
    ["an address from before", get("/kinds", "a.test", "x-forwarded-for: 9.9.9.9, 10.1.18.3")],
    ["no answer in time", get("/", "slow.test", "x-user: slow")],
    ["bytes that are no text", get("/", "users.test", "x-user: \xc3\xa9")],
    ["gRPC", get("/", "strict.test", "x-user: over", "content-type: application/grpc", "content-length: 0")],
    [
      "gRPC, unavailable",
      get("/", "users.test", "x-user: over", "content-type: application/grpc", "content-length: 0"),
    ],
  ])("%s", async (_, text) => {
    await same(global, text);
  });

  it.each(
    ["ok", "over", "bare", "quota", "told", "broken"].flatMap((user) =>
      ["users.test", "strict.test"].map((host) => [user, host]),
    ),
  )("%s at %s", async (user, host) => {
    await same(global, get("/", host, `x-user: ${user}`));
  });

  it("counts alike", async () => {
    for (const name of ["ok", "over_limit", "error", "failure_mode_allowed", "strict.ok", "strict.error"]) {
      const { ours, envoys } = await global.counters(`cluster.up.ratelimit.${name}`);
      expect([name, ours]).toEqual([name, envoys]);
      expect(ours).toBeGreaterThan(0);
    }
  });
});
