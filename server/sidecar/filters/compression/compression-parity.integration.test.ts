import { gzipSync, zstdCompressSync } from "node:zlib";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, it } from "vitest";
import { type Ask, envoyMissing } from "../../testing/beside-envoy.ts";
import { at, http, plain, Transforms } from "../testing/transforms.ts";

const transforms = new Transforms();

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
const compressor = (kind: string, type: string, config: JsonObject = {}) => ({
  ...http("compressor", "compressor.v3.Compressor", { ...library(kind, type, "compressor"), ...config }),
  name: `compressor-${kind}`,
});
const decompressor = (kind: string, type: string, config: JsonObject = {}) => ({
  ...http("decompressor", "decompressor.v3.Decompressor", { ...library(kind, type, "decompressor"), ...config }),
  name: `decompressor-${kind}`,
});

beforeAll(
  () =>
    transforms.start((listener) => ({
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
    })),
  90_000,
);
afterAll(() => transforms.close());

describe.skipIf(envoyMissing)("compressors and decompressors, like Envoy", () => {
  it.each<[string, string, Ask]>([
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
  ])("%s: %s", async (name, _, what) => {
    await transforms.compare(name, what);
  });

  it("counts as Envoy does", async () => {
    await transforms.compareCounters("http.test.compressor");
    await transforms.compareCounters("http.test.decompressor");
  });
});
