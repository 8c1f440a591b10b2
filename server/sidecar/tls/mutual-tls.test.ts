import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { spiffe } from "../secret/testing/certificates.ts";
import { staticCluster, toCluster } from "../test-plane.ts";
import { permissive } from "./testing/contexts.ts";
import { answer, downstream, get, MutualTls, upstream } from "./testing/mutual-tls.ts";

let pair: MutualTls;
beforeAll(async () => {
  pair = await MutualTls.create();
});
afterEach(() => pair.fixtures.close());

describe("mutual TLS between two sidecars", () => {
  it("carries a request, and both sides say who the other is", async () => {
    const { plane, seen } = await pair.server();
    const source = await pair.client(plane.port, pair.clientTls(pair.certificates.a));
    const forged = get.replace("\r\n\r\n", "\r\nx-forwarded-client-cert: By=me;URI=spiffe://evil\r\n\r\n");
    expect(await pair.ask(source, forged)).toMatch(/^HTTP\/1.1 200 [\s\S]*hello$/);
    const [request] = seen;
    expect(request?.headers["x-forwarded-client-cert"]).toMatch(
      /^By=spiffe:\/\/cluster.local\/ns\/default\/sa\/b;Hash=[0-9a-f]{64};Subject="";URI=spiffe:\/\/cluster.local\/ns\/default\/sa\/a$/,
    );
    expect(plane.lastRecord.downstreamTls).toMatchObject({ version: "TLSv1.3", serverName: "test", mutual: true });
    expect(plane.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(source.lastRecord.upstreamTls?.peerUri).toBe(spiffe("b"));
    expect(plane.counter(`${downstream}handshake`)).toBe(1);
    expect(source.counter(`${upstream}handshake`)).toBe(1);
    expect(source.counter(`${upstream}versions.TLSv1.3`)).toBe(1);
  });

  it("carries HTTP/2, told by its preface where the handshake agreed on nothing", async () => {
    const { plane } = await pair.server();
    const http2 = {
      typed_extension_protocol_options: {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
          "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    };
    const source = await pair.client(plane.port, { ...pair.clientTls(pair.certificates.a), ...http2 });
    const [first, second] = [await pair.ask(source), await pair.ask(source)];
    expect([first, second].every((text) => /^HTTP\/1.1 200 [\s\S]*hello$/.test(text))).toBe(true);
    expect(plane.lastRecord).toMatchObject({ protocol: "HTTP/2" });
    expect(plane.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(source.counter("cluster.up.upstream_cx_total")).toBe(1);
    expect(source.records.map(({ upstreamTls }) => upstreamTls?.peerUri)).toEqual([spiffe("b"), spiffe("b")]);
  });

  it("says https to an application that nobody has told yet", async () => {
    const { plane, seen } = await pair.server();
    const peer = await pair.secure(plane.port, pair.certificates.a);
    expect(await answer(peer, get)).toMatch(/200 OK/);
    expect(seen[0]?.headers["x-forwarded-proto"]).toBe("https");
    expect(plane.lastRecord.scheme).toBe("https");
  });

  it("serves plain text beside it, whose word on certificates counts for nothing", async () => {
    const { plane, seen } = await pair.server();
    const forged = get.replace("\r\n\r\n", "\r\nX-Forwarded-Client-Cert: URI=spiffe://evil\r\n\r\n");
    expect(await pair.ask(plane, forged)).toMatch(/200 OK/);
    expect(seen[0]?.headers).not.toHaveProperty("x-forwarded-client-cert");
    expect(plane.lastRecord.downstreamTls).toBeUndefined();
  });

  it("carries a megabyte both ways on one connection after the other request", async () => {
    const { plane, seen } = await pair.server();
    const source = await pair.client(plane.port, pair.clientTls(pair.certificates.a));
    const body = "x".repeat(1024 * 1024);
    const text = `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    for (let i = 0; i < 2; i++) {
      const reply = await pair.ask(source, text);
      expect(reply.slice(reply.indexOf("\r\n\r\n") + 4)).toBe(body);
    }
    expect(seen.map(({ bytes }) => bytes)).toEqual([body.length, body.length]);
    expect(source.counter("cluster.up.upstream_cx_total")).toBe(1);
  });

  it("without a listener filter knows no protocol, and takes TLS all the same", async () => {
    const app = await pair.fixtures.http((_, response) => void response.end("web"));
    const { filter_chains } = permissive({ routes: [toCluster("app")] }, {}) as { filter_chains: JsonObject[] };
    const { filter_chain_match: __, ...chain } = filter_chains[0] ?? {};
    const listener = { filter_chains: [{ ...chain, ...pair.serverTls() }] };
    const plane = await pair.fixtures.plane({ listener, clusters: [staticCluster("app", [app])] });
    expect(await answer(await pair.secure(plane.port, pair.certificates.a), get)).toMatch(/200 OK[\s\S]*web$/);
  });
});
