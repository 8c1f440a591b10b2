import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ask as askCodec, get, openClient } from "../http2/testing/client.ts";
import { rawClient } from "../http2/testing/raw-peer.ts";
import { ResponseFlag } from "./record.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "./test-plane.ts";

// HTTP/2 through the data path, in and out and across, with Node's own HTTP/2 as the peer on both ends.

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const upstreamOptions = (config: object) => ({
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      ...config,
    },
  },
});
const http2Only = upstreamOptions({ explicit_http_config: { http2_protocol_options: {} } });
const asAsked = upstreamOptions({ use_downstream_protocol_config: { http2_protocol_options: {} } });

type Handler = (stream: ServerHttp2Stream, headers: Record<string, unknown>, body: string) => void;

/** An HTTP/2 server of Node's; tells how many connections came. */
async function server(handler: Handler) {
  const sessions = new Set<unknown>();
  const h2 = createServer();
  h2.on("session", (session) => sessions.add(session));
  h2.on("stream", (stream, headers) => {
    let body = "";
    stream.on("error", () => {});
    stream.on("data", (bytes) => {
      body += bytes;
    });
    stream.on("end", () => handler(stream, headers, body));
  });
  h2.listen(0, "127.0.0.1");
  await once(h2, "listening");
  fixtures.onClose(() => void h2.close());
  return { port: (h2.address() as AddressInfo).port, sessions };
}

async function client(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  fixtures.onClose(() => session.destroy());
  await once(session, "connect");
  return session;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
  trailers: Record<string, unknown> | undefined;
}

async function ask(session: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<Answer> {
  const stream = session.request(
    { ":path": "/", ":authority": "a.test", ...headers },
    { endStream: body === undefined },
  );
  if (body !== undefined) stream.end(body);
  const answer: Answer = { status: 0, headers: {}, body: "", trailers: undefined };
  stream.on("response", (fields) => {
    answer.status = Number(fields[":status"]);
    answer.headers = fields;
  });
  stream.on("trailers", (fields) => {
    answer.trailers = fields;
  });
  stream.on("data", (bytes) => {
    answer.body += bytes;
  });
  await once(stream, "close");
  return answer;
}

const echo: Handler = (stream, headers, body) => {
  stream.respond({ ":status": 200, "x-method": String(headers[":method"]) }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-trailer": "t" }));
  stream.end(`${headers[":path"]} ${body}`);
};

describe("HTTP/2 as the codec sees it", () => {
  it("a head past the limits is answered, logged and counted, and the connection goes on", async () => {
    const test = await fixtures.plane({ routes: [], manager: { max_request_headers_kb: 1 } });
    const peer = await rawClient(test.port);
    fixtures.onClose(() => peer.socket.destroy());
    const start = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"];
    peer.send(peer.headers(1, [...start, "x", "y".repeat(1200)]), peer.headers(3, start));
    await eventually(() => peer.statusOf(3) !== undefined);
    expect([peer.statusOf(1), peer.statusOf(3)]).toEqual(["431", "404"]);
    expect(test.records[0]).toMatchObject({ responseCode: 431, responseCodeDetails: "http2.too_many_headers" });
    expect(test.counter("http.test.http2.header_overflow")).toBe(1);
    expect(test.counter("http.test.downstream_cx_rx_bytes_total")).toBeGreaterThan(1000);
  });

  it("WebSocket over HTTP/2 reaches an HTTP/1 upstream as an upgrade, and ends there when it ends here", async () => {
    const up = await fixtures.tcp((socket) => {
      socket.once("data", (head) => {
        const text = head.toString("latin1");
        // What the client sends ahead of the switch comes behind it.
        const asked = /^GET \/chat HTTP\/1.1\r\n/.test(text) && text.endsWith("upgrade: websocket\r\n\r\n");
        socket.write(`HTTP/1.1 ${asked ? 101 : 400} X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`);
        socket.on("data", (bytes) => socket.write(bytes));
        socket.on("end", () => socket.end());
      });
    });
    const test = await fixtures.plane({
      routes: [toCluster("up")],
      clusters: [staticCluster("up", [up])],
      manager: { upgrade_configs: [{ upgrade_type: "websocket" }], http2_protocol_options: { allow_connect: true } },
    });
    const opened = await openClient(test.port);
    fixtures.onClose(() => opened.stop());
    await eventually(() => opened.connection.takesExtendedConnect);
    const answer = await askCodec(opened.connection, get("/chat", { upgrade: "websocket" }), Buffer.from("hello"));
    expect([answer.status, answer.body.toString(), answer.reset]).toEqual([101, "hello", undefined]);
    expect(test.counter("http.test.downstream_cx_upgrades_total")).toBe(1);
  });

  it("counts the bytes of an HTTP/2 upstream", async () => {
    const up = await server(echo);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up")],
    });
    await ask(await client(test.port), { ":method": "POST" }, "x".repeat(5000));
    expect(test.counter("cluster.up.upstream_cx_tx_bytes_total")).toBeGreaterThan(5000);
    expect(test.counter("cluster.up.upstream_cx_rx_bytes_total")).toBeGreaterThan(5000);
  });
});

describe("HTTP/2", () => {
  it("in and out, with trailers, many requests on one connection each way", async () => {
    const up = await server(echo);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up")],
    });
    const session = await client(test.port);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(session, { ":path": `/${i}`, ":method": "POST" }, `body ${i}`)),
    );
    expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(
      Array.from({ length: 20 }, (_, i) => `200 /${i} body ${i}`),
    );
    expect(answers[0]?.trailers).toMatchObject({ "x-trailer": "t" });
    expect(up.sessions.size).toBe(1);
    await eventually(() => test.records.length === 20);
    expect(test.lastRecord).toMatchObject({
      protocol: "HTTP/2",
      responseCode: 200,
      responseTrailers: ["x-trailer", "t"],
    });
    expect(test.counter("cluster.up.upstream_cx_http2_total")).toBe(1);
    expect(test.counter("http.test.downstream_rq_http2_total")).toBe(20);
  });

  it("in, HTTP/1 out: bodies without a length are put into chunks, and trailers come back", async () => {
    const seen: string[] = [];
    const up = await fixtures.http((request, response) => {
      seen.push(`${request.headers["transfer-encoding"]} ${request.headers.host}`);
      request.resume().on("end", () => {
        response.setHeader("Trailer", "x-trailer");
        response.write("chunked");
        response.addTrailers({ "x-trailer": "t" });
        response.end();
      });
    });
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
    const session = await client(test.port);
    const answer = await ask(session, { ":method": "POST" }, "body");
    expect(answer).toMatchObject({ status: 200, body: "chunked", trailers: { "x-trailer": "t" } });
    expect(seen).toEqual(["chunked a.test"]);
  });

  it("out, HTTP/1 in: chunks are decoded, trailers written behind the last", async () => {
    const up = await server(echo);
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up")],
    });
    const raw = await fixtures.client(test.port);
    raw.send("POST /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    raw.send("2\r\nab\r\n1;x=y\r\nc\r\n0\r\nt: v\r\n\r\n");
    const received = await raw.untilEnd();
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*transfer-encoding: chunked\r\n/);
    expect(received).toMatch(/6\r\n\/p abc\r\n0\r\nx-trailer: t\r\n\r\n$/);
    const head = await (await fixtures.client(test.port))
      .send("HEAD /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      .untilEnd();
    expect(head.slice(0, 12)).toBe("HTTP/1.1 200");
  });

  it("goes on as it came where the cluster says so", async () => {
    const up = await server(echo);
    const plain = await fixtures.http((_, response) => response.end("one"));
    const test = await fixtures.plane({
      clusters: [staticCluster("two", [up.port], asAsked), staticCluster("one", [plain], asAsked)],
      routes: [{ ...toCluster("two"), match: { prefix: "/two" } }, toCluster("one")],
    });
    expect((await ask(await client(test.port), { ":path": "/two" })).body).toBe("/two ");
    expect(await (await fetch(`http://127.0.0.1:${test.port}/`)).text()).toBe("one");
  });

  it("resets by the upstream are answered, and logged with their flag", async () => {
    const up = await server((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up")],
    });
    const answer = await ask(await client(test.port), {});
    expect([answer.status, answer.body]).toEqual([
      503,
      "upstream connect error or disconnect/reset before headers. reset reason: remote reset",
    ]);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseFlags).toBe(ResponseFlag.upstreamRemoteReset);
  });

  it("a refused stream is tried again", async () => {
    let asked = 0;
    const up = await server((stream, ...rest) => {
      if (asked++ === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else echo(stream, ...rest);
    });
    const retry = { retry_policy: { retry_on: "refused-stream", retry_back_off: { base_interval: "0.001s" } } };
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up", retry)],
    });
    expect((await ask(await client(test.port), {})).status).toBe(200);
    expect(asked).toBe(2);
  });

  it("a client that resets its stream lets go of the upstream, and of nobody else's", async () => {
    let cancelled = 0;
    const up = await server((stream, headers, body) => {
      stream.on("close", () => cancelled++);
      if (headers[":path"] !== "/hang") echo(stream, headers, body);
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up")],
    });
    const session = await client(test.port);
    const hanging = session.request({ ":path": "/hang", ":authority": "a" });
    hanging.on("error", () => {});
    await eventually(() => test.counter("cluster.up.upstream_rq_total") === 1);
    hanging.close(constants.NGHTTP2_CANCEL);
    await eventually(() => test.records.length === 1 && cancelled === 1);
    expect(test.lastRecord.responseFlags).toBe(ResponseFlag.downstreamConnectionTermination);
    expect((await ask(session, {})).status).toBe(200);
  });

  it("draining says GOAWAY and answers what is open", async () => {
    const waiting: (() => void)[] = [];
    const up = await fixtures.http((_, response) => void waiting.push(() => response.end("ok")));
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
    const session = await client(test.port);
    const answer = ask(session, {});
    await eventually(() => waiting.length === 1);
    const drained = test.plane.drain(5_000);
    await once(session, "goaway");
    waiting[0]?.();
    expect((await answer).body).toBe("ok");
    await drained;
    expect(test.gauge("http.test.downstream_cx_active")).toBe(0);
  });

  it("codec_type says what is spoken", async () => {
    const only1 = await fixtures.plane({ manager: { codec_type: "HTTP1" }, routes: [toCluster("up")] });
    const refused = await fixtures.client(only1.port);
    expect(await refused.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").untilEnd()).toMatch(/^HTTP\/1.1 505/);
    const direct = { match: { prefix: "/" }, direct_response: { status: 200 } };
    const only2 = await fixtures.plane({ manager: { codec_type: "HTTP2" }, routes: [direct] });
    expect((await ask(await client(only2.port), {})).status).toBe(200);
    const old = await fixtures.client(only2.port);
    await old.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").untilEnd();
    expect(old.received).not.toContain("HTTP/1.1");
  });
});

describe("gRPC", () => {
  const grpc = { ":method": "POST", "content-type": "application/grpc", te: "trailers" };

  it("has its status in the record, be it in trailers or in the only head", async () => {
    const up = await server((stream, headers) => {
      if (headers[":path"] === "/only") {
        stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "5" }, { endStream: true });
        return;
      }
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end("message");
    });
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up")],
    });
    const session = await client(test.port);
    expect((await ask(session, grpc, "x")).trailers).toMatchObject({ "grpc-status": "0" });
    expect((await ask(session, { ...grpc, ":path": "/only" }, "x")).headers["grpc-status"]).toBe("5");
    await eventually(() => test.records.length === 2);
    expect(test.records[0]?.responseTrailers).toEqual(["grpc-status", "0"]);
    expect(test.records[1]?.responseHeaders).toContain("grpc-status");
  });

  it("gets local replies in its own form", async () => {
    const test = await fixtures.plane({ routes: [toCluster("nowhere")] });
    const answer = await ask(await client(test.port), grpc, "x");
    expect(answer).toMatchObject({ status: 200, headers: { "grpc-status": "14", "content-type": "application/grpc" } });
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ responseCodeDetails: "cluster_not_found", responseCode: 200 });
  });

  it("is retried by its status", async () => {
    let asked = 0;
    const up = await server((stream) => {
      const status = asked++ === 0 ? "14" : "0";
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": status },
        { endStream: true },
      );
    });
    const retry = { retry_policy: { retry_on: "unavailable", retry_back_off: { base_interval: "0.001s" } } };
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port], http2Only)],
      routes: [toCluster("up", retry)],
    });
    expect((await ask(await client(test.port), grpc, "x")).headers["grpc-status"]).toBe("0");
    expect(asked).toBe(2);
  });

  it("streams both ways at once", async () => {
    const h2 = createServer();
    h2.on("stream", (stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.on("data", (bytes) => stream.write(`re:${bytes}`));
      stream.on("end", () => stream.end());
    });
    h2.listen(0, "127.0.0.1");
    await once(h2, "listening");
    fixtures.onClose(() => void h2.close());
    const port = (h2.address() as AddressInfo).port;
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [port], http2Only)],
      routes: [toCluster("up")],
    });
    const session = await client(test.port);
    const stream = session.request({ ":path": "/", ":authority": "a", ...grpc });
    let received = "";
    stream.on("data", (bytes) => {
      received += bytes;
    });
    for (const word of ["a", "b", "c"]) {
      stream.write(word);
      await eventually(() => received.endsWith(`re:${word}`));
    }
    stream.end();
    await once(stream, "close");
    expect(received).toBe("re:are:bre:c");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseTrailers).toEqual(["grpc-status", "0"]);
  });
});
