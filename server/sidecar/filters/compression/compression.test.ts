import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, Fixtures, staticCluster, toCluster } from "../../test-plane.ts";
import { chooseCoding } from "./accept-encoding.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const filter = (
  way: "compressor" | "decompressor",
  kind: string,
  type: string,
  config: JsonObject = {},
): JsonObject => ({
  name: kind,
  typed_config: {
    "@type": `type.googleapis.com/envoy.extensions.filters.http.${way}.v3.${way === "compressor" ? "Compressor" : "Decompressor"}`,
    [`${way}_library`]: {
      name: "mine",
      typed_config: { "@type": `type.googleapis.com/envoy.extensions.compression.${kind}.${way}.v3.${type}` },
    },
    ...config,
  },
});

const plane = (filters: JsonObject[], port: number) =>
  fixtures.plane({ clusters: [staticCluster("up", [port])], routes: [toCluster("up")], filters });

const text = "a text that repeats itself. ".repeat(3_000);

describe("a compressor", () => {
  it.each([
    ["gzip", "Gzip", "gzip", gunzipSync],
    ["brotli", "Brotli", "br", brotliDecompressSync],
    ["zstd", "Zstd", "zstd", zstdDecompressSync],
  ] as const)("%s: streams what comes piece by piece", async (kind, type, coding, inflate) => {
    let answer: { write(part: string): void; end(): void } | undefined;
    const port = await fixtures.http((_, response) => {
      response.setHeader("content-type", "text/plain");
      answer = response;
      response.write("first");
    });
    const { port: ours } = await plane([filter("compressor", kind, type)], port);
    const client = await fixtures.client(ours);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${coding}\r\nConnection: close\r\n\r\n`);
    // The first piece does not wait for the second.
    await client.until((received) => /\r\n\r\n[0-9a-f]+\r\n.+\r\n/s.test(received));
    const before = client.received.length;
    answer?.write(text);
    answer?.end();
    const received = await client.untilEnd();
    expect(received.length).toBeGreaterThan(before);
    const [, ...rest] = received.split("\r\n\r\n");
    const body = dechunk(Buffer.from(rest.join("\r\n\r\n"), "latin1"));
    expect(inflate(body).toString()).toBe(`first${text}`);
    expect(body.length).toBeLessThan(2_000);
  });
});

function dechunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

describe("a decompressor", () => {
  it.each([
    ["broken", Buffer.concat([gzipSync(text).subarray(0, 40), Buffer.from("garbage, and more of it than a block")])],
    ["a bomb", gzipSync(Buffer.alloc(64 * 1024 * 1024))],
  ])("refuses what is %s, so that half of it never passes for the whole", async (_, body) => {
    const port = await fixtures.http((request, response) => {
      request.resume();
      request.on("end", () => response.end("taken"));
    });
    const test = await plane([filter("decompressor", "gzip", "Gzip")], port);
    const response = await fetch(`http://127.0.0.1:${test.port}/`, {
      method: "POST",
      headers: { "content-encoding": "gzip" },
      body,
    });
    expect([response.status, await response.text()]).toEqual([400, "the request cannot be decompressed"]);
  });

  it("breaks a response off that cannot be decompressed", async () => {
    const port = await fixtures.http((_, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(
        Buffer.concat([gzipSync(text).subarray(0, 40), Buffer.from("garbage, and more of it than a block")]),
      );
    });
    const test = await plane([filter("decompressor", "gzip", "Gzip")], port);
    const failed = await fetch(`http://127.0.0.1:${test.port}/`)
      .then((response) => response.text())
      .catch(() => "broken off");
    expect(failed).toBe("broken off");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseCodeDetails).toBe("decompression_failed");
  });

  it("frees its codecs when a client leaves", async () => {
    const port = await fixtures.http(() => {});
    const test = await plane([filter("compressor", "gzip", "Gzip", { request_direction_config: {} })], port);
    const client = await fixtures.client(test.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    await eventually(() => test.counter("http.test.compressor.mine.gzip.request.compressed") === 1);
    client.socket.destroy();
    await eventually(() => test.records.length === 1);
    expect(test.gauge("http.test.downstream_rq_active")).toBe(0);
  });
});

describe("what a client accepts", () => {
  const gzip = { coding: "gzip", chooseFirst: false };
  const br = { coding: "br", chooseFirst: false };
  const first = { coding: "zstd", chooseFirst: true };

  it.each([
    ["gzip, br", [br, gzip], "gzip", "chosen"],
    ["gzip, zstd", [gzip, first], "zstd", "chosen"],
    ["gzip;q=0.1, zstd;q=0.05", [gzip, first], "gzip", "chosen"],
    ["*", [br, gzip], "br", "wildcard"],
    ["br;q=0, *", [br, gzip], "gzip", "wildcard"],
    ["identity", [gzip], "identity", "identity"],
    ["deflate", [gzip], "identity", "not_valid"],
    ["gzip;q=none", [gzip], "identity", "not_valid"],
    ["gzip;q=", [gzip], "identity", "not_valid"],
    ["", [gzip], "identity", "not_valid"],
    ["gzip", [], "identity", "not_valid"],
  ])("%j of %j", (accept, offers, coding, why) => {
    expect(chooseCoding(accept, offers)).toEqual({ coding, why });
  });
});
