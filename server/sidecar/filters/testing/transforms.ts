import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { type PlaneOptions, staticCluster, toCluster } from "../../test-plane.ts";
import { type Ask, BesideEnvoy, envoyMissing } from "../../testing/beside-envoy.ts";

export const http = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  name: `envoy.filters.http.${name}`,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...config },
});
export const perRoute = (name: string, type: string, config: JsonObject): JsonObject => ({
  typed_per_filter_config: {
    [`envoy.filters.http.${name}`]: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...config },
  },
});
export const at = (path: string, more: JsonObject = {}): JsonObject => ({
  ...toCluster("up"),
  match: { prefix: path },
  ...more,
});
const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

export const plain = "a text that is long enough to be worth it. ".repeat(40);
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

export function message(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

const hidden = new Set(["x-request-id", "x-ask", ":authority", "x-envoy-expected-rq-timeout-ms"]);

const decoders: Record<string, (body: Buffer) => Buffer> = {
  gzip: (body) => gunzipSync(body),
  br: (body) => brotliDecompressSync(body),
  zstd: (body) => zstdDecompressSync(body),
};

/** Filters and, before the route for everything, routes. */
type Listener = (filters: JsonValue[], routes?: JsonValue[]) => PlaneOptions;

/**
 * Filters that change requests and responses, through real Envoy and through our data path, before one upstream that answers by path: what the client gets, what the
 * upstream sees, what is counted and logged must agree.
 */
export class Transforms {
  private readonly both = new BesideEnvoy();
  private readonly seen: { head: string[]; body: Buffer }[] = [];
  private names: readonly string[] = [];

  async start(listeners: (listener: Listener) => Record<string, PlaneOptions>): Promise<void> {
    if (envoyMissing) return;
    const clusters: JsonValue[] = [staticCluster("up", [await this.upstream()], http2), staticCluster("none", [])];
    const made = listeners((filters, routes = []) => ({ clusters, filters, routes: [...routes, at("/")] }));
    this.names = Object.keys(made);
    await this.both.start(
      made,
      {},
      "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% " +
        "%DYNAMIC_METADATA(envoy.filters.http.header_to_metadata)% %DYNAMIC_METADATA(n:number)% %DYNAMIC_METADATA(r)% %DYNAMIC_METADATA(s)%",
    );
  }

  close(): void {
    this.both.close();
  }

  /** Both sides in a form that can be compared: what was compressed is decompressed, since two libraries need not make the same bytes. */
  async compare(name: string, what: Ask, refused = false): Promise<void> {
    const { seen } = this;
    seen.length = 0;
    const { mine, theirs } = await this.both.ask(name, what);
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
  }

  /** Of all listeners together. */
  async compareCounters(prefix: string): Promise<void> {
    const mine: Record<string, number> = {};
    let theirs: Record<string, number> = {};
    for (const name of this.names) {
      const counted = await this.both.counters(name, prefix);
      for (const [key, value] of Object.entries(counted.mine)) mine[key] = (mine[key] ?? 0) + value;
      theirs = counted.theirs;
    }
    // Two libraries need not make the same bytes, and ours tells none of its own counters.
    const same = (counters: Record<string, number>) =>
      Object.fromEntries(
        Object.entries(counters)
          .filter(([key]) => !/_bytes$|decompressor_library/.test(key))
          .sort(),
      );
    expect(same(mine), prefix).toEqual(same(theirs));
  }

  private async upstream(): Promise<number> {
    const server = createServer();
    server.on("stream", (stream, headers) => {
      const parts: Buffer[] = [];
      stream.on("error", () => {});
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const head = Object.entries(headers).flatMap(([name, value]) =>
          hidden.has(name) ? [] : [`${name}: ${value}`],
        );
        this.seen.push({ head: head.sort(), body: Buffer.concat(parts) });
        if (stream.destroyed) return;
        const path = String(headers[":path"]);
        const [status, fields, body, trailers] = answers[path.replace(/^\/[a-z]+_/, "/")] ?? [
          200,
          {},
          Buffer.from("ok"),
        ];
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
    this.both.fixtures.onClose(() => server.close());
    return (server.address() as AddressInfo).port;
  }
}
