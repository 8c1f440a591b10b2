import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { proxyBinary, proxyLine, readProxyHeader } from "./http/proxy-header.ts";
import { Fixtures, type PlaneOptions, staticCluster, type TestPlane, toCluster } from "./test-plane.ts";
import { envoyMissing, RealEnvoy } from "./testing/real-envoy.ts";

// The PROXY protocol, in and out, byte by byte beside real Envoy.

const fixtures = new Fixtures();
let ours: TestPlane;
let theirs: RealEnvoy;
const headers: string[] = [];

const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
const telling = (config: JsonObject): JsonObject => ({
  transport_socket: {
    name: "envoy.transport_sockets.upstream_proxy_protocol",
    typed_config: {
      "@type": type("transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"),
      config,
      transport_socket: {
        name: "envoy.transport_sockets.raw_buffer",
        typed_config: { "@type": type("transport_sockets.raw_buffer.v3.RawBuffer") },
      },
    },
  },
});

function options(port: number): PlaneOptions {
  const ways: Record<string, JsonObject> = {
    v1: { version: "V1" },
    v2: { version: "V2" },
    all: { version: "V2", pass_through_tlvs: { match_type: "INCLUDE_ALL" } },
    some: { version: "V2", pass_through_tlvs: { match_type: "INCLUDE", tlv_type: [5] } },
  };
  return {
    clusters: Object.entries(ways).map(([name, config]) => staticCluster(name, [port], telling(config))),
    routes: Object.keys(ways).map((name) => ({ ...toCluster(name), match: { prefix: `/${name}` } })),
    listener: {
      listener_filters: [
        {
          name: "envoy.filters.listener.proxy_protocol",
          typed_config: {
            "@type": type("filters.listener.proxy_protocol.v3.ProxyProtocol"),
            allow_requests_without_proxy_protocol: true,
            pass_through_tlvs: { match_type: "INCLUDE_ALL" },
          },
        },
      ],
    },
  };
}

beforeAll(async () => {
  if (envoyMissing) return;
  const port = await fixtures.tcp((socket) => {
    socket.once("data", (bytes) => {
      const header = readProxyHeader(bytes);
      headers.push(header.kind === "found" ? bytes.toString("hex", 0, header.length) : header.kind);
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    });
  });
  const config = options(port);
  ours = await fixtures.plane(config);
  theirs = await RealEnvoy.start(config);
});

afterAll(() => {
  theirs?.close();
  fixtures.close();
});

const four = { source: { address: "10.1.2.3", port: 1111 }, destination: { address: "10.4.5.6", port: 80 } };
const six = { source: { address: "2001:db8::7", port: 9 }, destination: { address: "2001:db8:1::", port: 443 } };
const tlvs = [5, 6, 0xea].map((it) => ({ type: it, value: Buffer.from(`value ${it}`) }));
const sent: Record<string, Buffer> = {
  "version 1": proxyLine(four.source, four.destination),
  "version 1 and IPv6": proxyLine(six.source, six.destination),
  "version 2": proxyBinary({ ...four, tlvs: [] }),
  "version 2 and IPv6": proxyBinary({ ...six, tlvs }),
  "version 2 and more": proxyBinary({ ...four, tlvs }),
  "a line that is bad": Buffer.from("PROXY TCP4 1.2.3.4 1.2.3 1 2\r\n"),
  "a version that is bad": Buffer.from("0d0a0d0a000d0a515549540a31110000", "hex"),
};

async function through(port: number, path: string, header: Buffer): Promise<string> {
  headers.length = 0;
  const client = await fixtures.client(port);
  client.socket.write(
    Buffer.concat([header, Buffer.from(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)]),
  );
  const text = await client.untilEnd();
  return `${text.slice(0, 15)} ${headers.join(" ")}`;
}

describe.skipIf(envoyMissing)("the PROXY protocol, like Envoy", () => {
  const cases = Object.keys(sent).flatMap((name) =>
    ["/v1", "/v2", "/all", "/some"].map((path) => [name, path] as const),
  );
  it.each(cases)("%s, on to %s", async (name, path) => {
    const header = sent[name] ?? Buffer.alloc(0);
    const expected = await through(theirs.port, path, header);
    expect(await through(ours.port, path, header)).toBe(expected);
  });
});
