import { create, createRegistry, fromJson, type JsonObject, toJson } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  Authorization,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from "../../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import { addService } from "../../../lib/grpc.ts";
import { Fixtures, staticCluster, toCluster } from "../../test-plane.ts";
import { envoyMissing } from "../../testing/beside-envoy.ts";
import { type Outcome, Twins } from "../../testing/twins.ts";

// The same requests to real Envoy and to our filter, with the same service to ask: what that sees, what the client hears, what the upstream sees and what is logged agree.

const fixtures = new Fixtures();
const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.${name}`;
const filterName = "envoy.filters.http.ext_authz";
let overHttp: Twins;
let overGrpc: Twins;
/** What the service was asked, one entry a question. */
const asked: string[] = [];

const exact = (...names: string[]): JsonObject => ({ patterns: names.map((name) => ({ exact: name })) });
const perRoute = (config: JsonObject): JsonObject => ({
  typed_per_filter_config: { [filterName]: { "@type": type("ExtAuthzPerRoute"), ...config } },
});
const at = (prefix: string, more: JsonObject = {}): JsonObject => ({ ...toCluster("up"), match: { prefix }, ...more });

/** What the HTTP service says, by the path it is asked about. */
const said: Record<string, [number, Record<string, string | string[]>, string?]> = {
  "/ok": [200, {}],
  "/ok-headers": [
    200,
    {
      "x-user": "me",
      "x-more": ["1", "2"],
      "x-there": "new",
      "x-to-client": "c",
      "x-hidden": "h",
      "x-meta": "m",
      "x-envoy-auth-headers-to-remove": "x-gone, X-Gone-Too",
    },
    "body of the service",
  ],
  "/ok-route": [200, { "x-user": "vip" }],
  "/denied": [403, { "x-why": "because", "content-type": "text/html" }, "<p>no</p>"],
  "/denied-401": [401, { "www-authenticate": "Basic", "set-cookie": ["a=1", "b=2"], "x-hidden": "h", "x-meta": "m" }],
  "/redirect": [302, { location: "http://login.test/" }],
  "/204": [204, {}],
  "/429": [429, { "retry-after": "3" }, "slow"],
  "/500": [500, {}, "broken"],
};

async function httpService(): Promise<number> {
  return fixtures.http((request, response) => {
    let body = "";
    request.on("data", (bytes) => {
      body += bytes;
    });
    request.on("end", () => {
      const fields = Object.entries(request.headers).filter(([name]) => !volatile.test(name));
      asked.push(JSON.stringify([request.method, request.url, request.headers.host, fields.sort(), body]));
      const path = (request.url ?? "").replace(/^\/check/, "").replace(/\?.*/, "");
      if (path === "/slow") return;
      if (path === "/cut") {
        request.socket.destroy();
        return;
      }
      const [status, headers, text = ""] = said[path] ?? [200, {}];
      response.writeHead(status, headers).end(text);
    });
  });
}

const volatile =
  /^(x-ask|x-request-id|host|x-forwarded-for|x-envoy-expected-rq-timeout-ms|x-envoy-internal|connection)$/;

const added = (key: string, value: string, action?: string): JsonObject => ({
  header: { key, value },
  ...(action && { append_action: action }),
});

/** What the gRPC service says likewise. */
const answers: Record<string, JsonObject> = {
  "/ok": { status: {} },
  "/ok-headers": {
    ok_response: {
      headers: [
        added("x-user", "me", "OVERWRITE_IF_EXISTS_OR_ADD"),
        added("x-there", "new", "APPEND_IF_EXISTS_OR_ADD"),
        added("x-absent", "new", "ADD_IF_ABSENT"),
        added("x-there2", "new", "ADD_IF_ABSENT"),
        added("x-only", "new", "OVERWRITE_IF_EXISTS"),
        added("x-there3", "new", "OVERWRITE_IF_EXISTS"),
        { header: { key: "x-old", value: "set" }, append: false },
        { header: { key: "x-there4", value: "joined" }, append: true },
        { header: { key: "x-never", value: "joined" }, append: true },
      ],
      headers_to_remove: ["X-Gone", ":method", "host"],
      response_headers_to_add: [added("x-to-client", "c"), added("x-to-client", "d")],
    },
    dynamic_metadata: { who: "me", deep: { list: [1, true, null] } },
  },
  "/ok-query": {
    ok_response: {
      query_parameters_to_set: [
        { key: "b", value: "2" },
        { key: "new", value: "n" },
      ],
      query_parameters_to_remove: ["a", "nosuch"],
    },
  },
  "/ok-path": { ok_response: { headers: [added(":path", "/other?x=y", "OVERWRITE_IF_EXISTS_OR_ADD")] } },
  "/ok-route": { ok_response: { headers: [added("x-user", "vip", "OVERWRITE_IF_EXISTS_OR_ADD")] } },
  "/ok-old-metadata": { ok_response: { dynamic_metadata: { old: "1" } }, dynamic_metadata: { new: "1" } },
  "/denied": { status: { code: 7 } },
  "/denied-said": {
    status: { code: 16 },
    denied_response: {
      status: { code: "Unauthorized" },
      body: "who are you?",
      headers: [
        added("www-authenticate", "Basic"),
        added("set-cookie", "a=1"),
        added("set-cookie", "b=2"),
        added("content-type", "text/html"),
      ],
    },
    dynamic_metadata: { denied: true },
  },
  "/denied-status": { status: { code: 7 }, denied_response: { status: { code: "NotFound" } } },
  "/error-said": {
    status: { code: 13 },
    error_response: { status: { code: "BadGateway" }, body: "oops", headers: [added("x-why", "e")] },
  },
  "/error": { status: { code: 13 }, error_response: {} },
};

async function grpcService(): Promise<number> {
  const server = new Server();
  addService(server, Authorization, {
    check({ request }, callback) {
      const json = toJson(CheckRequestSchema, create(CheckRequestSchema, request), {
        registry: createRegistry(StringValueSchema),
      }) as {
        attributes: JsonObject;
      };
      asked.push(comparable(json.attributes));
      const path = (request.attributes?.request?.http?.path ?? "").replace(/\?.*/, "");
      if (path === "/slow") return;
      const answer = answers[path] ?? { status: {} };
      if (path === "/failed") callback({ code: 13, details: "broken" });
      else callback(null, fromJson(CheckResponseSchema, answer) as CheckResponse);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  fixtures.onClose(() => server.forceShutdown());
  return port;
}

/** Maps, whose fields have no order. */
const unordered = new Set(["headers", "contextExtensions", "filterMetadata", "typedFilterMetadata"]);

function comparable(attributes: JsonObject): string {
  const text = JSON.stringify(attributes, (key, value) => {
    if (["time", "id", "portValue", "x-ask", "x-request-id", "x-forwarded-for"].includes(key)) return undefined;
    if (unordered.has(key) && !Array.isArray(value)) return Object.fromEntries(Object.entries(value as object).sort());
    if (Array.isArray(value))
      return value.filter(({ key: name }) => !volatile.test(name)).sort((a, b) => (a.key < b.key ? -1 : 1));
    return value;
  });
  return text.replaceAll(/:\d{5}\b/g, ":PORT");
}

const message = (value: string): JsonObject => ({ "@type": "type.googleapis.com/google.protobuf.StringValue", value });

async function start(
  service: JsonObject,
  routes: JsonObject[],
  port: number,
  filter: JsonObject,
  host: JsonObject = {},
): Promise<Twins> {
  const up = await fixtures.http((request, response) => {
    const fields = Object.entries(request.headersDistinct).filter(([name]) => !/^(x-request-id|host)$/.test(name));
    let body = "";
    request.on("data", (bytes) => {
      body += bytes;
    });
    request.on("end", () => {
      response.setHeader("x-to-client", "upstream's");
      response.end(JSON.stringify([request.method, request.url, fields.sort(), body]));
    });
  });
  const special = await fixtures.http((_, response) => void response.end("special"));
  const http2 = {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  const isGrpc = "grpc_service" in service;
  return Twins.start(
    fixtures,
    {
      clusters: [
        staticCluster("up", [up]),
        staticCluster("special", [special]),
        staticCluster("authz", [port], isGrpc ? http2 : {}),
        staticCluster("nobody", []),
      ],
      hosts: [
        {
          name: "all",
          domains: ["*"],
          ...host,
          routes: [
            {
              ...toCluster("special"),
              match: { prefix: "/ok-route", headers: [{ name: "x-user", string_match: { exact: "vip" } }] },
            },
            ...routes,
            { match: { path: "/direct" }, direct_response: { status: 210 } },
            { ...toCluster("up"), match: { prefix: "/", headers: [{ name: "x-norout", present_match: false }] } },
          ],
        },
      ],
      filters: [
        {
          name: "envoy.filters.http.set_metadata",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config",
            metadata: [
              { metadata_namespace: "x", value: { a: [1, { b: null }] } },
              { metadata_namespace: "hidden", value: { a: 1 } },
              ...["x", "t", "t", "hidden"].map((metadata_namespace, index) => ({
                metadata_namespace,
                typed_value: message(`dynamic ${index}`),
              })),
              { metadata_namespace: "t2", typed_value: message("first") },
              { metadata_namespace: "t2", typed_value: message("second"), allow_overwrite: true },
            ],
          },
        },
        {
          name: filterName,
          typed_config: { "@type": type("ExtAuthz"), transport_api_version: "V3", ...service, ...filter },
        },
      ],
    },
    filterName,
  );
}

beforeAll(async () => {
  if (envoyMissing) return;
  const httpPort = await httpService();
  const grpcPort = await grpcService();
  const http = {
    http_service: {
      server_uri: { uri: "http://authz.test", cluster: "authz", timeout: "5s" },
      path_prefix: "/check",
      authorization_request: { headers_to_add: [{ key: "x-added", value: "by the filter" }] },
      authorization_response: {
        allowed_upstream_headers: exact("x-user", "x-more"),
        allowed_upstream_headers_to_append: exact("x-there"),
        allowed_client_headers: exact("x-why", "set-cookie"),
        allowed_client_headers_on_success: exact("x-to-client"),
        dynamic_metadata_from_headers: exact("x-meta"),
      },
    },
  };
  const uri = (cluster: string, more: JsonObject = {}, timeout = "5s"): JsonObject => ({
    http_service: { server_uri: { uri: "http://authz.test", cluster, timeout }, ...more },
  });
  const partial = (max_request_bytes: number): JsonObject => ({ max_request_bytes, allow_partial_message: true });
  const routes = [
    at("/off", perRoute({ disabled: true })),
    at("/slow", perRoute({ check_settings: uri("authz", {}, "0.1s") })),
    at("/bodyless", perRoute({ check_settings: { disable_request_body_buffering: true } })),
    at("/partial", perRoute({ check_settings: { with_request_body: partial(4) } })),
    at("/nobody", perRoute({ check_settings: uri("nobody") })),
    at("/all", perRoute({ check_settings: uri("authz") })),
    at("/open", perRoute({ check_settings: { ...uri("authz", { path_prefix: "/check/500" }) } })),
  ];
  overHttp = await start(http, routes, httpPort, {
    allowed_headers: exact("x-shown", "x-both", "content-type"),
    disallowed_headers: exact("x-both"),
    with_request_body: { max_request_bytes: 10 },
    clear_route_cache: true,
    status_on_error: { code: "ServiceUnavailable" },
  });
  const extensions = (context_extensions: JsonObject): JsonObject =>
    perRoute({ check_settings: { context_extensions } });
  overGrpc = await start(
    { grpc_service: { envoy_grpc: { cluster_name: "authz" }, timeout: "5s" } },
    [
      at(
        "/slow",
        perRoute({
          check_settings: { grpc_service: { envoy_grpc: { cluster_name: "authz" }, timeout: "0.1s" } },
        }),
      ),
      at("/metadata", {
        metadata: {
          filter_metadata: { r: { of: "route" }, hidden: { of: "route" } },
          typed_filter_metadata: { rt: message("of the route"), hidden: message("hidden") },
        },
      }),
      at("/extended", extensions({ a: "route", b: "c" })),
      at("/raw", perRoute({ check_settings: { with_request_body: { max_request_bytes: 100, pack_as_bytes: true } } })),
    ],
    grpcPort,
    {
      failure_mode_allow: true,
      failure_mode_allow_header_add: true,
      clear_route_cache: true,
      with_request_body: partial(8),
      include_tls_session: true,
      include_peer_certificate: true,
      metadata_context_namespaces: ["x", "r", "toString"],
      typed_metadata_context_namespaces: ["x", "t", "t2", "none"],
      route_metadata_context_namespaces: ["r", "x", "none"],
      route_typed_metadata_context_namespaces: ["r", "rt"],
    },
    extensions({ b: "host", d: "host" }),
  );
});

afterAll(() => fixtures.close());

const request = (method: string, path: string, fields: string[] = [], body = "") =>
  `${method} ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n$ASK\r\n${fields.map((field) => `${field}\r\n`).join("")}${
    body === "" ? "" : `Content-Length: ${body.length}\r\n`
  }\r\n${body}`;

const duration = ({ metadata, ...rest }: Outcome) => ({
  ...rest,
  metadata: metadata && { ...metadata, ...("ext_authz_duration" in (metadata as object) && { ext_authz_duration: 0 }) },
});

async function same(twins: Twins, text: string): Promise<void> {
  asked.length = 0;
  const { ours, envoys } = await twins.ask(text);
  expect(duration(ours)).toEqual(duration(envoys));
  const half = asked.length / 2;
  expect(asked.slice(0, half)).toEqual(asked.slice(half));
}

const fields = [
  "x-shown: 1",
  "x-shown: 2",
  "x-both: b",
  "x-hidden: h",
  "x-there: old",
  "x-there2: old",
  "x-there3: old",
  "x-there4: old",
  "x-old: old",
  "x-gone: g",
  "x-gone-too: g",
  "authorization: Basic abc",
  "x-envoy-auth-partial-body: mine",
  "x-user: root",
];

describe.skipIf(envoyMissing)("over HTTP, as Envoy asks", () => {
  it.each(Object.keys(said))("%s", async (path) => {
    await same(overHttp, request("GET", `${path}?a=b`, fields));
  });

  it.each<[string, string]>([
    ["no answer in time", request("GET", "/slow")],
    ["an answer that is cut", request("GET", "/cut")],
    ["nobody to ask", request("GET", "/nobody")],
    ["a route that doesn't ask", request("POST", "/off", [], "body")],
    ["a direct response", request("GET", "/direct")],
    ["no route", request("GET", "/x", ["x-norout: 1"])],
    ["a body", request("POST", "/ok", ["content-type: text/plain"], "0123456789")],
    ["a body that is too long", request("POST", "/ok", [], "0123456789a")],
    ["a refused body", request("POST", "/denied", [], "0123")],
    ["a body that isn't shown", request("POST", "/bodyless", [], "0123456789abc")],
    ["a part of a body", request("POST", "/partial", [], "0123456789abc")],
    ["a body as long as the part", request("POST", "/partial", [], "0123")],
    ["chunks", request("POST", "/ok", ["transfer-encoding: chunked"]).concat("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")],
    ["gRPC", request("POST", "/denied", ["content-type: application/grpc"], "x")],
    ["all of a service's fields to the client", request("GET", "/all/x")],
    ["an empty body", request("POST", "/ok", ["content-length: 0"])],
    ["bytes that are no text", request("GET", "/ok", ["x-shown: \xff\xfe\xc3\xa9"])],
  ])("%s", async (_, text) => {
    await same(overHttp, text);
  });

  it("counts alike", async () => {
    for (const name of ["ok", "denied", "error", "disabled"]) {
      const { ours, envoys } = await overHttp.counters(`http.test.ext_authz.${name}`);
      expect([name, ours]).toEqual([name, envoys]);
      const { ours: mine, envoys: theirs } = await overHttp.counters(`cluster.up.ext_authz.${name}`);
      expect([name, mine]).toEqual([name, theirs]);
    }
    const { ours, envoys } = await overHttp.counters("cluster.up.upstream_rq_403");
    expect(ours).toBe(envoys);
  });
});

describe.skipIf(envoyMissing)("over gRPC, as Envoy asks", () => {
  it.each(Object.keys(answers))("%s", async (path) => {
    await same(overGrpc, request("GET", `${path}?a=1&b=1&c`, fields));
  });

  it.each<[string, string]>([
    ["no answer in time", request("GET", "/slow")],
    ["a failure", request("GET", "/failed", ["x-envoy-auth-failure-mode-allowed: no"])],
    ["a whole body", request("POST", "/ok", [], "01234")],
    ["a part of a body", request("POST", "/ok", [], "0123456789")],
    ["a body of bytes", request("POST", "/raw", [], "\x00\xff\xfe")],
    ["a body that is no text", request("POST", "/ok", [], "\x00\xff\xfe")],
    ["what routes add", request("GET", "/extended")],
    ["metadata of the route", request("GET", "/metadata")],
    ["gRPC", request("POST", "/denied-said", ["content-type: application/grpc"], "x")],
    ["bytes that are no text", request("GET", "/ok", ["x-shown: \xff\xfe\xc3\xa9"])],
    ["a query without values", request("GET", "/ok-query?z&a=2&a=3&b=%20&=x&y==")],
  ])("%s", async (_, text) => {
    await same(overGrpc, text);
  });

  it("counts alike", async () => {
    for (const name of ["ok", "denied", "error", "failure_mode_allowed"]) {
      const { ours, envoys } = await overGrpc.counters(`http.test.ext_authz.${name}`);
      expect([name, ours]).toEqual([name, envoys]);
    }
  });
});
