import { afterEach, describe, expect, it } from "vitest";
import { ResponseFlag } from "../record.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const ok = async (manager = {}, action = {}) => {
  const upstream = await fixtures.http((request, response) => {
    if (request.url !== "/hang") request.resume().on("end", () => response.end("ok"));
  });
  return fixtures.plane({ clusters: [staticCluster("up", [upstream])], routes: [toCluster("up", action)], manager });
};

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("hostile clients", () => {
  it.each<[string, string, number, string]>([
    ["garbage", "\x16\x03\x01\x02\0\x01\0\x01\xfc\r\n\r\n", 400, "http1.invalid_request_line"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400, "http1.missing_host"],
    [
      "two framings",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
      "http1.content_length_and_chunked_not_allowed",
    ],
    ["a giant head", `GET / HTTP/1.1\r\nHost: a\r\nx: ${"y".repeat(70_000)}\r\n\r\n`, 431, "headers_too_large"],
    ["a giant target", `GET /${"y".repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, "headers_too_large"],
    ["many fields", `GET / HTTP/1.1\r\nHost: a\r\n${"x: y\r\n".repeat(101)}\r\n`, 431, "too_many_headers"],
    [
      "an unknown coding",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      501,
      "http1.transfer_encoding_not_implemented",
    ],
    ["a later version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "http1.version_not_supported"],
    ["HTTP/1.0 when not accepted", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 426, "low_version"],
  ])("%s", async (_, text, status, details) => {
    const test = await ok();
    const client = await fixtures.client(test.port);
    const received = await client.send(text).untilEnd();
    expect(received).toMatch(new RegExp(`^HTTP/1.[01] ${status} `));
    expect(received).toContain("connection: close\r\n");
    expect(test.lastRecord).toMatchObject({ responseCode: status, responseCodeDetails: details });
    await eventually(() => test.gauge("http.test.downstream_cx_active") === 0);
  });

  it("a broken chunk in a request under way is answered and nothing more is read", async () => {
    const test = await ok();
    const client = await fixtures.client(test.port);
    const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const received = await client.send(`${head}1\r\naX0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`).untilEnd();
    expect(received.match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(test.records).toHaveLength(1);
    expect(test.lastRecord).toMatchObject({ responseCode: 400, responseFlags: ResponseFlag.downstreamProtocolError });
    expect(test.gauge("cluster.up.upstream_rq_active")).toBe(0);
  });

  it("a head that trickles in has a deadline", async () => {
    const test = await ok({ request_headers_timeout: "0.15s" });
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\n");
    const drip = setInterval(() => client.send("x: y\r\n"), 30);
    const received = await client.untilEnd().finally(() => clearInterval(drip));
    expect(received).toContain("HTTP/1.1 408 ");
  });

  it("a body that stops coming is an idle stream", async () => {
    const test = await ok({ stream_idle_timeout: "0.1s" });
    const client = await fixtures.client(test.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    expect(await client.untilEnd()).toContain("HTTP/1.1 408 ");
    expect(test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.streamIdleTimeout,
      responseCodeDetails: "stream_idle_timeout",
    });
  });

  it("an upstream that is silent past the route's idle timeout", async () => {
    const test = await ok({}, { idle_timeout: "0.1s" });
    const client = await fixtures.client(test.port);
    client.send(get.replace("/ ", "/hang "));
    expect(await client.until((text) => text.includes("stream timeout"))).toContain("HTTP/1.1 504 ");
  });

  it("an idle connection is closed, a new one too", async () => {
    const test = await ok({ common_http_protocol_options: { idle_timeout: "0.1s" }, request_headers_timeout: "0.1s" });
    const used = await fixtures.client(test.port);
    await used.send(get).until((text) => text.endsWith("ok"));
    await used.untilEnd();
    const fresh = await fixtures.client(test.port);
    await fresh.untilEnd();
  });
});

describe("lives of a connection", () => {
  it("closes after the last request allowed", async () => {
    const test = await ok({ common_http_protocol_options: { max_requests_per_connection: 2 } });
    const client = await fixtures.client(test.port);
    const received = await client.send(get + get + get).untilEnd();
    expect(received.match(/200 OK/g)).toHaveLength(2);
    expect(received.match(/connection: close/g)).toHaveLength(1);
  });

  it("keeps HTTP/1.0 alive only when asked", async () => {
    const test = await ok({ http_protocol_options: { accept_http_10: true } });
    const client = await fixtures.client(test.port);
    const old = "GET / HTTP/1.0\r\nHost: a\r\n";
    await client.send(`${old}Connection: keep-alive\r\n\r\n`).until((text) => text.endsWith("ok"));
    expect(client.received).toContain("connection: keep-alive\r\n");
    await client.send(`${old}\r\n`).untilEnd();
    expect(client.received.match(/200 OK/g)).toHaveLength(2);
  });

  it("drains: idle connections close, busy ones after their response", async () => {
    const test = await ok();
    const idle = await fixtures.client(test.port);
    await idle.send(get).until((text) => text.endsWith("ok"));
    await test.plane.drain(1000);
    await idle.untilEnd();
  });
});
