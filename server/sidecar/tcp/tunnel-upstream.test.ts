import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect, type Server } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { flagNames } from "../response-flags.ts";
import { eventually, Fixtures, staticCluster, type TestPlane } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const http2: JsonObject = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return (server.address() as AddressInfo).port;
}

/** Says who it is, and answers every word. */
const target = () =>
  fixtures.tcp((socket) => {
    socket.write("hello ");
    socket.on("data", (bytes) => socket.write(`<${bytes}>`));
    socket.on("end", () => socket.end("bye"));
  });

/** A proxy of Node's own that opens tunnels over HTTP/1. */
async function proxy(heads: string[], status = "200 OK"): Promise<number> {
  const server = createHttpServer();
  server.on("connect", (request, socket, rest) => {
    heads.push(`${request.method} ${request.url} ${request.headers.host} ${JSON.stringify(request.headers)}`);
    socket.on("error", () => {});
    if (!status.startsWith("2")) {
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const [, port] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), "127.0.0.1");
    upstream.on("error", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
    socket.write(`HTTP/1.1 ${status}\r\ncontent-length: 99\r\n\r\n`);
    if (rest.length > 0) upstream.write(rest);
    socket.pipe(upstream).pipe(socket);
  });
  fixtures.onClose(() => {
    server.closeAllConnections();
    server.close();
  });
  return listening(server);
}

/** The same over HTTP/2, for CONNECT and for POST. */
async function proxy2(heads: string[]): Promise<number> {
  const server = createHttp2Server();
  server.on("stream", (stream, headers) => {
    heads.push(["method", "authority", "scheme", "path"].map((name) => headers[`:${name}`]).join(" "));
    const [, port] = String(headers[":authority"]).split(":");
    const upstream = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    upstream.on("error", () => stream.close());
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    stream.pipe(upstream).pipe(stream);
  });
  fixtures.onClose(() => void server.close());
  return listening(server);
}

const tunneling = (clusters: JsonObject[], tunneling_config: JsonObject) =>
  fixtures.plane({
    clusters,
    listener: {
      filter_chains: [
        {
          filters: [
            {
              name: "tcp",
              typed_config: {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                stat_prefix: "t",
                cluster: "up",
                access_log: [{ name: "test" }],
                tunneling_config,
              },
            },
          ],
        },
      ],
    },
  });

async function talk(test: TestPlane): Promise<string> {
  const client = await fixtures.client(test.port);
  await client.send("one").until((text) => text.endsWith("<one>"));
  await client.send("two").until((text) => text.endsWith("<two>"));
  client.socket.end();
  return client.untilEnd();
}

describe("a session through a tunnel", () => {
  it("over HTTP/1: CONNECT, and bytes as they are after any 2xx", async () => {
    const heads: string[] = [];
    const to = `127.0.0.1:${await target()}`;
    const test = await tunneling([staticCluster("up", [await proxy(heads)])], {
      hostname: to,
      headers_to_add: [{ header: { key: "x-from", value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%" } }],
    });
    expect(await talk(test)).toContain("hello <one><two>");
    expect(heads[0]).toMatch(new RegExp(`^CONNECT ${to} ${to} \\{"host":"${to}","x-from":"127.0.0.1"\\}$`));
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({ upstreamCluster: "up", requestBodyBytes: 6, responseFlags: 0 });
    await eventually(() => test.gauge("cluster.up.upstream_cx_active") === 0);
  });

  it.each<[string, JsonObject, string]>([
    ["CONNECT", {}, "CONNECT TO  "],
    ["POST", { use_post: true, post_path: "/tunnel" }, "POST TO http /tunnel"],
  ])("over HTTP/2: %s, several on one connection, each end by itself", async (_, more, head) => {
    const heads: string[] = [];
    const to = `127.0.0.1:${await target()}`;
    const test = await tunneling([staticCluster("up", [await proxy2(heads)], http2)], { hostname: to, ...more });
    expect(await talk(test)).toBe("hello <one><two>bye");
    expect(await talk(test)).toBe("hello <one><two>bye");
    expect(heads).toEqual([head.replace("TO", to), head.replace("TO", to)]);
    expect(test.counter("cluster.up.upstream_cx_total")).toBe(1);
    expect(test.plane.clusterMap.get("up")?.allEndpoints[0]?.active).toBe(0);
  });

  it("carries much both ways, at the pace of the slower", async () => {
    const size = 5_000_000;
    const port = await fixtures.tcp((socket) => void socket.pipe(socket));
    const test = await tunneling([staticCluster("up", [await proxy2([])], http2)], { hostname: `127.0.0.1:${port}` });
    const client = await fixtures.client(test.port);
    client.socket.write(Buffer.alloc(size, "x"));
    client.socket.end();
    expect((await client.untilEnd()).length).toBe(size);
  });

  it("that is refused is tried again as often as it may, and then closed", async () => {
    const heads: string[] = [];
    const test = await tunneling([staticCluster("up", [await proxy(heads, "403 Forbidden")])], { hostname: "a:1" });
    const client = await fixtures.client(test.port);
    expect(await client.untilEnd()).toBe("");
    await eventually(() => test.records.length === 1);
    expect(flagNames(test.lastRecord.responseFlags).sort()).toEqual(["UF", "URX"]);
    expect(test.lastRecord.upstreamTransportFailureReason).toBe("tunnel refused: 403");
    expect(heads).toHaveLength(1);
  });

  it("nobody listens: as without a tunnel", async () => {
    const test = await tunneling([staticCluster("up", [1])], { hostname: "a:1" });
    expect(await (await fixtures.client(test.port)).untilEnd()).toBe("");
    await eventually(() => test.records.length === 1);
    expect(flagNames(test.lastRecord.responseFlags).sort()).toEqual(["UF", "URX"]);
  });

  it("a client that breaks off ends the request", async () => {
    let closed = 0;
    const port = await fixtures.tcp((socket) => void socket.resume().on("close", () => closed++));
    const test = await tunneling([staticCluster("up", [await proxy([])])], { hostname: `127.0.0.1:${port}` });
    const client = await fixtures.client(test.port);
    client.send("x");
    await eventually(() => test.counter("cluster.up.upstream_rq_200") === 1);
    client.socket.resetAndDestroy();
    await eventually(() => closed === 1);
    expect(test.plane.clusterMap.get("up")?.allEndpoints[0]?.active).toBe(0);
  });
});
