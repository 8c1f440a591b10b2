import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { staticCluster, toCluster } from "../test-plane.ts";
import { type Ask, BesideEnvoy, envoyMissing } from "../testing/beside-envoy.ts";

// Filters that change requests and responses, through real Envoy and through our data path: what the client gets, what the upstream sees, what is counted and
// logged must agree.

const both = new BesideEnvoy();
const seen: { head: string[]; body: Buffer }[] = [];

const http = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  name: `envoy.filters.http.${name}`,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...config },
});
const perRoute = (name: string, type: string, config: JsonObject): JsonObject => ({
  typed_per_filter_config: {
    [`envoy.filters.http.${name}`]: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...config },
  },
});
const library = (
  kind: string,
  type: string,
  way: "compressor" | "decompressor",
  config: JsonObject = {},
): JsonObject => ({
  [`${way}_library`]: {
    // Envoy writes the first decompressor's name into the trailers of all others.
    name: way === "decompressor" ? "mine" : `my_${kind}`,
    typed_config: { "@type": `type.googleapis.com/envoy.extensions.compression.${kind}.${way}.v3.${type}`, ...config },
  },
});
const at = (path: string, more: JsonObject = {}): JsonObject => ({
  ...toCluster("up"),
  match: { prefix: path },
  ...more,
});
const compressor = (kind: string, type: string, config: JsonObject = {}) => ({
  ...http("compressor", "compressor.v3.Compressor", { ...library(kind, type, "compressor"), ...config }),
  name: `compressor-${kind}`,
});
const decompressor = (kind: string, type: string, config: JsonObject = {}) => ({
  ...http("decompressor", "decompressor.v3.Decompressor", { ...library(kind, type, "decompressor"), ...config }),
  name: `decompressor-${kind}`,
});
const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

const plain = "a text that is long enough to be worth it. ".repeat(40);
/** By path: status, fields, body, trailers. */
const answers: Record<string, [number, Record<string, string>, Buffer, Record<string, string>?] | undefined> = {
  "/text": [
    200,
    { "content-type": "text/plain; charset=utf-8", "content-length": String(plain.length) },
    Buffer.from(plain),
  ],
  "/chunked": [200, { "content-type": "text/html" }, Buffer.from(plain)],
  "/typeless": [200, {}, Buffer.from(plain)],
  "/short": [200, { "content-type": "text/plain", "content-length": "5" }, Buffer.from("short")],
  "/image": [200, { "content-type": "image/png" }, Buffer.from(plain)],
  "/etag": [200, { "content-type": "text/plain", etag: '"strong"' }, Buffer.from(plain)],
  "/weak": [200, { "content-type": "text/plain", etag: 'W/"weak"', vary: "Origin" }, Buffer.from(plain)],
  "/varies": [200, { "content-type": "text/plain", vary: "Accept-Encoding" }, Buffer.from(plain)],
  "/no-transform": [200, { "content-type": "text/plain", "cache-control": "public, No-Transform" }, Buffer.from(plain)],
  "/encoded": [200, { "content-type": "text/plain", "content-encoding": "br" }, brotliCompressSync(plain)],
  "/gzipped": [200, { "content-type": "text/plain", "content-encoding": "gzip" }, gzipSync(plain)],
  "/gzipped-kept": [200, { "content-encoding": "gzip", "cache-control": "no-transform" }, gzipSync(plain)],
  "/gzip-then-br": [200, { "content-encoding": "GZip, br" }, gzipSync(brotliCompressSync(plain))],
  "/empty": [200, { "content-type": "text/plain", "content-length": "0" }, Buffer.alloc(0)],
  "/none": [204, {}, Buffer.alloc(0)],
  "/pkg.Service/Call": [
    200,
    { "content-type": "application/grpc" },
    message("one"),
    { "grpc-status": "0", "x-t": "v" },
  ],
  "/pkg.Service/Many": [
    200,
    { "content-type": "application/grpc+proto" },
    Buffer.concat([message("one"), message(""), message("three")]),
    { "grpc-status": "5", "grpc-message": "not%20found" },
  ],
  "/pkg.Service/Trailers": [
    200,
    { "content-type": "application/grpc", "grpc-status": "7", "grpc-message": "no" },
    Buffer.alloc(0),
  ],
  "/pkg.Service/Plain": [503, { "content-type": "text/plain" }, Buffer.from("100 % down\n")],
  "/pkg.Service/Odd": [200, { "content-type": "text/plain" }, Buffer.from("no call")],
};

function message(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

async function upstream(): Promise<number> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const head = Object.entries(headers).flatMap(([name, value]) => (hidden.has(name) ? [] : [`${name}: ${value}`]));
      seen.push({ head: head.sort(), body: Buffer.concat(parts) });
      if (stream.destroyed) return;
      const path = String(headers[":path"]);
      const [status, fields, body, trailers] = answers[path.replace(/^\/[a-z]+_/, "/")] ?? [200, {}, Buffer.from("ok")];
      stream.respond(
        { ":status": status, ...fields },
        { waitForTrailers: trailers !== undefined, endStream: body.length === 0 && trailers === undefined },
      );
      if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      if (body.length > 0 || trailers !== undefined) stream.end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  both.fixtures.onClose(() => server.close());
  return (server.address() as AddressInfo).port;
}

const hidden = new Set(["x-request-id", "x-ask", ":authority", "x-envoy-expected-rq-timeout-ms"]);

beforeAll(async () => {
  if (envoyMissing) return;
  const up = staticCluster("up", [await upstream()], http2);
  const clusters: JsonValue[] = [up, staticCluster("none", [])];
  const listener = (filters: JsonValue[], routes: JsonValue[] = []) => ({
    clusters,
    filters,
    routes: [...routes, at("/")],
  });
  const header = (name: string): JsonObject => ({ name, string_match: { exact: "yes" } });
  const check = (config: JsonObject) =>
    http("health_check", "health_check.v3.HealthCheck", { headers: [header("x-check")], ...config });
  await both.start(
    {
      web: listener(
        [http("grpc_web", "grpc_web.v3.GrpcWeb")],
        [{ match: { prefix: "/direct" }, direct_response: { status: 403, body: { inline_string: "no & nö" } } }],
      ),
      stats: listener([
        http("grpc_stats", "grpc_stats.v3.FilterConfig", {
          stats_for_all_methods: true,
          emit_filter_state: true,
          replace_dots_in_grpc_service_name: true,
        }),
      ]),
      listed: listener([
        http("grpc_stats", "grpc_stats.v3.FilterConfig", {
          individual_method_stats_allowlist: { services: [{ name: "pkg.Service", method_names: ["Call"] }] },
        }),
      ]),
      buffer: listener(
        [http("buffer", "buffer.v3.Buffer", { max_request_bytes: 100 })],
        [
          at("/off", perRoute("buffer", "buffer.v3.BufferPerRoute", { disabled: true })),
          at("/more", perRoute("buffer", "buffer.v3.BufferPerRoute", { buffer: { max_request_bytes: 2000 } })),
          { match: { prefix: "/direct" }, direct_response: { status: 200 } },
        ],
      ),
      gzip: listener(
        [compressor("gzip", "Gzip", { response_direction_config: { common_config: { min_content_length: 20 } } })],
        [
          {
            ...at("/off_"),
            typed_per_filter_config: {
              "compressor-gzip": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.CompressorPerRoute",
                disabled: true,
              },
            },
          },
          {
            ...at("/remove_"),
            typed_per_filter_config: {
              "compressor-gzip": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.CompressorPerRoute",
                overrides: { response_direction_config: { remove_accept_encoding_header: true } },
              },
            },
          },
        ],
      ),
      codings: listener([
        compressor("gzip", "Gzip", { disable_on_etag_header: true }),
        compressor("brotli", "Brotli", {
          response_direction_config: { common_config: { content_type: ["text/plain"] } },
        }),
        compressor("zstd", "Zstd", {
          choose_first: true,
          response_direction_config: { remove_accept_encoding_header: true },
        }),
      ]),
      requests: listener([
        compressor("gzip", "Gzip", {
          request_direction_config: { common_config: { content_type: ["text/plain"] } },
          response_direction_config: { common_config: { enabled: { default_value: false, runtime_key: "x" } } },
        }),
      ]),
      inflate: listener([decompressor("gzip", "Gzip")]),
      quiet: listener([
        decompressor("gzip", "Gzip", {
          request_direction_config: { advertise_accept_encoding: false },
          response_direction_config: { common_config: { ignore_no_transform_header: true } },
        }),
      ]),
      codecs: listener([decompressor("brotli", "Brotli"), decompressor("zstd", "Zstd")]),
      checked: listener([check({ pass_through_mode: false })]),
      passed: listener([check({ pass_through_mode: true, cache_time: "60s" })]),
      healthy: listener([check({ pass_through_mode: false, cluster_min_healthy_percentages: { up: { value: 50 } } })]),
      absent: listener([check({ pass_through_mode: false, cluster_min_healthy_percentages: { gone: { value: 50 } } })]),
      hollow: listener([check({ pass_through_mode: false, cluster_min_healthy_percentages: { none: { value: 1 } } })]),
      metadata: listener([
        http("header_to_metadata", "header_to_metadata.v3.Config", {
          request_rules: [
            {
              header: "x-version",
              on_header_present: { key: "version", type: "STRING" },
              on_header_missing: { key: "version", value: "none" },
              remove: true,
            },
            { header: "x-number", on_header_present: { metadata_namespace: "n", key: "number", type: "NUMBER" } },
            { header: "x-base", on_header_present: { key: "decoded", encode: "BASE64" } },
            { cookie: "session", on_header_present: { key: "session" } },
            {
              header: ":path",
              on_header_present: {
                key: "first",
                regex_value_rewrite: { pattern: { regex: "^/([^/]*)/?.*" }, substitution: "\\1" },
              },
            },
          ],
          response_rules: [{ header: "content-type", on_header_present: { metadata_namespace: "r", key: "type" } }],
        }),
        http("set_metadata", "set_metadata.v3.Config", {
          metadata: [
            { metadata_namespace: "s", value: { a: 1, list: ["x"], deep: { b: true } } },
            { metadata_namespace: "s", value: { never: 1 } },
            { metadata_namespace: "s", allow_overwrite: true, value: { a: 2, list: ["y"], deep: { c: null } } },
          ],
        }),
      ]),
    },
    {},
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% " +
      "%DYNAMIC_METADATA(envoy.filters.http.header_to_metadata)% %DYNAMIC_METADATA(n:number)% %DYNAMIC_METADATA(r)% %DYNAMIC_METADATA(s)%",
  );
}, 90_000);

afterAll(() => both.close());

const decoders: Record<string, (body: Buffer) => Buffer> = {
  gzip: (body) => gunzipSync(body),
  br: (body) => brotliDecompressSync(body),
  zstd: (body) => zstdDecompressSync(body),
};

/** Both sides in a form that can be compared: what was compressed is decompressed, since two libraries need not make the same bytes. */
async function compare(name: string, what: Ask, refused = false) {
  seen.length = 0;
  const { mine, theirs } = await both.ask(name, what);
  const view = (answer: typeof mine) => {
    const coding = answer.headers.find((line) => line.startsWith("content-encoding: "))?.slice(18) ?? "";
    const body = (decoders[coding]?.(answer.body) ?? answer.body).toString("latin1");
    return { ...answer, body };
  };
  // What an upstream has seen of a request that is refused half-way is a matter of luck.
  const upstreams = (refused ? [] : seen).map(({ head, body }) => ({
    head,
    body: (head.includes("content-encoding: gzip") ? gunzipSync(body) : body).toString("latin1"),
  }));
  expect({ ...view(mine), upstream: upstreams.slice(0, upstreams.length / 2) }).toEqual({
    ...view(theirs),
    upstream: upstreams.slice(upstreams.length / 2),
  });
  return view(mine);
}

const webCall = (
  path: string,
  text: boolean,
  more: Record<string, string> = {},
  body: Buffer = message("hello"),
): Ask => ({
  method: "POST",
  path,
  headers: {
    "content-type": `application/grpc-web${text ? "-text" : ""}`,
    ...(text && { accept: "application/grpc-web-text" }),
    ...more,
  },
  body: text ? body.toString("base64") : body,
});

describe.skipIf(envoyMissing)("filters that transform, like Envoy", () => {
  it.each<[string, string, Ask]>([
    ["web", "a binary call", webCall("/pkg.Service/Call", false)],
    ["web", "a text call", webCall("/pkg.Service/Call", true)],
    ["web", "text in, binary out", webCall("/pkg.Service/Many", true, { accept: "*/*" })],
    ["web", "several messages as text", webCall("/pkg.Service/Many", true)],
    ["web", "an answer of trailers only", webCall("/pkg.Service/Trailers", false)],
    ["web", "an answer of trailers only, as text", webCall("/pkg.Service/Trailers", true)],
    ["web", "an upstream that fails in HTTP", webCall("/pkg.Service/Plain", false)],
    ["web", "an upstream that is none of gRPC", webCall("/pkg.Service/Odd", true)],
    ["web", "an answer made here", webCall("/direct", false)],
    ["web", "an answer made here, as text", webCall("/direct", true)],
    ["web", "no base64", { ...webCall("/pkg.Service/Call", true), body: "!!!!" }],
    ["web", "base64 that is cut", { ...webCall("/pkg.Service/Call", true), body: "AAAAA" }],
    ["web", "padding inside", { ...webCall("/pkg.Service/Call", true), body: "AA==AAAA" }],
    [
      "web",
      "a type with parameters is none",
      webCall("/pkg.Service/Call", false, { "content-type": "application/grpc-web; a=b" }),
    ],
    ["web", "its own accepted encodings", webCall("/pkg.Service/Call", false, { "grpc-accept-encoding": "gzip" })],
    ["web", "gRPC itself", webCall("/pkg.Service/Call", false, { "content-type": "application/grpc" })],
    ["web", "anything else", { path: "/text" }],
    ["stats", "a call", webCall("/pkg.Service/Call", false, { "content-type": "application/grpc" })],
    [
      "stats",
      "three messages each way",
      webCall(
        "/pkg.Service/Many",
        false,
        { "content-type": "application/grpc" },
        Buffer.concat([message("a"), message("bb"), message("")]),
      ),
    ],
    ["stats", "a refused call", webCall("/pkg.Service/Trailers", false, { "content-type": "application/grpc" })],
    ["stats", "no call by its path", webCall("/text", false, { "content-type": "application/grpc" })],
    ["listed", "a call that is listed", webCall("/pkg.Service/Call", false, { "content-type": "application/grpc" })],
    ["listed", "a call that is not", webCall("/pkg.Service/Many", false, { "content-type": "application/grpc" })],
    ["buffer", "no body", { path: "/text" }],
    ["buffer", "a body with a length", { method: "POST", path: "/x", body: "b".repeat(100) }],
    [
      "buffer",
      "a chunked body",
      { method: "POST", path: "/x", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(50) },
    ],
    ["buffer", "too long a body", { method: "POST", path: "/x", body: "b".repeat(101) }],
    [
      "buffer",
      "too long a body in chunks",
      { method: "POST", path: "/x", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(200) },
    ],
    [
      "buffer",
      "a route without it",
      { method: "POST", path: "/off", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(200) },
    ],
    [
      "buffer",
      "a route with more",
      { method: "POST", path: "/more", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(1999) },
    ],
    [
      "buffer",
      "an answer made here",
      { method: "POST", path: "/direct", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(10) },
    ],
    ...[
      "/text",
      "/chunked",
      "/typeless",
      "/short",
      "/image",
      "/etag",
      "/weak",
      "/varies",
      "/no-transform",
      "/encoded",
      "/empty",
      "/none",
      "/off_/text",
      "/remove_/text",
    ].map((path): [string, string, Ask] => [
      "gzip",
      path,
      { path: path.replace(/(off|remove)_\//, "$1_"), headers: { "accept-encoding": "gzip" } },
    ]),
    ["gzip", "no accept-encoding", { path: "/text" }],
    ["gzip", "HEAD", { method: "HEAD", path: "/text", headers: { "accept-encoding": "gzip" } }],
    ...[
      "gzip",
      "br",
      "zstd",
      "gzip, br",
      "br;q=0.5, gzip;q=0.9",
      "gzip;q=0",
      "*",
      "identity",
      "identity;q=0.9, br;q=0.9",
      "gzip;q=0, *",
      "deflate",
      "br;q=x",
      "",
      "gzip, zstd",
      "GZIP",
      "br;level=1",
      "zstd;q=1.5",
    ].map((accept): [string, string, Ask] => [
      "codings",
      `accept-encoding ${accept}`,
      { path: "/text", headers: { "accept-encoding": accept } },
    ]),
    [
      "codings",
      "a type that only some compress",
      { path: "/chunked", headers: { "accept-encoding": "br, gzip;q=0.1" } },
    ],
    ["codings", "a tag", { path: "/etag", headers: { "accept-encoding": "gzip" } }],
    [
      "requests",
      "a request to compress",
      { method: "POST", path: "/x", headers: { "content-type": "text/plain" }, body: plain },
    ],
    [
      "requests",
      "a short one",
      { method: "POST", path: "/x", headers: { "content-type": "text/plain" }, body: "short" },
    ],
    [
      "requests",
      "one of another type",
      { method: "POST", path: "/x", headers: { "content-type": "image/png" }, body: plain },
    ],
    [
      "requests",
      "one that is compressed",
      { method: "POST", path: "/x", headers: { "content-encoding": "br" }, body: plain },
    ],
    ["requests", "its response", { path: "/text", headers: { "accept-encoding": "gzip" } }],
    ["inflate", "a gzipped response", { path: "/gzipped" }],
    ["inflate", "a client's own encodings", { path: "/gzipped", headers: { "accept-encoding": "br, gzip;q=0.2" } }],
    ["inflate", "one that is not to be changed", { path: "/gzipped-kept" }],
    ["inflate", "two codings", { path: "/gzip-then-br" }],
    ["inflate", "another coding", { path: "/encoded" }],
    [
      "inflate",
      "a gzipped request",
      { method: "POST", path: "/x", headers: { "content-encoding": "gzip" }, body: gzipSync(plain) },
    ],
    ["quiet", "no advertisement", { path: "/gzipped" }],
    ["quiet", "one that is not to be changed, yet is", { path: "/gzipped-kept" }],
    ["codecs", "brotli", { path: "/encoded" }],
    [
      "codecs",
      "a request in zstd",
      { method: "POST", path: "/x", headers: { "content-encoding": "zstd" }, body: zstdCompressSync(plain) },
    ],
    ["checked", "a check", { path: "/", headers: { "x-check": "yes" } }],
    ["checked", "a check with a body", { method: "POST", path: "/", headers: { "x-check": "yes" }, body: "b" }],
    ["checked", "no check", { path: "/" }],
    ["passed", "a check that goes on", { path: "/", headers: { "x-check": "yes" } }],
    ["passed", "the same again, remembered", { path: "/", headers: { "x-check": "yes" } }],
    ["healthy", "a cluster that is well", { path: "/", headers: { "x-check": "yes" } }],
    ["absent", "a cluster that is not there", { path: "/", headers: { "x-check": "yes" } }],
    ["hollow", "a cluster without hosts", { path: "/", headers: { "x-check": "yes" } }],
    [
      "metadata",
      "all headers",
      {
        path: "/one/two",
        headers: { "x-version": "v1", "x-number": " 1.5e3", "x-base": "aGVsbG8=", cookie: "a=b; session=abc" },
      },
    ],
    ["metadata", "none of them", { path: "/text" }],
    ["metadata", "what cannot be read", { path: "/", headers: { "x-number": "many", "x-base": "!" } }],
  ])("%s: %s", async (name, title, what) => {
    await compare(name, what, /base64|padding/.test(title));
  });

  it("counts as Envoy does", async () => {
    for (const name of [
      "cluster.up.grpc",
      "http.test.compressor",
      "http.test.decompressor",
      "http.test.health_check",
      "http.test.set_metadata",
    ]) {
      const mine: Record<string, number> = {};
      for (const plane of [
        "web",
        "stats",
        "listed",
        "gzip",
        "codings",
        "requests",
        "inflate",
        "quiet",
        "codecs",
        "checked",
        "passed",
        "healthy",
        "absent",
        "hollow",
        "metadata",
      ]) {
        for (const [key, value] of Object.entries((await both.counters(plane, name)).mine))
          mine[key] = (mine[key] ?? 0) + value;
      }
      const { theirs } = await both.counters("web", name);
      // Two libraries need not make the same bytes, and ours tells none of its own counters.
      const same = (counters: Record<string, number>) =>
        Object.fromEntries(
          Object.entries(counters)
            .filter(([key]) => !/_bytes$|decompressor_library/.test(key))
            .sort(),
        );
      expect(same(mine), name).toEqual(same(theirs));
    }
  });
});
