import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { flagNames } from "../response-flags.ts";
import { spiffe, TestAuthority, type TestCertificate } from "../secret/testing/certificates.ts";
import {
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  staticCluster,
  type TestPlane,
  toCluster,
} from "../test-plane.ts";
import { downstreamTls, inline, permissive, sanitizeSet, tcpChain, trusting, upstreamTls } from "./testing/contexts.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

let ca: TestAuthority;
let foreign: TestAuthority;
let a: TestCertificate;
let b: TestCertificate;
let stranger: TestCertificate;
let expired: TestCertificate;

beforeAll(async () => {
  ca = await TestAuthority.create();
  foreign = await TestAuthority.create("foreign");
  a = await ca.issue({ uris: [spiffe("a")] });
  b = await ca.issue({ uris: [spiffe("b")] });
  stranger = await foreign.issue({ uris: [spiffe("a")] });
  const past = Date.now() - 86_400_000;
  expired = await ca.issue({ uris: [spiffe("a")], notBefore: new Date(past - 1000), notAfter: new Date(past) });
});

const serverTls = (common: JsonObject = {}) =>
  downstreamTls({ ...inline(b), ...trusting(ca.pem, { prefix: "spiffe://cluster.local/" }), ...common });

/** The destination's sidecar; `seen` are the requests that its application got. */
async function server(tls: JsonObject = serverTls(), manager: JsonObject = sanitizeSet) {
  const seen: { headers: Record<string, unknown>; bytes: number }[] = [];
  const app = await fixtures.http((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (bytes) => chunks.push(bytes));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      seen.push({ headers: request.headers, bytes: body.length });
      response.end(body.length > 0 ? body : "hello");
    });
  });
  const routes = [toCluster("app")];
  const listener = permissive({ routes }, tls, manager);
  return { plane: await fixtures.plane({ listener, clusters: [staticCluster("app", [app])] }), seen };
}

/** The source's sidecar, with TLS towards one port. */
const client = (port: number, tls: JsonObject) =>
  fixtures.plane({ routes: [toCluster("up")], clusters: [staticCluster("up", [port], tls)] });

const clientTls = (certificate: TestCertificate | undefined, common: JsonObject = {}) =>
  upstreamTls({
    ...(certificate && inline(certificate)),
    ...trusting(ca.pem, { exact: spiffe("b") }),
    alpn_protocols: ["istio"],
    ...common,
  });

const get = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const ask = async ({ port }: TestPlane, text = get) => (await fixtures.client(port)).send(text).untilEnd();

const downstream = "listener.127.0.0.1_0.ssl.";
const upstream = "cluster.up.ssl.";

describe("mutual TLS between two sidecars", () => {
  it("carries a request, and both sides say who the other is", async () => {
    const { plane, seen } = await server();
    const source = await client(plane.port, clientTls(a));
    const forged = get.replace("\r\n\r\n", "\r\nx-forwarded-client-cert: By=me;URI=spiffe://evil\r\n\r\n");
    expect(await ask(source, forged)).toMatch(/^HTTP\/1.1 200 [\s\S]*hello$/);
    const [request] = seen;
    expect(request?.headers["x-forwarded-client-cert"]).toMatch(
      /^By=spiffe:\/\/cluster.local\/ns\/default\/sa\/b;Hash=[0-9a-f]{64};Subject="";URI=spiffe:\/\/cluster.local\/ns\/default\/sa\/a$/,
    );
    expect(plane.lastRecord.downstreamTls).toMatchObject({ version: "TLSv1.3", serverName: "test", mutual: true });
    expect(plane.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(source.lastRecord.upstreamPeerUri).toBe(spiffe("b"));
    expect(plane.counter(`${downstream}handshake`)).toBe(1);
    expect(source.counter(`${upstream}handshake`)).toBe(1);
    expect(source.counter(`${upstream}versions.TLSv1.3`)).toBe(1);
  });

  it("carries HTTP/2, told by its preface where the handshake agreed on nothing", async () => {
    const { plane } = await server();
    const http2 = {
      typed_extension_protocol_options: {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
          "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    };
    const source = await client(plane.port, { ...clientTls(a), ...http2 });
    const [first, second] = [await ask(source), await ask(source)];
    expect([first, second].every((text) => /^HTTP\/1.1 200 [\s\S]*hello$/.test(text))).toBe(true);
    expect(plane.lastRecord).toMatchObject({ protocol: "HTTP/2" });
    expect(plane.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(source.counter("cluster.up.upstream_cx_total")).toBe(1);
    expect(source.records.map(({ upstreamPeerUri }) => upstreamPeerUri)).toEqual([spiffe("b"), spiffe("b")]);
  });

  it("says https to an application that nobody has told yet", async () => {
    const { plane, seen } = await server();
    const peer = await secure(plane.port, a);
    expect(await answer(peer, get)).toMatch(/200 OK/);
    expect(seen[0]?.headers["x-forwarded-proto"]).toBe("https");
    expect(plane.lastRecord.scheme).toBe("https");
  });

  it("serves plain text beside it, whose word on certificates counts for nothing", async () => {
    const { plane, seen } = await server();
    const forged = get.replace("\r\n\r\n", "\r\nX-Forwarded-Client-Cert: URI=spiffe://evil\r\n\r\n");
    expect(await ask(plane, forged)).toMatch(/200 OK/);
    expect(seen[0]?.headers).not.toHaveProperty("x-forwarded-client-cert");
    expect(plane.lastRecord.downstreamTls).toBeUndefined();
  });

  it("carries a megabyte both ways on one connection after the other request", async () => {
    const { plane, seen } = await server();
    const source = await client(plane.port, clientTls(a));
    const body = "x".repeat(1024 * 1024);
    const text = `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    for (let i = 0; i < 2; i++) {
      const reply = await ask(source, text);
      expect(reply.slice(reply.indexOf("\r\n\r\n") + 4)).toBe(body);
    }
    expect(seen.map(({ bytes }) => bytes)).toEqual([body.length, body.length]);
    expect(source.counter("cluster.up.upstream_cx_total")).toBe(1);
  });

  it.each<[string, () => JsonObject, string, RegExp, string]>([
    [
      "a server of a foreign authority",
      () => clientTls(a, trusting(foreign.pem)),
      "UF",
      /CERTIFICATE_VERIFY_FAILED/,
      "fail_verify_error",
    ],
    [
      "a server with another name",
      () => clientTls(a, trusting(ca.pem, { exact: spiffe("c") })),
      "UF",
      /SAN matcher, certificate SANs are \[spiffe:\/\/cluster.local\/ns\/default\/sa\/b\]/,
      "fail_verify_san",
    ],
  ])("refuses %s", async (_, tls, flag, reason, stat) => {
    const { plane, seen } = await server();
    const source = await client(plane.port, tls());
    expect(await ask(source)).toMatch(/^HTTP\/1.1 503 [\s\S]*remote connection failure$/);
    expect(flagNames(source.lastRecord.responseFlags)).toEqual([flag]);
    expect(source.lastRecord.upstreamTransportFailureReason).toMatch(reason);
    expect(source.counter(`${upstream}${stat}`)).toBe(1);
    expect(source.counter(`${upstream}handshake`)).toBe(0);
    expect(seen).toEqual([]);
  });

  const refused: [string, () => TestCertificate | undefined, JsonObject, string][] = [
    ["no certificate", () => undefined, {}, "fail_verify_no_cert"],
    ["a foreign certificate", () => stranger, {}, "fail_verify_error"],
    ["an expired certificate", () => expired, {}, "fail_verify_error"],
    ["a certificate of another name", () => a, { prefix: "spiffe://elsewhere/" }, "fail_verify_san"],
  ];
  // Envoy, too, says UC with 1.3, where a client learns only after its own handshake that it was refused.
  for (const [version, flag] of [
    ["TLSv1_3", "UC"],
    ["TLSv1_2", "UF"],
  ]) {
    it.each(refused)(`turns away %s, in ${version}`, async (_, certificate, matcher, stat) => {
      const wanted = Object.keys(matcher).length > 0 ? serverTls(trusting(ca.pem, matcher)) : serverTls();
      const { plane, seen } = await server(wanted);
      const params = { tls_params: { tls_maximum_protocol_version: version ?? "" } };
      const source = await client(plane.port, clientTls(certificate(), params));
      expect(await ask(source)).toMatch(/^HTTP\/1.1 503 /);
      expect(flagNames(source.lastRecord.responseFlags)).toEqual([flag]);
      expect(source.lastRecord.upstreamTransportFailureReason).toMatch(/^TLS_error:.*:TLS_error_end$/);
      expect(plane.counter(`${downstream}${stat}`)).toBe(1);
      expect(plane.counter(`${downstream}handshake`)).toBe(0);
      expect(plane.counter(`${downstream}connection_error`)).toBe(0);
      expect(seen).toEqual([]);
      expect(plane.records).toEqual([]);
      await eventually(() => plane.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
    });
  }

  it("is not taken in by a name written inside another one", async () => {
    const { plane, seen } = await server();
    const forged = await ca.issue({ uris: ["spiffe://elsewhere/a"], dns: [`x, URI:${spiffe("a")}`] });
    expect(await answer(await secure(plane.port, forged), get)).toBe("");
    expect(plane.counter(`${downstream}fail_verify_san`)).toBe(1);
    expect(seen).toEqual([]);
  });

  it("outlives clients that leave at any point", async () => {
    const { plane } = await server();
    for (let i = 0; i < 20; i++) {
      const socket = connect({ host: "127.0.0.1", port: plane.port, ...offer(a) });
      socket.on("error", () => {});
      const leave = () => (i % 2 === 0 ? socket.destroy() : socket.end());
      if (i % 5 === 0) socket.once("connect", leave);
      else if (i % 5 === 1) socket.once("secureConnect", leave);
      else if (i % 5 === 2) socket.once("secureConnect", () => socket.write(get.slice(0, 9), leave));
      else if (i % 5 === 3) socket.once("secureConnect", () => socket.write(get, leave));
      else socket.once("secureConnect", () => socket.write(get)).once("data", leave);
      await once(socket, "close");
    }
    await eventually(() => plane.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
    expect(await answer(await secure(plane.port, a), get)).toMatch(/200 OK/);
  });

  it("closes clients that stop in the middle, or talk nonsense after their hello", async () => {
    const slow = { transport_socket_connect_timeout: "0.05s" };
    const { plane } = await server({ ...serverTls(), ...slow });
    const hello = await helloOf(["istio"]);
    const silent = await fixtures.client(plane.port);
    silent.socket.write(hello);
    await eventually(() => silent.ended);
    expect(plane.counter(`${downstream}connection_error`)).toBe(0);
    expect(plane.counter("listener.127.0.0.1_0.downstream_cx_transport_socket_connect_timeout")).toBe(1);
    const garbled = await fixtures.client(plane.port);
    garbled.socket.write(hello);
    await eventually(() => garbled.received.length > 0);
    garbled.send("garbage".repeat(10));
    await eventually(() => garbled.ended);
    expect(plane.counter(`${downstream}connection_error`)).toBe(1);
    expect(plane.records).toEqual([]);
    await eventually(() => plane.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
  });

  it("never resumes a session, which would not show its certificate again", async () => {
    const { plane } = await server();
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = await secure(plane.port, a, { maxVersion });
      let session: Buffer | undefined = first.getSession();
      first.on("session", (ticket: Buffer) => {
        session = ticket;
      });
      await answer(first, get);
      const second = await secure(plane.port, a, { maxVersion, session });
      expect(second.isSessionReused()).toBe(false);
      expect(await answer(second, get)).toMatch(/200 OK/);
    }
  });

  it("answers no protocol of the client's unless it has some of its own", async () => {
    const silent = await server();
    expect((await secure(silent.plane.port, a)).alpnProtocol).toBe(false);
    const choosing = await server(serverTls({ alpn_protocols: ["h9", "istio-http/1.1"] }));
    const offering = (...ALPNProtocols: string[]) => secure(choosing.plane.port, a, { ALPNProtocols });
    expect((await offering("istio", "istio-http/1.1")).alpnProtocol).toBe("istio-http/1.1");
    const none = await offering("istio");
    expect(none.alpnProtocol).toBe(false);
    expect(await answer(none, get)).toMatch(/200 OK/);
  });

  it("agrees on HTTP/2 as its codec lets it", async () => {
    const tls = serverTls({ alpn_protocols: ["h2", "istio-http/1.1"] });
    const agreed = async (codec_type: string) => {
      const { plane } = await server(tls, { ...sanitizeSet, codec_type });
      return (await secure(plane.port, a, { ALPNProtocols: ["h2", "istio-http/1.1"] })).alpnProtocol;
    };
    expect([await agreed("HTTP1"), await agreed("AUTO")]).toEqual(["istio-http/1.1", "h2"]);
  });

  it("takes a client without a certificate where none is required, but not a bad one", async () => {
    const common = { ...inline(b), ...trusting(ca.pem) };
    const { plane, seen } = await server(downstreamTls(common, { require_client_certificate: false }));
    const peer = await secure(plane.port, undefined);
    expect(
      await answer(peer, get.replace("\r\n\r\n", "\r\nx-forwarded-client-cert: URI=spiffe://evil\r\n\r\n")),
    ).toMatch(/200 OK/);
    expect(seen[0]?.headers).not.toHaveProperty("x-forwarded-client-cert");
    expect(plane.lastRecord.downstreamTls?.mutual).toBe(false);
    expect(plane.counter(`${downstream}no_certificate`)).toBe(1);
    const bad = await secure(plane.port, stranger);
    expect(await answer(bad, get)).toBe("");
    expect(plane.counter(`${downstream}fail_verify_error`)).toBe(1);
  });

  it.each<[string, () => JsonObject, string]>([
    ["without a certificate", () => downstreamTls(trusting(ca.pem)), "common_tls_context: a certificate is required"],
    [
      "that would take any certificate",
      () => downstreamTls(inline(b)),
      "transport_socket.typed_config.require_client_certificate: needs a validation context",
    ],
    [
      "that chooses a protocol without having seen the offer",
      () => downstreamTls({ ...inline(b), ...trusting(ca.pem), alpn_protocols: ["h2"] }),
      "filter_chains[0].transport_socket.typed_config.common_tls_context.alpn_protocols: needs a tls_inspector",
    ],
    [
      "that resumes sessions",
      () => downstreamTls({ ...inline(b), ...trusting(ca.pem) }, { session_ticket_keys: {} }),
      "session_ticket_keys: not supported",
    ],
  ])("is refused by name: a chain %s", async (_, tls, error) => {
    const { plane } = await fixtures.plane({});
    const [chain] = listenerJson({}).filter_chains as JsonObject[];
    const [message] = plane.setListener(listenerFrom({ ...listenerJson({}), filter_chains: [{ ...chain, ...tls() }] }));
    expect(message).toContain(error);
  });

  it("without a listener filter knows no protocol, and takes TLS all the same", async () => {
    const app = await fixtures.http((_, response) => void response.end("web"));
    const { filter_chains } = permissive({ routes: [toCluster("app")] }, {}) as { filter_chains: JsonObject[] };
    const { filter_chain_match: __, ...chain } = filter_chains[0] ?? {};
    const listener = { filter_chains: [{ ...chain, ...serverTls() }] };
    const plane = await fixtures.plane({ listener, clusters: [staticCluster("app", [app])] });
    expect(await answer(await secure(plane.port, a), get)).toMatch(/200 OK[\s\S]*web$/);
  });
});

describe("TCP over mutual TLS", () => {
  it("keeps the server's side open when the client has ended, through both sidecars", async () => {
    const app = await fixtures.tcp((socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (bytes) => chunks.push(bytes));
      socket.on("end", () => socket.end(`got ${Buffer.concat(chunks).length}`));
    });
    const inbound = await tcpPlane(tcpChain("app", serverTls()), staticCluster("app", [app]));
    const outbound = await tcpPlane(tcpChain("up"), staticCluster("up", [inbound.port], clientTls(a)));
    const peer = await fixtures.client(outbound.port);
    peer.socket.end(Buffer.alloc(1024 * 1024));
    expect(await peer.untilEnd()).toBe("got 1048576");
    await eventually(() => inbound.records.length === 1);
    expect(inbound.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(inbound.lastRecord.requestBodyBytes).toBe(1024 * 1024);
  });

  it("keeps the client's side open when the server has ended", async () => {
    let received = 0;
    const app = await fixtures.tcp((socket) => {
      socket.on("data", (bytes) => {
        received += bytes.length;
      });
      socket.end("bye");
    });
    const inbound = await tcpPlane(tcpChain("app", serverTls()), staticCluster("app", [app]));
    const outbound = await tcpPlane(tcpChain("up"), staticCluster("up", [inbound.port], clientTls(a)));
    const peer = await fixtures.client(outbound.port);
    expect(await peer.untilEnd()).toBe("bye");
    peer.socket.end(Buffer.alloc(300_000));
    await eventually(() => received === 300_000);
    await eventually(() => inbound.records.length === 1);
  });

  it("passes a reset on as one", async () => {
    const app = await fixtures.tcp((socket) => void socket.once("data", () => socket.resetAndDestroy()));
    const inbound = await tcpPlane(tcpChain("app", serverTls()), staticCluster("app", [app]));
    const peer = await secure(inbound.port, a);
    peer.write("x");
    const [error] = (await once(peer, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  it("names the reason when the server refuses the certificate", async () => {
    const app = await fixtures.tcp(() => {});
    const inbound = await tcpPlane(tcpChain("app", serverTls()), staticCluster("app", [app]));
    const common = { tls_params: { tls_maximum_protocol_version: "TLSv1_2" } };
    const outbound = await tcpPlane(tcpChain("up"), staticCluster("up", [inbound.port], clientTls(undefined, common)));
    await (await fixtures.client(outbound.port)).untilEnd();
    await eventually(() => outbound.records.length === 1);
    expect(outbound.lastRecord.upstreamTransportFailureReason).toMatch(/^TLS_error:.*HANDSHAKE_FAILURE/);
  });
});

describe("a listener's update", () => {
  it("leaves TLS connections alone, and lets those go whose settings have changed", async () => {
    const { plane } = await server();
    const app = plane.plane.clusterMap.get("app")?.allEndpoints[0]?.config.port ?? 0;
    const peer = await secure(plane.port, a);
    const keep = get.replace("connection: close\r\n", "");
    expect(await exchange(peer, keep)).toMatch(/200 OK/);
    const update = (tls: JsonObject, manager: JsonObject) =>
      plane.plane.setListener(
        listenerFrom({
          name: "test",
          address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
          ...permissive({ routes: [toCluster("app")] }, tls, { ...sanitizeSet, ...manager }),
        }),
      );
    expect(app).not.toBe(0);
    expect(update(serverTls(), { server_name: "renamed" })).toEqual([]);
    expect(await exchange(peer, keep)).toContain("server: renamed");
    expect(update(serverTls(trusting(ca.pem, { prefix: "spiffe://elsewhere/" })), {})).toEqual([]);
    await once(peer, "end");
  });
});

describe("a drain", () => {
  it("lets a handshake end and answers its one request; what is idle goes at once", async () => {
    const { plane } = await server();
    const idle = await secure(plane.port, a);
    const keep = get.replace("connection: close\r\n", "");
    expect(await exchange(idle, keep)).toMatch(/200 OK/);
    // The client's second flight, its certificate, is held up on the way.
    const held: Buffer[] = [];
    let towards: Socket | undefined;
    const relay = await fixtures.tcp((near) => {
      const far = connectTcp(plane.port, "127.0.0.1").on("error", () => {});
      near.once("data", (hello) => {
        far.write(hello);
        near.on("data", (bytes) => void (towards ? towards.write(bytes) : held.push(bytes)));
      });
      far.pipe(near);
      fixtures.onClose(() => far.destroy());
      far.once("data", () => {
        release = () => {
          towards = far;
          far.write(Buffer.concat(held));
        };
      });
    });
    let release: (() => void) | undefined;
    const late = await secure(relay, a);
    const text = answer(late, keep);
    await eventually(() => release !== undefined && held.length > 0);
    const gone = once(idle, "end");
    const drained = plane.plane.drain(5000);
    await gone;
    release?.();
    expect(await text).toMatch(/200 OK[\s\S]*connection: close/);
    await drained;
  });
});

const tcpPlane = (chain: JsonObject, ...clusters: JsonObject[]) =>
  fixtures.plane({ listener: { filter_chains: [chain] }, clusters });

/** A raw TLS client that has shaken hands. */
async function secure(port: number, certificate: TestCertificate | undefined, options: ConnectionOptions = {}) {
  const socket = connect({ host: "127.0.0.1", port, ...offer(certificate), ...options });
  fixtures.onClose(() => socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

const offer = (certificate: TestCertificate | undefined): ConnectionOptions => ({
  ca: ca.pem,
  cert: certificate?.chain,
  key: certificate?.key,
  ALPNProtocols: ["istio"],
  checkServerIdentity: () => undefined,
});

/** All that comes back until the end. */
async function answer(socket: TLSSocket, text: string): Promise<string> {
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  socket.write(text);
  await once(socket, "end");
  return received;
}

/** One answer on a connection that stays. */
async function exchange(socket: TLSSocket, text: string): Promise<string> {
  let received = "";
  const onData = (bytes: Buffer) => {
    received += bytes.toString("latin1");
  };
  socket.on("data", onData);
  socket.write(text);
  await eventually(() => received.endsWith("hello"));
  socket.off("data", onData);
  return received;
}

/** What a TLS client sends first. */
async function helloOf(ALPNProtocols: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { realHello } = await import("../tcp/testing/real-hello.ts");
  return new Uint8Array(await realHello({ ALPNProtocols }));
}
