import type { Socket } from "node:net";
import { createServer as createTlsServer, TLSSocket } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { proxyBinary, proxyLine, readProxyHeader } from "../http/proxy-header.ts";
import { TestAuthority } from "../secret/testing/certificates.ts";
import { eventually, Fixtures, type PlaneOptions, staticCluster, toCluster } from "../test-plane.ts";
import { trusting, upstreamTls } from "../tls/testing/contexts.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const source = { address: "10.1.2.3", port: 1111 };
const destination = { address: "10.4.5.6", port: 80 };
const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
const taking = (fields: JsonObject = {}): JsonObject => ({
  listener_filters: [
    {
      name: "proxy",
      typed_config: { "@type": type("filters.listener.proxy_protocol.v3.ProxyProtocol"), ...fields },
    },
  ],
});
const raw: JsonObject = {
  name: "raw",
  typed_config: { "@type": type("transport_sockets.raw_buffer.v3.RawBuffer") },
};
const telling = (version: "V1" | "V2", inner: JsonObject = raw, more: JsonObject = {}): JsonObject => ({
  transport_socket: {
    name: "proxy",
    typed_config: {
      "@type": type("transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"),
      config: { version, ...more },
      transport_socket: inner,
    },
  },
});

const start = (options: PlaneOptions) => fixtures.plane(options);
const request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/** Reads a PROXY header off each connection, then answers what it read. */
async function told(): Promise<{ port: number; headers: Buffer[] }> {
  const headers: Buffer[] = [];
  const port = await fixtures.tcp((socket: Socket) => {
    let bytes = Buffer.alloc(0);
    let read = false;
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const header = readProxyHeader(bytes);
      if (!read && header.kind === "found") {
        read = true;
        headers.push(bytes.subarray(0, header.length));
        bytes = bytes.subarray(header.length);
      }
      if (bytes.includes("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      bytes = Buffer.alloc(0);
    });
  });
  return { port, headers };
}

describe("a listener that is spoken to for others", () => {
  const options = (fields: JsonObject = {}): PlaneOptions => ({
    routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
    listener: taking(fields),
  });

  it.each([
    ["version 1", proxyLine(source, destination)],
    ["version 2", proxyBinary({ source, destination, tlvs: [] })],
  ])("takes the addresses of %s", async (_, header) => {
    const test = await start(options());
    const client = await fixtures.client(test.port);
    client.socket.write(header.subarray(0, 20));
    client.socket.write(Buffer.concat([header.subarray(20), Buffer.from(request)]));
    expect(await client.untilEnd()).toContain("200 OK");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      downstreamRemoteAddress: "10.1.2.3",
      downstreamRemotePort: 1111,
      downstreamLocalAddress: "10.4.5.6",
      downstreamLocalPort: 80,
    });
  });

  it("keeps its own where whoever is in front speaks for itself", async () => {
    const test = await start(options());
    const client = await fixtures.client(test.port);
    client.socket.write(proxyBinary(undefined));
    expect(await client.send(request).untilEnd()).toContain("200 OK");
    expect(test.lastRecord.downstreamRemoteAddress).toBe("127.0.0.1");
  });

  it("closes connections without a header, unless it may do without", async () => {
    const strict = await start(options());
    expect(await (await fixtures.client(strict.port)).send(request).untilEnd()).toBe("");
    expect(strict.counter("proxy_proto.not_found_disallowed")).toBe(1);
    const lax = await start(options({ allow_requests_without_proxy_protocol: true, stat_prefix: "edge" }));
    expect(await (await fixtures.client(lax.port)).send(request).untilEnd()).toContain("200 OK");
    expect(lax.counter("proxy_proto.edge.not_found_allowed")).toBe(1);
  });

  it("refuses what it can't read, and a version that it may not take", async () => {
    const test = await start(options({ disallowed_versions: ["V1"] }));
    const say = async (text: string) => (await fixtures.client(test.port)).send(text).untilEnd();
    expect(await say(`${proxyLine(source, destination)}${request}`)).toBe("");
    expect(test.counter("proxy_proto.versions.v1.disallowed")).toBe(1);
    expect(await say("\r\n\r\n\0\r\nQUIT\n\x91\x11\0\0")).toBe("");
    expect(test.counter("proxy_proto.versions.v2.error")).toBe(1);
  });

  it("does not wait for ever, and ends with the listener", async () => {
    const test = await start({ ...options(), listener: { ...taking(), listener_filters_timeout: "0.05s" } });
    const client = await fixtures.client(test.port);
    expect(await client.send("PROX").untilEnd()).toBe("");
    const waiting = await fixtures.client(test.port);
    waiting.send("PROXY ");
    const other = await start(options());
    const hanging = await fixtures.client(other.port);
    hanging.send("PROXY ");
    await eventually(() =>
      [...other.stats.gauges].some(([name, { value }]) => name.endsWith("downstream_cx_active") && value > 0),
    );
    other.plane.close();
    expect(await hanging.untilEnd()).toBe("");
  });

  it("is where a connection was going, for clusters that go on to there", async () => {
    const port = await fixtures.http((_, response) => void response.end("there"));
    const test = await start({
      clusters: [{ name: "on", type: "ORIGINAL_DST", connect_timeout: "1s", lb_policy: "CLUSTER_PROVIDED" }],
      routes: [toCluster("on")],
      listener: taking(),
    });
    const client = await fixtures.client(test.port);
    client.socket.write(proxyLine(source, { address: "127.0.0.1", port }));
    expect(await client.send(request).untilEnd()).toContain("there");
  });
});

describe("a cluster that is told who calls", () => {
  it.each(["V1", "V2"] as const)("of an HTTP client, once for its connection: %s", async (version) => {
    const { port, headers } = await told();
    const test = await start({
      clusters: [staticCluster("up", [port], telling(version))],
      routes: [toCluster("up")],
    });
    const client = await fixtures.client(test.port);
    const kept = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    await client.send(kept).until((text) => text.includes("200 OK"));
    await client.send(kept).until((text) => text.split("200 OK").length === 3);
    const other = await fixtures.client(test.port);
    await other.send(kept).until((text) => text.includes("200 OK"));
    expect(headers).toHaveLength(2);
    const [first] = headers.map((bytes) => readProxyHeader(bytes));
    const ends = { source: { address: "127.0.0.1", port: client.socket.localPort }, destination: { port: test.port } };
    expect(first).toMatchObject({ proxied: ends });
  });

  it("of a TCP client, and of what its own header had", async () => {
    const { port, headers } = await told();
    const test = await start({
      clusters: [
        staticCluster(
          "up",
          [port],
          telling("V2", raw, { pass_through_tlvs: { match_type: "INCLUDE", tlv_type: [5] } }),
        ),
      ],
      listener: {
        ...taking({ pass_through_tlvs: { match_type: "INCLUDE_ALL" } }),
        filter_chains: [
          {
            filters: [
              {
                name: "tcp",
                typed_config: {
                  "@type": type("filters.network.tcp_proxy.v3.TcpProxy"),
                  stat_prefix: "t",
                  cluster: "up",
                },
              },
            ],
          },
        ],
      },
    });
    const client = await fixtures.client(test.port);
    const tlvs = [5, 6].map((it) => ({ type: it, value: Buffer.from(`${it}`) }));
    client.socket.write(proxyBinary({ source, destination, tlvs }));
    await client.send("GET /\r\n\r\n").until((text) => text.includes("200 OK"));
    expect(headers.map((bytes) => readProxyHeader(bytes))).toMatchObject([
      { proxied: { source, destination, tlvs: [{ type: 5, value: Buffer.from("5") }] } },
    ]);
  });

  it("before the handshake, where there is one", async () => {
    const ca = await TestAuthority.create();
    const { key, chain: cert } = await ca.issue({ dns: ["a.test"] });
    const secured = createTlsServer({ key, cert });
    const lines: string[] = [];
    const port = await fixtures.tcp((socket) => {
      socket.once("data", (bytes) => {
        const header = readProxyHeader(bytes);
        if (header.kind !== "found") return void socket.destroy();
        lines.push(bytes.toString("latin1", 0, header.length));
        socket.pause();
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
        const tls = new TLSSocket(socket, { isServer: true, key, cert });
        tls.on("data", () => tls.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"));
        tls.on("error", () => {});
      });
    });
    secured.close();
    const inner = upstreamTls(trusting(ca.pem), { sni: "a.test" }).transport_socket as JsonObject;
    const test = await start({
      clusters: [staticCluster("up", [port], telling("V1", inner))],
      routes: [toCluster("up")],
    });
    expect(await (await fixtures.client(test.port)).send(request).untilEnd()).toMatch(/ok$/);
    expect(lines[0]).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
    const dead = await start({ clusters: [staticCluster("up", [1], telling("V1", inner))], routes: [toCluster("up")] });
    expect(await (await fixtures.client(dead.port)).send(request).untilEnd()).toContain("503");
  });

  it("and that a health check is nobody's", async () => {
    const { port, headers } = await told();
    const check = {
      timeout: "1s",
      interval: "1s",
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      http_health_check: { path: "/" },
    };
    await start({ clusters: [staticCluster("up", [port], { ...telling("V2"), health_checks: [check] })] });
    expect(headers.map((bytes) => readProxyHeader(bytes))).toMatchObject([
      { kind: "found", version: 2, proxied: undefined },
    ]);
  });
});
