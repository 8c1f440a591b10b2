import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonFormatter } from "../access-log/formatters.ts";
import { type PlaneOptions, staticCluster, toCluster } from "../test-plane.ts";
import { type Ask, BesideEnvoy, envoyMissing } from "../testing/beside-envoy.ts";

// Every command operator, in text and in JSON, on the same requests through real Envoy and through our data path.

const both = new BesideEnvoy();

/** What differs from run to run is told by its form. */
const varying: [RegExp, string][] = [
  [/\d{4}([-/])\d\d\1\d\dT\d\d:\d\d:\d\d/g, "$1TIME"],
  [/\.\d{3,9}(?=Z|[+-]\d{4}|\b)/g, ".FRACTION"],
  [/\b1[789]\d{8}\b/g, "UNIX"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID"],
  [/127\.0\.0\.1:\d{2,5}/g, "HERE"],
];

const operators = [
  [
    "START_TIME",
    "START_TIME_LOCAL",
    "EMIT_TIME",
    "EMIT_TIME_LOCAL",
    "START_TIME(%s)",
    "START_TIME(%Y/%m/%dT%H:%M:%S%z)",
  ],
  ["REQUEST_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES", "BYTES_RECEIVED", "BYTES_SENT"],
  ["BYTES_RETRANSMITTED", "PACKETS_RETRANSMITTED", "PROTOCOL", "UPSTREAM_PROTOCOL", "RESPONSE_CODE"],
  ["RESPONSE_CODE_DETAILS", "RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)", "CONNECTION_TERMINATION_DETAILS"],
  ["UPSTREAM_REQUEST_ATTEMPT_COUNT", "CUSTOM_FLAGS", "RESPONSE_FLAGS", "RESPONSE_FLAGS_LONG", "ROUTE_NAME"],
  ["VIRTUAL_CLUSTER_NAME", "UPSTREAM_HOST", "UPSTREAM_HOST_NAME", "UPSTREAM_HOST_NAME_WITHOUT_PORT"],
  ["UPSTREAM_HOSTS_ATTEMPTED", "UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT", "UPSTREAM_HOST_NAMES_ATTEMPTED"],
  ["UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT", "UPSTREAM_CLUSTER", "UPSTREAM_CLUSTER_RAW"],
  ["UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "UPSTREAM_REMOTE_ADDRESS", "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"],
  ["UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID", "UPSTREAM_TRANSPORT_FAILURE_REASON", "DOWNSTREAM_REMOTE_ADDRESS"],
  ["DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)"],
  ["DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"],
  ["DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT", "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID", "STREAM_ID", "UNIQUE_ID"],
  ["TRACE_ID", "SPAN_ID", "GRPC_STATUS", "GRPC_STATUS(SNAKE_STRING)", "GRPC_STATUS(NUMBER)", "GRPC_STATUS_NUMBER"],
  [
    "REQ(:METHOD)",
    "REQ(X-NONE?X-A)",
    "REQ(X-A):2",
    "REQ(HOST)",
    "REQUEST_HEADER(:SCHEME)",
    "RESP(:STATUS)",
    "RESP(X-R)",
  ],
  ["RESPONSE_HEADER(X-NONE?CONTENT-TYPE)", "TRAILER(X-T)", "PATH", "PATH(WQ)", "PATH(NQ)", "PATH(NQ:ORIG)"],
  ["PATH(WQ:PATH)", "PATH(NQ:ORIG_OR_PATH)", "QUERY_PARAM(a)", "QUERY_PARAM(b)", "QUERY_PARAM(c)", "QUERY_PARAMS"],
  [
    "QUERY_PARAMS(ORIG)",
    "QUERY_PARAMS(DECODED)",
    "DYNAMIC_METADATA(dyn)",
    "DYNAMIC_METADATA(dyn:list)",
    "METADATA(DYNAMIC:dyn:deep:x)",
  ],
  ["CLUSTER_METADATA(of)", "UPSTREAM_METADATA(of:host)", 'UPSTREAM_METADATA(["of","host"])', "METADATA(ROUTE:of)"],
  ["METADATA(ROUTE:of:n)", "METADATA(LISTENER:of:listener)", "METADATA(LISTENER_FILTER_CHAIN:of:chain)"],
  [
    "METADATA(VIRTUAL_HOST:of:host)",
    "METADATA(CLUSTER:of:c:d)",
    "METADATA(UPSTREAM_HOST:of)",
    "METADATA(ROUTE:of:flag)",
  ],
  ["FILTER_STATE(none)", "FILTER_STATE(none:PLAIN)", "UPSTREAM_FILTER_STATE(none)", "FILTER_STATE(none:FIELD:f)"],
  ["FILTER_STATE(envoy.filters.http.grpc_stats)", "FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)"],
  ["FILTER_STATE(envoy.filters.http.grpc_stats:FIELD:request_message_count)"],
  ["REQUESTED_SERVER_NAME", "REQUESTED_SERVER_NAME(HOST_FIRST)", "REQUESTED_SERVER_NAME(SNI_FIRST:ORIG)"],
  [
    "REQUESTED_SERVER_NAME(SNI_ONLY)",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_PEER_CERT_V_START",
  ],
  [
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "TLS_JA3_FINGERPRINT",
    "HOSTNAME",
    "LOCAL_REPLY_BODY",
  ],
  [
    'COALESCE({"operators": ["TRACE_ID", {"command": "REQ", "param": "x-none"}, {"command": "REQ", "param": "x-a"}]})',
    'COALESCE({"operators": ["GRPC_STATUS", {"command": "PATH", "param": "NQ", "max_length": 2}]})',
    'COALESCE({"operators": ["RESPONSE_CODE", "PROTOCOL"]})',
    'COALESCE({"operators": ["TRACE_ID", "SPAN_ID"]})',
    'COALESCE({"operators": [{"command": "REQ", "param": "x-empty"}, "CUSTOM_FLAGS", "PROTOCOL"]})',
    'COALESCE({"operators": [{"command": "DYNAMIC_METADATA", "param": "dyn"}]})',
    'COALESCE({"operators": ["UPSTREAM_CLUSTER", "PROTOCOL"]}):3',
    'COALESCE({"operators": ["RESPONSE_CODE"]}):2',
    'COALESCE({"operators": [{"command": "FILTER_STATE", "param": "envoy.filters.http.grpc_stats"}, "PROTOCOL"]})',
  ],
  [
    ...["request.path", "request.url_path", "request.query", "request.host", "request.method", "request.scheme"],
    ...["request.protocol", "request.useragent", "request.referer", "request.size", "request.headers['x-a']"],
    ...["request.headers['x-none']", "'x-a' in request.headers", "has(request.referer)"],
    ...["request['method']", "request.path.startsWith('/p')", "request.path.matches('^/p.*')", "size(request.path)"],
    ...["request.headers[':path']", "request.time.getFullYear() > 2000", "request.duration > duration('0s')"],
    ...["response.code", "response.code >= 500 ? 'bad' : 'good'", "response.code_details", "response.flags"],
    ...["response.grpc_status", "response.size", "response.headers['content-type']", "response.trailers"],
    ...["connection.mtls", "connection.requested_server_name", "connection.tls_version", "source.address"],
    ...["destination.port > 0", "upstream.request_attempt_count", "upstream.port > 0", "upstream.address"],
    ...["metadata.filter_metadata.dyn.deep.x", "metadata.filter_metadata['dyn']['list'][0]"],
    ...["metadata.filter_metadata['dyn']", "has(metadata.filter_metadata.none)", "metadata.filter_metadata.none.x"],
    ...["xds.route_name", "xds.route_metadata.filter_metadata.of.n", "xds.route_metadata.filter_metadata.of"],
    ...["xds.cluster_metadata.filter_metadata.of.a[1]", "xds.upstream_host_metadata.filter_metadata.of.host"],
    ...["xds.filter_chain_name", "1 + 2", "1.0 / 3.0", "1e20", "1.5 * 2.0", "-0.000012345", "7u", "b'ab'", "null"],
    ...["[1, 2]", "{'a': 1}", "duration('1.5s')", "duration('3723.000001s')", "duration('0.00001s')", "5 / 0", "-3"],
    ...[
      "timestamp('2020-01-01T00:00:00Z')",
      "timestamp('2020-01-01T00:00:00.120Z')",
      "int('5')",
      "type(1)",
      "1 == 1.0",
      "'a' + 'b'",
      "[1] + [2]",
      "b'a' + b'b'",
      "duration('1s') + duration('2s')",
      "request.path + 'x'",
    ],
    ...["request.size % 2", "true || request.referer == 'x'", "request.path.contains('q') && !connection.mtls"],
    ...["upstream.locality.region", "upstream.locality", "upstream.cx_pool_ready_duration >= duration('0s')"],
    ...["upstream.transport_failure_reason", "upstream.tls_version", "upstream.subject_peer_certificate"],
    ...[
      "connection.id > 0u",
      "connection.id > 0",
      "connection.transport_failure_reason",
      "connection.peer_certificate",
    ],
    ...["[1, 'a', [true, null], {'b': 1.5}]", "{'z': 1, 'a': {'c': b'x'}, 'n': null}", "{1: 2}", "{true: 2}"],
    ...["[type(1)]", "{'a': type(1)}", "{1u: 2}", "[duration('1s'), timestamp('2020-01-01T00:00:00Z')]"],
    ...["duration('-1.5s')", "upstream.locality.sub_zone"],
    ...["filter_state.none", "filter_state['envoy.filters.http.grpc_stats']", "has(filter_state.none)"],
    ...["upstream_filter_state.none", "size(filter_state['envoy.filters.http.grpc_stats'])"],
    ...["1.25", "100000.0 * 100000.0", "9007199254740993", "-0.1", "18446744073709551615u"],
  ].flatMap((expression) => [`CEL(${expression})`, `TYPED_CEL(${expression})`]),
  // Typed, Envoy writes these into its JSON, which has no such numbers: a line that nobody can read. Ours is null.
  ["CEL(1.0 / 0.0)", "CEL(-1.0 / 0.0)", "CEL(0.0 / 0.0)", "CEL(-0.0)"],
  // Typed, Envoy has null for what its filters keep, as nobody asks it for names; its own headers have its own address.
  ["CEL(filter_state)", "CEL(upstream_filter_state)", "CEL(request.headers)"],
  ["CEL(request.path):2", "CEL(response.code):2", "TYPED_CEL(request.path):2", "TYPED_CEL(response.code):2"],
  ["TYPED_CEL([request.path, 'longer']):3", "TYPED_CEL(b'longer'):3", "TYPED_CEL(duration('1.5s')):2"],
  ["FILTER_CHAIN_NAME", "ACCESS_LOG_TYPE", "ENVIRONMENT(HOME)", "ENVIRONMENT(NO_SUCH_VARIABLE)"],
].flat();

/** Durations are whole milliseconds, or nothing: both sides have the same of the two. */
const durations = [
  // Envoy's head has fields of the connection, too.
  [
    "RESPONSE_HEADERS_BYTES",
    "DURATION",
    "REQUEST_DURATION",
    "REQUEST_TX_DURATION",
    "RESPONSE_DURATION",
    "RESPONSE_TX_DURATION",
  ],
  [
    "COMMON_DURATION(DS_RX_BEG:DS_TX_END)",
    "COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)",
    "COMMON_DURATION(US_RX_END:DS_TX_END:ns)",
  ],
  ["COMMON_DURATION(DS_TX_END:DS_RX_BEG)", "UPSTREAM_CONNECTION_POOL_READY_DURATION", "CONNECTION_ID"],
  [
    "UPSTREAM_LOCAL_PORT",
    "UPSTREAM_REMOTE_PORT",
    "DOWNSTREAM_REMOTE_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_PORT",
    "DOWNSTREAM_LOCAL_PORT",
  ],
].flat();

const text = [...operators, ...durations].map((operator) => `%${operator}%`).join("|");
const json: JsonObject = {
  id: "%REQ(x-ask)%",
  ...Object.fromEntries(operators.map((operator, i) => [`o${i} ${operator}`, `%${operator}%`])),
  nested: {
    z: "%RESPONSE_CODE%",
    a: ["%PROTOCOL%", "%REQ(x-none)%", { k: "code %RESPONSE_CODE%" }],
    fixed: 1,
    yes: true,
    none: null,
  },
  mixed: "a %REQ(x-none)% %RESPONSE_CODE%",
  percent: "100%%",
  quote: 'say "%REQ(x-a)%"',
};

beforeAll(async () => {
  if (envoyMissing) return;
  const up = await both.fixtures.http((request, response) => {
    response.setHeader("x-r", "answer");
    response.setHeader("content-type", "text/plain");
    if (request.url?.startsWith("/503")) response.statusCode = 503;
    if (request.url?.startsWith("/call"))
      response.setHeader("content-type", "application/grpc").setHeader("grpc-status", "5");
    request.resume();
    request.on("end", () => response.end(Buffer.from("\0\0\0\0\x02ok")));
  });
  const cut = await both.fixtures.tcp((socket) => void socket.destroy());
  const metadata = (more: JsonObject): JsonObject => ({ metadata: { filter_metadata: { of: more } } });
  const cluster = staticCluster("up", [up], metadata({ c: { d: "deep" }, z: 1, a: [1, "x"] }));
  const endpoint = (cluster.load_assignment as { endpoints: { lb_endpoints: JsonObject[] }[] }).endpoints[0]
    ?.lb_endpoints[0];
  Object.assign(endpoint ?? {}, metadata({ host: "here" }));
  Object.assign((endpoint?.endpoint as JsonObject | undefined) ?? {}, { hostname: "up.test" });
  const group = (cluster.load_assignment as { endpoints: JsonObject[] }).endpoints[0];
  Object.assign(group ?? {}, { locality: { region: "r", zone: "z", sub_zone: 's"é' } });
  const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
  const hosts: JsonObject[] = [
    {
      name: "all",
      domains: ["*"],
      ...metadata({ host: "virtual" }),
      routes: [
        {
          name: "direct",
          match: { prefix: "/direct" },
          direct_response: { status: 404, body: { inline_string: 'no "such" thing' } },
        },
        {
          match: { prefix: "/cut" },
          route: {
            cluster: "cut",
            retry_policy: { retry_on: "reset", num_retries: 1, retry_back_off: { base_interval: "0.001s" } },
          },
        },
        { match: { prefix: "/gone" }, route: { cluster: "gone" } },
        { name: "rewritten", match: { prefix: "/old" }, route: { cluster: "up", prefix_rewrite: "/new" } },
        { ...toCluster("up"), name: "main", ...metadata({ n: 1.5, flag: true, text: "t" }) },
      ],
    },
  ];
  const listener = (manager: JsonObject): PlaneOptions => ({
    clusters: [cluster, staticCluster("cut", [cut])],
    hosts,
    manager,
    filters: [
      {
        name: "envoy.filters.http.grpc_stats",
        typed_config: {
          "@type": type("grpc_stats.v3.FilterConfig"),
          emit_filter_state: true,
          stats_for_all_methods: false,
        },
      },
      {
        name: "envoy.filters.http.set_metadata",
        typed_config: {
          "@type": type("set_metadata.v3.Config"),
          metadata: [{ metadata_namespace: "dyn", value: { list: [1, "b"], deep: { x: "y" }, b: false } }],
        },
      },
    ],
    listener: { ...metadata({ listener: "L" }) },
  });
  await both.start({ inside: listener({}), edge: listener({ use_remote_address: true }) }, {}, text, {
    "json.log": { json_format: json },
    "omit.log": { json_format: json, omit_empty_values: true },
  });
}, 90_000);

afterAll(() => both.close());

function comparable(line: string): string {
  return varying.reduce((changed, [form, name]) => changed.replace(form, name), line);
}

/** But for `1e+10`, which is ours with all of its digits. */
const bytes = (line: string): string =>
  comparable(line.replace(/(?<=":)-?\d[\d.e+-]*(?=[,}])/g, (number) => String(Number(number))));

const parsed = (line: string): unknown =>
  JSON.parse(line, (_, value) => {
    return typeof value === "string" ? comparable(value) : value;
  });

const asks: [string, Ask][] = [
  ["a request", { path: "/p/q?a=b%20c&b&d=%41+%26", headers: { "x-a": "first", "user-agent": "test" } }],
  ["one with a body", { method: "POST", path: "/p", headers: { "x-a": 'with "quotes" \\ and \x7e' }, body: "body" }],
  ["one with an empty field", { path: "/", headers: { "x-empty": "" } }],
  ["one that was forwarded", { path: "/", headers: { "x-forwarded-for": "10.1.2.3, 10.20.30.40" } }],
  ["one that was forwarded by six", { path: "/", headers: { "x-forwarded-for": "2001:db8:0:0:1::2" } }],
  ["one whose forwarder is unknown", { path: "/", headers: { "x-forwarded-for": "unknown" } }],
  ["a rewritten path", { path: "/old/x?a=1", headers: {} }],
  [
    "a call of gRPC",
    {
      method: "POST",
      path: "/call.S/M",
      headers: { "content-type": "application/grpc" },
      body: Buffer.from("\0\0\0\0\x02hi"),
    },
  ],
  [
    "a call without a status",
    { method: "POST", path: "/other", headers: { "content-type": "application/grpc" }, body: "" },
  ],
  ["an answer of the proxy", { path: "/direct" }],
  ["an upstream that breaks off", { path: "/cut" }],
  ["no cluster", { path: "/gone" }],
  ["an error of the upstream", { path: "/503" }],
];

describe.skipIf(envoyMissing)("command operators, like Envoy", () => {
  describe.each(["inside", "edge"])("%s", (side) => {
    it.each(asks)("%s", async (_, what) => {
      const { mine, theirs, record } = await both.ask(side, what);
      const [ours, envoys] = [mine.log.split("|"), theirs.log.split("|")];
      const form = (values: string[]) =>
        values.slice(operators.length).map((value) => (/^\d+$/.test(value) ? "number" : value));
      const named = (values: string[]) =>
        Object.fromEntries(operators.map((operator, i) => [operator, comparable(values[i] ?? "")]));
      expect(named(ours)).toEqual(named(envoys));
      expect(form(ours)).toEqual(form(envoys));
      for (const [file, omit] of [
        ["json.log", false],
        ["omit.log", true],
      ] as const) {
        const formatter = jsonFormatter(json, omit);
        if (!formatter.ok) throw new Error(formatter.errors.join("; "));
        const id = /"(ask-\d+)"/.exec(await both.envoyLine(file))?.[1];
        expect(id).toBeDefined();
        expect(parsed(formatter.value(record)), file).toEqual(parsed(await both.envoyLine(file)));
        expect(bytes(formatter.value(record).trimEnd()), file).toBe(bytes(await both.envoyLine(file)));
      }
    });
  });
});
