import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, it } from "vitest";
import { Fixtures, staticCluster, toCluster } from "../test-plane.ts";
import { everyHost, get, match, RawParity } from "../testing/raw-parity.ts";
import { envoyMissing } from "../testing/real-envoy.ts";

// Requests as they are proxied, and what comes of upstreams that fail, by the same bytes to real Envoy and to our data path.

const parity = new RawParity();

const rudeAnswers: Record<string, string | undefined> = {
  "/until-close": "HTTP/1.1 200 OK\r\n\r\nall of it",
  "/204-body": "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
  "/204-zero": "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
  "/cut-head": "HTTP/1.1 200 OK\r\ncontent-le",
  "/cut-line": "HTTP/1.1 20",
  "/cut-body": "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
  "/early": "HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig",
};

beforeAll(async () => {
  if (envoyMissing) return;
  const gone = new Fixtures();
  const dead = await gone.tcp(() => {});
  gone.close();
  const cut = await parity.fixtures.tcp((socket) => void socket.once("data", () => socket.destroy()));
  const rude = await parity.fixtures.tcp((socket) => {
    socket.on("data", (bytes) => {
      const [, path = ""] = bytes.toString("latin1").split(" ");
      socket.write(rudeAnswers[path] ?? "");
      if (path === "/until-close" || path.startsWith("/cut")) socket.end();
    });
  });
  const routes: JsonObject[] = [
    { ...match("/dead"), route: { cluster: "dead" } },
    {
      ...match("/dead-retried"),
      route: { cluster: "dead", retry_policy: { retry_on: "connect-failure", num_retries: 1 } },
    },
    { ...match("/until-close"), route: { cluster: "rude" } },
    { ...match("/204-body"), route: { cluster: "rude" } },
    { ...match("/early"), route: { cluster: "rude" } },
    { ...match("/204-zero"), route: { cluster: "rude" } },
    { ...match("/cut-head"), route: { cluster: "rude" } },
    { ...match("/cut-line"), route: { cluster: "rude" } },
    { ...match("/cut-body"), route: { cluster: "rude" } },
    { ...match("/gone"), route: { cluster: "gone" } },
    { ...match("/empty"), route: { cluster: "empty" } },
    { ...match("/cut"), route: { cluster: "cut" } },
    { ...match("/503-retried"), route: { cluster: "up", retry_policy: { retry_on: "5xx", num_retries: 1 } } },
    { ...match("/hang"), route: { cluster: "up", timeout: "0.1s" } },
    { match: { prefix: "/duration" }, route: { cluster: "up", max_stream_duration: { max_stream_duration: "0.1s" } } },
    toCluster("up"),
  ];
  await parity.start({
    clusters: [
      staticCluster("up", [await parity.upstream()]),
      staticCluster("dead", [dead]),
      staticCluster("empty", []),
      staticCluster("cut", [cut]),
      staticCluster("rude", [rude]),
    ],
    hosts: [everyHost(routes)],
    manager: {
      normalize_path: true,
      merge_slashes: false,
      http_protocol_options: { accept_http_10: true },
      internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
    },
  });
});
afterAll(() => parity.close());

describe.skipIf(envoyMissing)("proxied, like Envoy", () => {
  it.each<[string, string]>([
    ["proxied", get("/")],
    ["proxied with a body", `POST /b HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`],
    [
      "chunked request",
      `POST /b HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    ],
    ["HEAD", "HEAD / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"],
    ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: a.test\r\n\r\n"],
    ["absolute form", "GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"],
    ["nobody listens", get("/dead")],
    ["no cluster", get("/gone")],
    ["no endpoints", get("/empty")],
    ["upstream resets", get("/cut")],
    ["retried", get("/503-retried")],
    ["too late", get("/hang")],
    ["forwarded proto", get("/", "x-forwarded-proto: https\r\n")],
    ["hop-by-hop fields", get("/", "Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n")],
    ["dot segments", get("/a/./b/../c%2Fd?e=../f")],
    ["above the root", get("/../x")],
    ["encoded dots", get("/a/%2e%2e/b")],
    ["broken escapes", get("/a%zz/100%")],
    ["escapes in either case", get("/a%2fb%2Fc%5e")],
    ["dot segments with parameters", get("/a/..;x=1/b/.;/c;d/..%3b")],
    ["what a URL may not hold", get('/a"<b>|^`{}[c]?"<>')],
    ["the server itself", "OPTIONS * HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"],
    ["until the upstream closes, to HTTP/1.0", "GET /until-close HTTP/1.0\r\nHost: a.test\r\n\r\n"],
    ["a 204 with a body", get("/204-body")],
    ["a 204 that says it has no body", get("/204-zero")],
    ["an answer cut within its head", get("/cut-head")],
    ["an answer cut within its first line", get("/cut-line")],
    ...["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"].map((method): [string, string] => [
      `${method} without a body`,
      `${method} /b HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`,
    ]),
    [
      "POST with a length of none",
      "POST /b HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ],
    ["retried and refused", get("/dead-retried")],
    [
      "fields that only callers from inside may send",
      get("/503", "x-envoy-retry-on: 5xx\r\nx-envoy-internal: true\r\nx-envoy-upstream-rq-timeout-ms: 1\r\n"),
    ],
    [
      "fields from inside",
      get("/503", "x-forwarded-for: 10.1.2.3\r\nx-envoy-retry-on: 5xx\r\nx-envoy-max-retries: 2\r\n"),
    ],
    ["an answer before the request is whole", "POST /early HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nabc"],
  ])("%s", (_, text) => parity.compare(text));

  it.each<[string, string, string]>([
    [
      "nobody listens",
      get("/dead"),
      "503 UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_",
    ],
    ["no cluster", get("/gone"), "503 NC cluster_not_found"],
    ["no endpoints", get("/empty"), "503 UH no_healthy_upstream"],
    ["upstream resets", get("/cut"), "503 UC upstream_reset_before_response_started{connection_termination}"],
    ["retried", get("/503-retried"), "503 URX via_upstream"],
    ["too late", get("/hang"), "504 UT response_timeout"],
    ["a stream that lasts too long", get("/duration"), "504 - max_duration_timeout"],
    ["proxied", get("/"), "200 - via_upstream"],
    [
      "two framings",
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "400 DPE http1.content_length_and_chunked_not_allowed",
    ],
  ])("log: %s", (_, text, expected) => parity.compareLog(text, expected));
});
