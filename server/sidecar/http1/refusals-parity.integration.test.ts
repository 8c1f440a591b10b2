import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { staticCluster, toCluster } from "../test-plane.ts";
import { everyHost, get, RawParity } from "../testing/raw-parity.ts";
import { envoyMissing } from "../testing/real-envoy.ts";

// Messages that are refused, by real Envoy and by our data path.

const parity = new RawParity();

beforeAll(async () => {
  if (envoyMissing) return;
  await parity.start({
    clusters: [staticCluster("up", [await parity.upstream()])],
    hosts: [everyHost([toCluster("up")])],
    manager: {
      normalize_path: true,
      merge_slashes: false,
      http_protocol_options: { accept_http_10: true },
      internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
    },
  });
});
afterAll(() => parity.close());

describe.skipIf(envoyMissing)("refused, as Envoy refuses", () => {
  it.each<[string, string]>([
    ["bare line feeds", "GET / HTTP/1.1\nHost: a\n\n"],
    ["obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nx: a\r\n b\r\n\r\n"],
    ["both framings", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["lengths that agree", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"],
    ["lengths that differ", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n"],
    ["two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
    ["space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
    ["a coding below chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
    [
      "the same in two fields",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ["many fields", `GET / HTTP/1.1\r\nHost: a\r\n${"x: y\r\n".repeat(101)}\r\n`],
    ["a giant head", `GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(62_000)}\r\n\r\n`],
    ["garbage", "\x16\x03\x01\r\n\r\n"],
    ["fragment", get("/a#b")],
  ])("refused: %s", async (_, text) => {
    const { mine, theirs } = await parity.statuses(text);
    expect(mine).toMatch(/^HTTP\/1.1 [45]/);
    // Ours may be stricter, never laxer: where Envoy refuses, the status is the same.
    if (/^HTTP\/1.1 [45]/.test(theirs)) expect(mine).toBe(theirs);
  });

  // RFC 9112, 6.3: without chunked as the last coding nobody can tell how long the request is: 400. Envoy says 501 of all.
  it.each([
    "gzip",
    "chunked, gzip",
    "chunked, chunked",
    "chunked\\r\\nTransfer-Encoding: chunked",
    "xchunked",
    "chunkedx",
    '"chunked"',
    "chunked;",
    "chunked;a=b",
    "identity",
    "",
    "chunked,",
    "chunked, identity",
  ])("refused, though with another status than Envoy's: Transfer-Encoding: %j", async (coding) => {
    const text = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n`;
    expect(await parity.statuses(text)).toEqual({ mine: "HTTP/1.1 400", theirs: "HTTP/1.1 501" });
  });
});
