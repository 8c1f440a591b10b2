import { create, toBinary } from "@bufbuild/protobuf";
import { StreamAccessLogsMessageSchema } from "../../server/gen/proto/envoy/service/accesslog/v3/als_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../server/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { ClientStatusRequestSchema } from "../../server/gen/proto/envoy/service/status/v3/csds_pb.js";
import { ExportTraceServiceRequestSchema } from "../../server/gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";

/** What HTTP gives a meaning: fields, framings and targets that servers were broken with. */
export const httpWords: readonly string[] = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  "?",
  "#",
  "//",
  "//[",
  "/%ff",
  "/%",
  "%00",
  "/../",
  "\\",
  "*",
  "http://localhost/",
  "http://[",
  "HTTP/1.0",
  "HTTP/2.0",
  "HTTP/9.9",
  "GET ",
  "POST ",
  "CONNECT ",
  "OPTIONS * ",
  "PRI * HTTP/2.0",
  "Host: \r\n",
  "Host: [::1\r\n",
  "Host: a b\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: chunked, chunked\r\n",
  "Transfer-Encoding: gzip\r\n",
  "ffffffffffffffff\r\n",
  "0\r\n\r\n",
  '5;a="b\r\n',
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Upgrade: h2c\r\n",
  "Expect: 100-continue\r\n",
  "Expect: x\r\n",
  "Content-Encoding: gzip\r\n",
  "Content-Type: application/json\r\n",
  "Content-Type: ;;\r\n",
  "Range: bytes=0-0,0-0\r\n",
  "x-envoy-original-path: //[\r\n",
  "x-request-id: \r\n",
  "traceparent: 00-zz\r\n",
  "x-envoy-upstream-rq-timeout-ms: -1\r\n",
  "x-envoy-retry-on: 5xx,\r\n",
  "x-limpid-peer: ;;;;;;\r\n",
  "{",
  "}",
  "[",
  "]",
  '"',
  "null",
  "1e999",
  '{"a":'.repeat(200),
  "[".repeat(500),
  "&a ",
  "*a",
  "!!binary ",
  "<<: ",
  "---\n",
  "? ",
  "\u0000",
];

/** HTTP requests as bytes, for a listener that knows these paths. */
export const requests = (host: string, paths: readonly string[]): Buffer[] =>
  paths.map((path) => {
    const [method = "GET", target = "/", type = "", body = ""] = path.split("|");
    const framing = body ? `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` : "";
    return Buffer.from(
      `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n${framing}User-Agent: fuzz\r\n\r\n${body}`,
      "latin1",
    );
  });

export const chunkedRequest = (host: string): Buffer =>
  Buffer.from(
    `POST /status/200 HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    "latin1",
  );

const virtualService = (spec: object): string =>
  JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "fuzz", namespace: "fuzz" },
    spec: { hosts: ["fuzz.test"], ...spec },
  });
const routed = virtualService({
  http: [
    {
      match: [{ uri: { regex: "^/a+$" }, headers: { "x-a": { exact: "b" } } }],
      timeout: "1.5s",
      retries: { attempts: 3, perTryTimeout: "25ms", retryOn: "5xx,reset" },
      fault: { delay: { fixedDelay: "1s", percentage: { value: 0.5 } }, abort: { httpStatus: 503 } },
      route: [{ destination: { host: "fuzz.test", subset: "v1", port: { number: 80 } }, weight: 100 }],
    },
  ],
});
const objects = "/apis/networking.istio.io/v1/namespaces/fuzz/virtualservices";

/** Calls of the control plane's two APIs: `method|target|type|body`. */
export const configCalls: readonly string[] = [
  "GET|/readyz",
  "GET|/metrics",
  "GET|/openapi/v3",
  "GET|/version",
  "GET|/limpid/v1/services",
  "GET|/limpid/v1/pushes/latest",
  "GET|/apis/networking.istio.io/v1/virtualservices?limit=2&labelSelector=a%3Db",
  "GET|/limpid/v1/services/default/reviews/routing",
  `POST|${objects}?dryRun=All|application/json|${routed}`,
  `POST|${objects}|application/yaml|${routed}`,
  `PUT|${objects}/fuzz|application/json|${routed}`,
  `DELETE|${objects}/fuzz`,
  `PATCH|${objects}/fuzz|application/json-patch+json|[{"op":"copy","from":"/metadata","path":"/metadata/z"}]`,
  `PATCH|${objects}/fuzz?fieldManager=f|application/apply-patch+yaml|{a: &b [*b, 1], "c": !!str x}`,
  `PUT|/limpid/v1/services/fuzz/reviews/routing/weights|application/json|{"rule":0,"weights":{"v1":50,"v2":50},"resourceVersion":null}`,
];

/** Calls of the dashboard. */
export const dashboardCalls: readonly string[] = [
  "GET|/topology",
  "GET|/services/default/reviews",
  "GET|/config/VirtualService/default/reviews",
  "GET|/api/graph?window=60",
  "GET|/api/status",
  "GET|/api/services/default/reviews/metrics?window=60",
  "GET|/_next/static/x.js",
  "GET|/_next/image?url=%2Fa.png&w=64&q=75",
  "GET|/api/changes?limit=5",
  `POST|/api/apply?dryRun=true|application/json|{"yaml":"apiVersion: v1\\nkind: Namespace\\nmetadata: {name: fuzz}\\n"}`,
  `PUT|/api/services/fuzz/reviews/routing/weights|application/json|{"rule":0,"weights":{"v1":100},"resourceVersion":null}`,
  'POST|/topology|multipart/form-data; boundary=x|--x\r\nContent-Disposition: form-data; name="1_$ACTION_ID_x"\r\n\r\n[]\r\n--x--\r\n',
];

const spans = JSON.stringify({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              traceId: `${"0".repeat(31)}1`,
              spanId: `${"0".repeat(15)}1`,
              name: "fuzz",
              startTimeUnixNano: "1",
              endTimeUnixNano: "2",
              attributes: [{ key: "a", value: { intValue: "9" } }],
            },
          ],
        },
      ],
    },
  ],
});

export const collectorCalls: readonly string[] = [
  "GET|/metrics",
  "GET|/healthz",
  `POST|/v1/traces|application/json|${spans}`,
  `POST|/v1/traces|application/x-protobuf|\n\u0002\n\u0000`,
  `POST|/v1/logs|application/json|{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","severityNumber":9,"body":{"stringValue":"a"}}]}]}]}`,
  `POST|/v1/metrics|application/json|{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a","gauge":{"dataPoints":[{"timeUnixNano":"1","asDouble":1.5}]}}]}]}]}`,
];

const zipkinSpan = `[{"traceId":"${"1".repeat(32)}","id":"${"2".repeat(16)}","name":"fuzz","timestamp":1,"duration":5,"kind":"CLIENT","localEndpoint":{"serviceName":"a","ipv4":"127.0.0.1"},"tags":{"a":"b"}}]`;

export const zipkinCalls: readonly string[] = [
  "GET|/health",
  `POST|/api/v2/spans|application/json|${zipkinSpan}`,
  "GET|/api/v2/traces?serviceName=a&annotationQuery=error%20and%20a=b&minDuration=1&endTs=1&lookback=1&limit=10",
  `GET|/api/v2/trace/${"1".repeat(32)}`,
  `GET|/api/v2/traceMany?traceIds=${"1".repeat(32)},${"2".repeat(16)}`,
  "GET|/api/v2/spans?serviceName=a",
  "GET|/api/v2/dependencies?endTs=1796000000000&lookback=86400000",
  "GET|/api/v2/autocompleteValues?key=a",
];

export const jaegerCalls: readonly string[] = [
  "GET|/api/services",
  "GET|/api/services/a/operations",
  "GET|/api/operations?service=a&spanKind=server",
  "GET|/api/traces?service=a&operation=b&tags=%7B%22a%22%3A%22b%22%7D&tag=a:b&minDuration=1.5ms&start=1&end=2&limit=20",
  `GET|/api/traces/${"1".repeat(32)}?raw=true`,
  `GET|/api/traces?traceID=${"1".repeat(32)}&traceID=1`,
  "GET|/api/dependencies?endTs=1796000000000&lookback=604800000",
];

export const adminCalls: readonly string[] = [
  "GET|/ready",
  "GET|/config_dump?resource=dynamic_listeners&mask=a",
  "GET|/stats?filter=(a%2B)%2B$&format=json",
  "GET|/stats/prometheus?usedonly",
  "GET|/clusters?format=json",
  "GET|/certs",
  "GET|/server_info",
  "GET|/listeners",
  "GET|/help",
];

/** Of the supervisor; the calls that end or restart something are left out. */
export const fleetCalls: readonly string[] = [
  "GET|/v1/status",
  "PUT|/v1/traffic?rate=1",
  "POST|/v1/restart?part=nobody",
];

export const meshCalls: readonly string[] = [
  "GET|/productpage",
  "GET|/api/v1/products/0",
  "GET|/ratings/0",
  "GET|/health",
  "GET|http://ratings:9080/ratings/0",
  "HEAD|/",
  "OPTIONS|*",
  "POST|/login|application/x-www-form-urlencoded|a=b",
  "GET|/reviews/0",
];

export interface GrpcSample {
  path: string;
  message: Buffer;
}

const node = {
  id: "sidecar~127.0.9.9~fuzz.default~default.svc.cluster.local",
  cluster: "fuzz.default",
  metadata: { NAMESPACE: "default", LABELS: { app: "fuzz" }, INTERCEPTION_MODE: "NONE" },
};
const type = "type.googleapis.com/envoy.config.";
const discovery = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";
const delta = toBinary(
  DeltaDiscoveryRequestSchema,
  create(DeltaDiscoveryRequestSchema, {
    node,
    typeUrl: `${type}listener.v3.Listener`,
    resourceNamesSubscribe: ["*", "xdstp://a/b"],
    resourceNamesUnsubscribe: ["c"],
    initialResourceVersions: { a: "1" },
    responseNonce: "7",
    errorDetail: { code: 13, message: "no" },
  }),
);
const sotw = toBinary(
  DiscoveryRequestSchema,
  create(DiscoveryRequestSchema, {
    node,
    typeUrl: `${type}cluster.v3.Cluster`,
    resourceNames: ["a"],
    versionInfo: "1",
  }),
);

export const xdsSamples: readonly GrpcSample[] = [
  { path: `${discovery}DeltaAggregatedResources`, message: Buffer.from(delta) },
  { path: `${discovery}StreamAggregatedResources`, message: Buffer.from(sotw) },
  { path: "/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts", message: Buffer.from(delta) },
  { path: "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", message: Buffer.from(sotw) },
  {
    path: "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus",
    message: Buffer.from(
      toBinary(
        ClientStatusRequestSchema,
        create(ClientStatusRequestSchema, {
          nodeMatchers: [{ nodeId: { matchPattern: { case: "prefix", value: "sidecar" } } }],
        }),
      ),
    ),
  },
];

const accessLog = create(StreamAccessLogsMessageSchema, {
  identifier: { node, logName: "limpid.outbound" },
  logEntries: {
    case: "httpLogs",
    value: {
      logEntry: [
        {
          commonProperties: {
            startTime: { seconds: 1n, nanos: 5 },
            timeToLastDownstreamTxByte: { seconds: 1n },
            upstreamCluster: "outbound|9080|v1|reviews.default.svc.cluster.local",
            customTags: { "x-limpid-peer": "a;b;c;d;e" },
          },
          request: { requestMethod: 1, path: "/a", authority: "reviews:9080", requestHeaders: { a: "b" } },
          response: { responseCode: 200, responseBodyBytes: 5n },
        },
      ],
    },
  },
});
const traces = create(ExportTraceServiceRequestSchema, {
  resourceSpans: [
    {
      scopeSpans: [
        { spans: [{ traceId: new Uint8Array(16).fill(1), spanId: new Uint8Array(8).fill(2), name: "fuzz" }] },
      ],
    },
  ],
});

export const collectorSamples: readonly GrpcSample[] = [
  {
    path: "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs",
    message: Buffer.from(toBinary(StreamAccessLogsMessageSchema, accessLog)),
  },
  {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    message: Buffer.from(toBinary(ExportTraceServiceRequestSchema, traces)),
  },
];
