import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, it } from "vitest";
import { staticCluster, toCluster } from "../test-plane.ts";
import { add, everyHost, get, match, RawParity } from "../testing/raw-parity.ts";
import { envoyMissing } from "../testing/real-envoy.ts";

// Which route a request takes and what that makes of it, by the same bytes to real Envoy and to our data path.

const parity = new RawParity();

const exactly = (name: string, value: string): JsonObject => ({ name, string_match: { exact: value } });

/** Beside the one for every domain. */
const otherHosts: JsonObject[] = [
  {
    name: "tls",
    domains: ["tls.test"],
    require_tls: "ALL",
    routes: [{ match: { prefix: "/" }, direct_response: { status: 210 } }],
  },
  {
    name: "exact",
    domains: ["exact.example", "exact.example:81"],
    routes: [{ match: { prefix: "/" }, direct_response: { status: 211 } }],
  },
  {
    name: "suffix",
    domains: ["*.example"],
    routes: [{ match: { prefix: "/" }, direct_response: { status: 212 } }],
  },
  {
    name: "longer",
    domains: ["*.long.example"],
    routes: [{ match: { prefix: "/" }, direct_response: { status: 213 } }],
  },
  {
    name: "prefix",
    domains: ["pre.*"],
    routes: [{ match: { prefix: "/only" }, direct_response: { status: 214 } }],
  },
];

beforeAll(async () => {
  if (envoyMissing) return;
  const routes: JsonObject[] = [
    { ...match("/direct"), direct_response: { status: 418, body: { inline_string: "tea" } } },
    { ...match("/redirect"), redirect: { host_redirect: "b.example", https_redirect: true, path_redirect: "/x" } },
    {
      ...match("/redirect-port"),
      redirect: { port_redirect: 81, strip_query: true, response_code: "TEMPORARY_REDIRECT" },
    },
    { match: { prefix: "/redirect-prefix/" }, redirect: { prefix_rewrite: "/p/", scheme_redirect: "https" } },
    {
      match: { prefix: "/all/" },
      route: { cluster: "up", regex_rewrite: { pattern: { regex: ".*" }, substitution: "/whole" } },
    },
    { match: { prefix: "/rewrite/" }, route: { cluster: "up", prefix_rewrite: "/r/", host_rewrite_literal: "h" } },
    {
      match: { safe_regex: { regex: "/regex/\\d+" } },
      route: { cluster: "up", regex_rewrite: { pattern: { regex: "/regex/(\\d+)" }, substitution: "/\\1/$" } },
    },
    { match: { path_separated_prefix: "/sep" }, route: { cluster: "up", prefix_rewrite: "/s" } },
    { match: { prefix: "/CaSe", case_sensitive: false }, route: { cluster: "up", prefix_rewrite: "/folded" } },
    { match: { prefix: "/", headers: [exactly("x-a", "1, 2")] }, direct_response: { status: 208 } },
    { match: { prefix: "/", headers: [exactly("x-a", "2")] }, direct_response: { status: 209 } },
    { match: { prefix: "/", headers: [exactly("x-a", "1,2")] }, direct_response: { status: 201 } },
    {
      match: { prefix: "/", headers: [{ name: "x-b", string_match: { prefix: "p" }, invert_match: true }] },
      direct_response: { status: 202 },
    },
    {
      match: { prefix: "/", headers: [{ name: "x-c", range_match: { start: "1", end: "10" } }] },
      direct_response: { status: 203 },
    },
    { match: { prefix: "/", headers: [exactly(":method", "PURGE")] }, direct_response: { status: 205 } },
    {
      match: { prefix: "/", query_parameters: [{ name: "q", string_match: { exact: "a%20b" } }] },
      direct_response: { status: 206 },
    },
    {
      match: { prefix: "/", query_parameters: [{ name: "only", present_match: true }] },
      direct_response: { status: 207 },
    },
    {
      ...toCluster("up"),
      match: { path: "/formats" },
      request_headers_to_add: [
        add("x-flags", "%RESPONSE_FLAGS%"),
        add("x-first", "%REQ(x-who)%"),
        add("x-none", "%REQ(x-none)%"),
        add("x-mixed", "a%REQ(x-none)%b"),
        add("x-code", "%RESPONSE_CODE%"),
        add("x-host", "%HOSTNAME%"),
        add("x-month", "%START_TIME(%Y/%m)%"),
        add("x-rewritten", "%REQ(x-envoy-original-path?:path)%"),
      ],
      response_headers_to_add: [
        add("x-flags", "%RESPONSE_FLAGS%"),
        add("x-host", "%HOSTNAME%"),
        add("x-month", "%START_TIME(%Y/%m)%"),
        add("x-upstream", "%UPSTREAM_CLUSTER%"),
        add("x-bytes", "%BYTES_RECEIVED% %BYTES_SENT%"),
        add("x-cut", "%REQ(x-who):1%"),
        add("x-took", "%DURATION%"),
      ],
    },
    {
      ...toCluster("up"),
      match: { prefix: "/headers" },
      request_headers_to_add: [
        add("x-order", "route"),
        add("x-set", "route", "OVERWRITE_IF_EXISTS_OR_ADD"),
        add("x-there", "new", "ADD_IF_ABSENT"),
        add("x-never", "new", "OVERWRITE_IF_EXISTS"),
        add("x-format", "%PROTOCOL% %REQ(x-who)% %REQ(x-none)% 100%%"),
      ],
      request_headers_to_remove: ["x-gone"],
      response_headers_to_add: [add("x-code", "%RESPONSE_CODE%"), add("x-multi", "2")],
    },
    toCluster("up"),
  ];
  await parity.start({
    clusters: [staticCluster("up", [await parity.upstream()])],
    hosts: [everyHost(routes), ...otherHosts],
    manager: {
      normalize_path: true,
      merge_slashes: false,
      http_protocol_options: { accept_http_10: true },
      internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
    },
  });
});
afterAll(() => parity.close());

describe.skipIf(envoyMissing)("routes, like Envoy", () => {
  it.each<[string, string]>([
    ["direct", get("/direct")],
    ["redirect", get("/redirect?q=1")],
    ["redirect to a port", get("/redirect-port?q=1")],
    ["redirect with a prefix", get("/redirect-prefix/a?q=1")],
    ["prefix rewrite", get("/rewrite/a?b=c")],
    ["regex rewrite", get("/regex/12?b=c")],
    ["separated prefix", get("/sep/a")],
    ["separated prefix itself", get("/sep?x")],
    ["not the separated prefix", get("/separate")],
    ["case folded", get("/cAsE/x")],
    ["repeated header", get("/", "x-a: 1\r\nx-a: 2\r\nx-b: p\r\n")],
    ["repeated and inverted", get("/", "x-b: p\r\nx-b: q\r\n")],
    ["repeated and inverted, none matches", get("/", "x-b: r\r\nx-b: q\r\n")],
    ["inverted and absent", get("/inverted")],
    ["inverted", get("/", "x-b: q\r\n")],
    ["range", get("/", "x-c: 9\r\n")],
    ["outside the range", get("/", "x-c: 10\r\n")],
    ["method", "PURGE / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"],
    ["query", get("/?q=a%20b&q=c")],
    ["query present", get("/?x=1&only")],
    ["headers", get("/headers", "x-there: old\r\nx-gone: 1\r\nX-Who: me\r\nx-forwarded-for: 1.2.3.4\r\n")],
    ["TLS required", get("/x?y", "", "tls.test")],
    ["TLS required and had", get("/x?y", "x-forwarded-proto: https\r\n", "tls.test")],
    ["exact host", get("/", "", "EXACT.example")],
    ["exact host and port", get("/", "", "exact.example:81")],
    ["another port", get("/", "", "exact.example:82")],
    ["suffix", get("/", "", "x.example")],
    ["longer suffix", get("/", "", "x.long.example")],
    ["prefix host without a route", get("/", "", "pre.x")],
    ["prefix host", get("/only", "", "pre.x")],
    ["formats", get("/formats", "x-who: me\r\nx-who: you\r\n")],
    ["a rewrite of everything", get("/all/x?y")],
  ])("%s", (_, text) => parity.compare(text));

  it.each<[string, string, string]>([
    ["no route", get("/", "", "pre.x"), "404 NR route_not_found"],
    ["direct", get("/direct"), "418 - direct_response"],
  ])("log: %s", (_, text, expected) => parity.compareLog(text, expected));
});
