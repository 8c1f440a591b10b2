import { afterEach, describe, expect, it } from "vitest";
import { ResponseFlag } from "../record.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const get = (path = "/", headers = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;

/** A plane with one route to one upstream. */
const proxyTo = async (port: number, manager = {}, action = {}) =>
  fixtures.plane({ clusters: [staticCluster("up", [port])], routes: [toCluster("up", action)], manager });

describe("proxying", () => {
  it("passes a request and its response, and notes both", async () => {
    const seen: string[] = [];
    const upstream = await fixtures.http((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers["x-forwarded-proto"]}`);
      response.end("hello");
    });
    const test = await proxyTo(upstream);
    const response = await fetch(`http://127.0.0.1:${test.port}/a?b=c`);
    expect(await response.text()).toBe("hello");
    expect(response.headers.get("server")).toBe("envoy");
    expect(response.headers.get("x-envoy-upstream-service-time")).toMatch(/^\d+$/);
    expect(seen).toEqual([`GET /a?b=c 127.0.0.1:${test.port} http`]);
    await eventually(() => test.records.length === 1);
    const record = test.lastRecord;
    expect(record).toMatchObject({
      responseCode: 200,
      responseCodeDetails: "via_upstream",
      responseBodyBytes: 5,
      upstreamCluster: "up",
      upstreamRemotePort: upstream,
      upstreamAttempts: 1,
      responseFlags: 0,
      path: "/a?b=c",
      authority: `127.0.0.1:${test.port}`,
    });
    expect(record.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(record.durationMs).toBeGreaterThan(0);
    expect(record.timeToLastUpstreamRxMs).toBeGreaterThanOrEqual(record.timeToFirstUpstreamRxMs);
    expect(record.timeToFirstUpstreamRxMs).toBeGreaterThanOrEqual(record.timeToFirstUpstreamTxMs);
    expect(record.durationMs).toBeGreaterThanOrEqual(record.timeToLastUpstreamRxMs);
    expect(test.counter("http.test.downstream_rq_2xx")).toBe(1);
    expect(test.counter("cluster.up.upstream_rq_2xx")).toBe(1);
    expect(test.counter("cluster.up.upstream_rq_200")).toBe(1);
    expect(test.gauge("cluster.up.upstream_rq_active")).toBe(0);
    expect(test.gauge("http.test.downstream_rq_active")).toBe(0);
  });

  it.each([10, 20_000, 3_000_000])("echoes bodies of %d bytes, with a length and chunked", async (size) => {
    const upstream = await fixtures.http((request, response) => {
      if (request.headers["content-length"] !== undefined)
        response.setHeader("content-length", request.headers["content-length"]);
      request.pipe(response);
    });
    const test = await proxyTo(upstream);
    const body = Buffer.alloc(size, "0123456789abcdef\r\n");
    const url = `http://127.0.0.1:${test.port}/`;
    const withLength = await fetch(url, { method: "POST", body });
    expect(Buffer.from(await withLength.arrayBuffer()).equals(body)).toBe(true);
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < size; at += 7000) controller.enqueue(new Uint8Array(body.subarray(at, at + 7000)));
        controller.close();
      },
    });
    const chunked = await fetch(url, { method: "POST", body: stream, duplex: "half" } as RequestInit);
    expect(Buffer.from(await chunked.arrayBuffer()).equals(body)).toBe(true);
    await eventually(() => test.records.length === 2);
    for (const record of test.records)
      expect(record).toMatchObject({ requestBodyBytes: size, responseBodyBytes: size });
  });

  it("answers pipelined requests in order over one upstream connection", async () => {
    let connections = 0;
    const upstream = await fixtures.tcp((socket) => {
      connections++;
      socket.on("data", (bytes) => {
        const path = /GET (\S+)/.exec(bytes.toString("latin1"))?.[1] ?? "";
        setTimeout(
          () => socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`),
          path === "/1" ? 20 : 0,
        );
      });
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    client.send(get("/1") + get("/2") + get("/3") + get("/4", "Connection: close\r\n"));
    const received = await client.untilEnd();
    expect([...received.matchAll(/\r\n\r\n(\/\d)/g)].map((match) => match[1])).toEqual(["/1", "/2", "/3", "/4"]);
    expect(received.match(/connection: close/g)).toHaveLength(1);
    expect(connections).toBe(1);
    expect(test.counter("cluster.up.upstream_cx_total")).toBe(1);
  });

  it("forwards chunks and trailers verbatim, and ends them for HTTP/1.0", async () => {
    const body = "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nt: v\r\n\r\n";
    const upstream = await fixtures.tcp((socket) => {
      socket.on("data", () => socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`));
    });
    const test = await proxyTo(upstream, { http_protocol_options: { accept_http_10: true } });
    const client = await fixtures.client(test.port);
    const received = await client.send(get()).until((text) => text.endsWith("t: v\r\n\r\n"));
    expect(received).toContain("transfer-encoding: chunked\r\n");
    expect(received.endsWith(`\r\n\r\n${body}`)).toBe(true);
    const old = await fixtures.client(test.port);
    const plain = await old.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n").untilEnd();
    expect(plain).not.toContain("transfer-encoding");
    expect(plain.endsWith("\r\n\r\nabcde")).toBe(true);
    expect(test.records.map((record) => record.responseBodyBytes)).toEqual([5, 5]);
  });

  it("chunks a response that ends with its connection", async () => {
    const upstream = await fixtures.tcp((socket) => {
      socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\nabc"));
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    const received = await client.send(get()).until((text) => text.endsWith("0\r\n\r\n"));
    expect(received).toContain("transfer-encoding: chunked\r\n");
    expect(received.endsWith("3\r\nabc\r\n0\r\n\r\n")).toBe(true);
  });

  it("knows that HEAD, 204 and 304 have no body", async () => {
    const upstream = await fixtures.tcp((socket) => {
      socket.on("data", (bytes) => {
        const text = bytes.toString("latin1");
        const status = /\/(\d+)/.exec(text)?.[1];
        const length = status === "204" ? "" : "content-length: 9\r\n";
        socket.write(`HTTP/1.1 ${status} x\r\n${length}\r\n`);
      });
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    client.send(`HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\n${get("/204")}${get("/304")}`);
    await client.until((text) => text.split("\r\n\r\n").length === 4);
    expect(client.received.match(/HTTP\/1.1 (\d+)/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 204", "HTTP/1.1 304"]);
  });

  it("drops informational responses and answers Expect itself", async () => {
    const upstream = await fixtures.tcp((socket) => {
      socket.on("data", (bytes) => {
        expect(bytes.toString("latin1")).not.toMatch(/expect/i);
        if (bytes.toString("latin1").endsWith("ab")) {
          socket.write("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        }
      });
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    await client.until((text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
    await client.send("ab").until((text) => text.includes("200 OK"));
    expect(client.received).not.toContain("103");
  });

  it("tunnels a WebSocket when enabled, and refuses other upgrades", async () => {
    const upstream = await fixtures.tcp((socket) => {
      socket.once("data", (bytes) => {
        expect(bytes.toString("latin1")).toMatch(/connection: upgrade\r\nupgrade: websocket/);
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nsec-websocket-accept: x\r\n\r\nfirst",
        );
        socket.on("data", (more) => socket.write(more.toString("latin1").toUpperCase()));
      });
    });
    const test = await proxyTo(upstream, { upgrade_configs: [{ upgrade_type: "websocket" }] });
    const client = await fixtures.client(test.port);
    const upgrade = (protocol: string) => get("/", `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`);
    await client.send(upgrade("websocket")).until((text) => text.endsWith("first"));
    expect(client.received).toMatch(/^HTTP\/1.1 101 .*connection: upgrade\r\nupgrade: websocket\r\n\r\nfirst$/s);
    await client.send("abc").until((text) => text.endsWith("ABC"));
    client.socket.destroy();
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ responseCode: 101, requestBodyBytes: 3, responseBodyBytes: 8 });
    const other = await fixtures.client(test.port);
    expect(await other.send(upgrade("foo")).until((text) => text.includes("\r\n\r\n"))).toContain(" 403 ");
  });

  it("passes tunnel bytes that came with the upgrade request", async () => {
    const upstream = await fixtures.tcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        socket.on("data", (more) => socket.write(more));
      });
    });
    const test = await proxyTo(upstream, { upgrade_configs: [{ upgrade_type: "websocket" }] });
    const client = await fixtures.client(test.port);
    client.send(`${get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n")}early`);
    await client.until((text) => text.endsWith("\r\n\r\nearly"));
    await client.send("late").until((text) => text.endsWith("earlylate"));
  });

  it("a slow reader of a last response gets all of it, however long the close takes", async () => {
    const size = 8_000_000;
    const upstream = await fixtures.http((_request, response) => response.end(Buffer.alloc(size, "x")));
    const test = await proxyTo(upstream, { delayed_close_timeout: "0.03s" });
    const client = await fixtures.client(test.port);
    client.socket.pause();
    client.send(get("/", "Connection: close\r\n"));
    // Read in sips, with pauses longer than the delayed close.
    const sip = setInterval(() => {
      client.socket.resume();
      setTimeout(() => client.socket.pause(), 1);
    }, 60);
    const received = await client.untilEnd().finally(() => clearInterval(sip));
    expect(received.length - received.indexOf("\r\n\r\n") - 4).toBe(size);
  });

  it("hands the trace context on, and the record to tracer and logger", async () => {
    const ended: unknown[] = [];
    const upstream = await fixtures.http((request, response) => response.end(String(request.headers.traceparent)));
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [upstream])],
      routes: [toCluster("up")],
      manager: { tracing: {} },
      listener: { traffic_direction: "INBOUND" },
      tracer: {
        begin: (headers, direction) => ({
          traceId: headers[headers.indexOf("traceparent") + 1] ?? "",
          spanId: direction,
          parentSpanId: "",
          sampled: true,
          propagate: ["traceparent", "ours"],
        }),
        end: (context, record) => ended.push([context.spanId, record.responseCode]),
      },
    });
    const response = await fetch(`http://127.0.0.1:${test.port}/`, { headers: { traceparent: "theirs" } });
    expect(await response.text()).toBe("ours");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ traceId: "theirs", spanId: "inbound", sampled: true });
    expect(ended).toEqual([["inbound", 200]]);
  });

  it("refuses a CONNECT that no route takes", async () => {
    const test = await proxyTo(1);
    const client = await fixtures.client(test.port);
    expect(await client.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").untilEnd()).toContain("HTTP/1.1 404 ");
  });
});

describe("what goes wrong", () => {
  it("nobody listens: 503 UF", async () => {
    const free = await fixtures.tcp(() => {});
    const test = await proxyTo(free);
    fixtures.close();
    const again = await proxyTo(free);
    expect(test).not.toBe(again);
    const client = await fixtures.client(again.port);
    const received = await client.send(get()).until((text) => text.includes("connection failure"));
    expect(received).toMatch(/^HTTP\/1.1 503 .*reset reason: remote connection failure/s);
    expect(again.lastRecord).toMatchObject({
      responseCode: 503,
      responseFlags: ResponseFlag.upstreamConnectionFailure,
    });
    expect(again.lastRecord.responseCodeDetails).toMatch(
      /^upstream_reset_before_response_started\{remote_connection_failure\|/,
    );
    expect(again.counter("cluster.up.upstream_cx_connect_fail")).toBe(1);
  });

  it.each<[string, string, number, number, string]>([
    [
      "closes without an answer",
      "",
      503,
      ResponseFlag.upstreamConnectionTermination,
      "upstream_reset_before_response_started{connection_termination}",
    ],
    [
      "answers garbage",
      "garbage\r\n\r\n",
      502,
      ResponseFlag.upstreamProtocolError,
      "upstream_reset_before_response_started{protocol_error}",
    ],
    [
      "answers with two framings",
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      502,
      ResponseFlag.upstreamProtocolError,
      "upstream_reset_before_response_started{protocol_error}",
    ],
  ])("upstream %s", async (_, answer, status, flag, details) => {
    const upstream = await fixtures.tcp((socket) => void socket.once("data", () => socket.end(answer)));
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    await client.send(get()).until((text) => text.includes("reset reason"));
    expect(client.received.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(test.lastRecord).toMatchObject({ responseCode: status, responseFlags: flag, responseCodeDetails: details });
    expect(test.gauge("cluster.up.upstream_cx_active")).toBe(0);
  });

  it.each<[string, string]>([
    ["a length", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
    ["chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc"],
  ])("upstream breaks off in the middle of %s: the client's connection breaks too", async (_, answer) => {
    const upstream = await fixtures.tcp((socket) => void socket.once("data", () => socket.end(answer)));
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    const received = await client.send(get()).untilEnd();
    expect(received.endsWith("abc")).toBe(true);
    expect(test.lastRecord).toMatchObject({
      responseCode: 200,
      // As real Envoy 1.40: a message that ends too early is none.
      responseFlags: ResponseFlag.upstreamProtocolError,
      responseCodeDetails: "upstream_reset_after_response_started{protocol_error}",
    });
  });

  it.each<[string, (client: { socket: { destroy(): void; end(): void } }) => void]>([
    ["resets", (client) => client.socket.destroy()],
    ["half-closes", (client) => client.socket.end()],
  ])("the client %s while waiting: DC, and the upstream is let go", async (_, leave) => {
    let closed = false;
    let asked = false;
    const upstream = await fixtures.tcp((socket) => {
      socket.on("data", () => {
        asked = true;
      });
      socket.on("close", () => {
        closed = true;
      });
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    client.send(get());
    await eventually(() => asked);
    leave(client);
    await eventually(() => closed && test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      responseCode: 0,
      responseFlags: ResponseFlag.downstreamConnectionTermination,
      responseCodeDetails: "downstream_remote_disconnect",
    });
    expect(test.gauge("cluster.up.upstream_rq_active")).toBe(0);
    expect(test.gauge("http.test.downstream_cx_active")).toBe(0);
  });

  it("the upstream answers before the request is whole: the answer is passed on and the connection closed", async () => {
    const upstream = await fixtures.tcp((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 413 x\r\ncontent-length: 2\r\n\r\nno"));
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    const received = await client.untilEnd();
    expect(received).toContain("HTTP/1.1 413 ");
    expect(received.endsWith("no")).toBe(true);
  });

  it("a slow reader holds the upstream back", async () => {
    const size = 50_000_000;
    let written = 0;
    const upstream = await fixtures.http((_request, response) => {
      response.setHeader("content-length", size);
      const chunk = Buffer.alloc(100_000, "x");
      const write = () => {
        while (written < size) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once("drain", write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    client.send(get());
    await client.until((text) => text.length > 0);
    client.socket.pause();
    let last = -1;
    // Stalled: nothing more is taken from the upstream once the buffers in between are full.
    await eventually(() => {
      const same = written === last && written > 0;
      last = written;
      return same;
    });
    expect(written).toBeLessThan(size);
    let received = client.received.length;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (bytes) => {
      received += bytes.length;
    });
    client.socket.resume();
    await eventually(() => received > size);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseBodyBytes).toBe(size);
  });

  it("a slow upstream holds the client back", async () => {
    const upstream = await fixtures.tcp((socket) => void socket.pause());
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    const size = 40_000_000;
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    client.socket.write(Buffer.alloc(size, "x"));
    let last = -1;
    await eventually(() => {
      const taken = test.counter("http.test.downstream_cx_rx_bytes_total");
      const same = taken === last && taken > 0;
      last = taken;
      return same;
    });
    expect(last).toBeLessThan(size);
  });

  it("responses that nobody asked for close the upstream connection", async () => {
    let push: (() => void) | undefined;
    const upstream = await fixtures.tcp((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na"));
      push = () => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
    });
    const test = await proxyTo(upstream);
    const client = await fixtures.client(test.port);
    await client.send(get()).until((text) => text.endsWith("\r\n\r\na"));
    push?.();
    await eventually(() => test.gauge("cluster.up.upstream_cx_active") === 0);
    await client.send(get()).until((text) => text.split("\r\n\r\na").length === 3);
    expect(client.received).not.toContain("poison");
  });
});
