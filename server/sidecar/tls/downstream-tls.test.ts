import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { IssuedCertificate } from "../../ca/certificate-authority.ts";
import { realHello } from "../tcp/testing/real-hello.ts";
import {
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  RawClient,
  staticCluster,
  type TestPlane,
  toCluster,
} from "../test-plane.ts";
import { inline, secretFrom, spiffe, type TestAuthority, testAuthority } from "./testing/certificates.ts";

const fixtures = new Fixtures();
const clients: TLSSocket[] = [];
let authority: TestAuthority;
let foreign: TestAuthority;
beforeAll(async () => {
  [authority, foreign] = await Promise.all([testAuthority(), testAuthority()]);
});
afterAll(() => Promise.all([authority.remove(), foreign.remove()]));
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  fixtures.close();
});

const sds = (name: string): JsonObject => ({ name, sds_config: { ads: {} } });
const context = (rest: JsonObject = {}, common: JsonObject = {}): JsonObject => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    require_client_certificate: true,
    common_tls_context: {
      tls_certificate_sds_secret_configs: [sds("own")],
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: [
            { san_type: "URI", matcher: { prefix: "spiffe://cluster.local/ns/default/" } },
          ],
        },
        validation_context_sds_secret_config: sds("root"),
      },
      ...common,
    },
    ...rest,
  },
});
const inspector = {
  name: "envoy.filters.listener.tls_inspector",
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector" },
};

/** A chain of mutual TLS beside one in plain text, as the mesh has them. */
function chains(tls: JsonObject, manager: JsonObject = {}, rest: JsonObject = {}): JsonObject {
  const of = (more: JsonObject) =>
    (listenerJson({ routes: [toCluster("web")], manager: more }).filter_chains as JsonObject[])[0] ?? {};
  const match = { transport_protocol: "tls", application_protocols: ["istio"] };
  return {
    listener_filters: [inspector],
    filter_chains: [
      { ...of(manager), filter_chain_match: match, transport_socket: tls, ...rest },
      { ...of({}), filter_chain_match: { transport_protocol: "raw_buffer" } },
    ],
  };
}

/** An application that answers with its `x-forwarded-client-cert`. */
async function start({ tls = context(), manager = {}, rest = {}, secrets = true } = {}): Promise<TestPlane> {
  const web = await fixtures.http(
    (request, response) => void response.end(String(request.headers["x-forwarded-client-cert"])),
  );
  return fixtures.plane({
    clusters: [staticCluster("web", [web])],
    listener: chains(tls, manager, rest),
    ...(secrets && { secrets: [await authority.secret("own", "server"), authority.rootSecret("root")] }),
  });
}

/** Rejects when the handshake fails; with TLS 1.3 a refused certificate shows only afterwards. */
async function dial(port: number, shown?: IssuedCertificate, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    ca: authority.root,
    ALPNProtocols: ["istio"],
    servername: "outbound_.80_._.server",
    checkServerIdentity: () => undefined,
    ...(shown && { cert: shown.chainPem, key: shown.keyPem }),
    ...options,
  });
  clients.push(socket);
  await once(socket, "secureConnect");
  socket.on("error", () => undefined);
  return socket;
}

async function get(socket: TLSSocket, headers = ""): Promise<string> {
  const client = new RawClient(socket);
  client.send(`GET / HTTP/1.1\r\nhost: a\r\n${headers}\r\n`);
  const answer = await client.until((text) => text.includes("\r\n\r\n") && !text.endsWith("\r\n\r\n"));
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

/** What a client sees whose handshake or certificate is refused. */
const refused = async (dialling: Promise<TLSSocket>): Promise<string> => {
  try {
    const socket = await dialling;
    return await new RawClient(socket).send("GET / HTTP/1.1\r\nhost: a\r\n\r\n").untilEnd();
  } catch {
    return "";
  }
};
const counter = (test: TestPlane, name: string) => {
  const found = [...test.stats.counters].find(([key]) => key.startsWith("listener.") && key.endsWith(`.ssl.${name}`));
  return found?.[1].value ?? 0;
};

describe("TLS that ends at a listener", () => {
  it("takes a client of the mesh, and knows who it is", async () => {
    const test = await start({
      manager: {
        forward_client_cert_details: "SANITIZE_SET",
        set_current_client_cert_details: { subject: true, uri: true },
      },
    });
    const shown = await authority.issue("client");
    const socket = await dial(test.port, shown);
    expect(socket.getPeerX509Certificate()?.subjectAltName).toBe(`URI:${spiffe("server")}`);
    // None of what it offered is answered, and it goes on all the same.
    expect(socket.alpnProtocol).toBe(false);
    expect(await get(socket, "x-forwarded-client-cert: URI=spiffe://forged\r\n")).toMatch(
      new RegExp(`^By=${spiffe("server")};Hash=[0-9a-f]{64};Subject="";URI=${spiffe("client")}$`),
    );
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.tls).toMatchObject({
      version: "TLSv1.3",
      serverName: "outbound_.80_._.server",
      localUris: [spiffe("server")],
      peer: { uris: [spiffe("client")], subject: "" },
    });
    expect([counter(test, "handshake"), counter(test, "versions.TLSv1.3"), counter(test, "connection_error")]).toEqual([
      1, 1, 0,
    ]);
  });

  it("takes plain text beside, from which the header is removed", async () => {
    const test = await start({ manager: { forward_client_cert_details: "SANITIZE_SET" } });
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-client-cert: URI=spiffe://forged\r\n\r\n");
    expect(await client.until((text) => text.includes("undefined"))).toContain("200 OK");
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.tls).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ["SANITIZE", "a", "undefined"],
    ["FORWARD_ONLY", "a", "a"],
    ["APPEND_FORWARD", "a", "a,By="],
    ["APPEND_FORWARD", "", "By="],
    ["ALWAYS_FORWARD_ONLY", "a", "a"],
  ])("with %s has of the header %j what the application is to see: %s", async (mode, received, expected) => {
    const test = await start({ manager: { forward_client_cert_details: mode } });
    const socket = await dial(test.port, await authority.issue("client"));
    const answer = await get(socket, received && `x-forwarded-client-cert: ${received}\r\n`);
    expect(answer.startsWith(expected), answer).toBe(true);
  });

  it.each<[string, () => Promise<IssuedCertificate | undefined>, string]>([
    ["no certificate", async () => undefined, "fail_verify_no_cert"],
    ["one of a foreign authority", () => foreign.issue("client"), "fail_verify_error"],
    ["one that has expired", () => authority.issue("client", 5), "fail_verify_error"],
    [
      "one of another name",
      async () => {
        const { chainPem, keyPem, ...rest } = await authority.issue("client");
        return { ...rest, chainPem, keyPem };
      },
      "fail_verify_san",
    ],
  ])("refuses %s", async (what, shown, stat) => {
    const elsewhere = {
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: spiffe("somebody-else") } }],
        },
        validation_context_sds_secret_config: sds("root"),
      },
    };
    const test = await start(what === "one of another name" ? { tls: context({}, elsewhere) } : {});
    expect(await refused(dial(test.port, await shown()))).toBe("");
    await eventually(() => counter(test, stat) === 1, stat);
    expect(counter(test, "handshake")).toBe(0);
    await eventually(() => test.gauge(activeOf(test)) === 0, "no connection is left");
    expect(test.records).toEqual([]);
  });

  it("takes a client without a certificate where none is required, and looks at one that is shown", async () => {
    const test = await start({ tls: context({ require_client_certificate: false }) });
    expect(await get(await dial(test.port))).toBe("undefined");
    expect(counter(test, "no_certificate")).toBe(1);
    expect(await refused(dial(test.port, await foreign.issue("client")))).toBe("");
    await eventually(() => counter(test, "fail_verify_error") === 1);
  });

  it("gives up on who stops in the handshake, or says something else then", async () => {
    const test = await start({ rest: { transport_socket_connect_timeout: "0.05s" } });
    const hello = await realHello({ servername: "a", ALPNProtocols: ["istio"] });
    const silent = await fixtures.client(test.port);
    silent.socket.write(hello);
    await silent.untilEnd();
    const noisy = await fixtures.client(test.port);
    noisy.socket.write(Buffer.concat([hello, Buffer.alloc(600, 7)]));
    await noisy.untilEnd();
    await eventually(() => counter(test, "connection_error") === 2);
    await eventually(() => test.gauge(activeOf(test)) === 0);
  });

  it("outlives clients that leave in the middle", async () => {
    const test = await start();
    const hello = await realHello({ servername: "a", ALPNProtocols: ["istio"] });
    for (let i = 0; i < 20; i++) {
      const socket = connectPlain({ port: test.port, host: "127.0.0.1" });
      await once(socket, "connect");
      socket.on("error", () => undefined);
      socket.write(hello, () => (i % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()));
    }
    await eventually(() => test.gauge(activeOf(test)) === 0);
    expect(await get(await dial(test.port, await authority.issue("client")))).toBe("undefined");
  });

  it("shows another certificate to who comes after it was replaced, and lets the others go on", async () => {
    const test = await start();
    const shown = await authority.issue("client");
    const before = await dial(test.port, shown);
    expect(await get(before)).toBe("undefined");
    const serial = before.getPeerX509Certificate()?.serialNumber;
    expect(test.plane.setSecret(await authority.secret("own", "server"))).toEqual([]);
    const after = await dial(test.port, shown);
    expect(after.getPeerX509Certificate()?.serialNumber).not.toBe(serial);
    expect([await get(before), await get(after)]).toEqual(["undefined", "undefined"]);
    // And other authorities: who has one of the old ones is turned away from now on.
    expect(test.plane.setSecret(foreign.rootSecret("root"))).toEqual([]);
    expect(await refused(dial(test.port, shown))).toBe("");
    expect(await get(before)).toBe("undefined");
  });
});

describe("secrets", () => {
  it("are waited for: a listener is bound when they are there, and changed when those of its new chains are", async () => {
    const web = await fixtures.http((_, response) => void response.end("web"));
    const test = await fixtures.plane({ clusters: [staticCluster("web", [web])], routes: [toCluster("web")] });
    const listener = (tls: JsonObject) => ({ ...listenerJson({ routes: [] }), ...chains(tls), name: "second" });
    expect(test.plane.setListener(listenerFrom(listener(context())))).toEqual([]);
    expect(test.plane.requiredSecrets().sort()).toEqual(["own", "root"]);
    expect([test.plane.ready, test.plane.boundListeners().length]).toEqual([false, 1]);
    test.plane.setSecret(await authority.secret("own", "server"));
    expect(test.plane.ready).toBe(false);
    test.plane.setSecret(authority.rootSecret("root"));
    await test.plane.whenListening();
    const port = test.plane.boundListeners().find(({ name }) => name === "second")?.port ?? 0;
    const shown = await authority.issue("client");
    expect(await get(await dial(port, shown))).toBe("web");
    // Chains whose secret nobody has yet don't take the place of those that work.
    const other = context({}, { tls_certificate_sds_secret_configs: [sds("other")] });
    expect(test.plane.setListener(listenerFrom(listener(other)))).toEqual([]);
    expect(test.plane.requiredSecrets()).toContain("other");
    expect((await dial(port, shown)).getPeerX509Certificate()?.subjectAltName).toBe(`URI:${spiffe("server")}`);
    test.plane.setSecret(await authority.secret("other", "other"));
    expect((await dial(port, shown)).getPeerX509Certificate()?.subjectAltName).toBe(`URI:${spiffe("other")}`);
  });

  it("are refused by the field's name, without what is in it", async () => {
    const { plane } = await fixtures.plane({});
    const { chainPem, keyPem } = await authority.issue("a");
    const other = await authority.issue("b");
    const certificate = (chain: string, key: string) =>
      plane.setSecret(
        secretFrom({ name: "own", tls_certificate: { certificate_chain: inline(chain), private_key: inline(key) } }),
      );
    expect(certificate(chainPem, other.keyPem)).toEqual([
      "secret own: tls_certificate.private_key: is not the key of certificate_chain's first certificate",
    ]);
    expect(certificate("-----BEGIN CERTIFICATE-----\nxyz", keyPem)).toEqual([
      "secret own: tls_certificate.certificate_chain: holds a certificate that cannot be read",
    ]);
    expect(certificate(chainPem, "sesame")).toEqual([
      "secret own: tls_certificate.private_key: holds no private key in PEM form",
    ]);
    expect(plane.setSecret(secretFrom({ name: "root", validation_context: { trusted_ca: inline("no PEM") } }))).toEqual(
      ["secret root: validation_context.trusted_ca: holds no certificate in PEM form"],
    );
    expect(plane.setSecret(secretFrom({ name: "root", validation_context: {} }))).toEqual([
      "secret root: validation_context.trusted_ca: required",
    ]);
    expect(plane.setSecret(secretFrom({ name: "g", generic_secret: { secret: inline("sesame") } }))).toEqual([
      "secret g: generic_secret: not supported",
    ]);
    expect(plane.setSecret(secretFrom({ name: "n" }))).toEqual([
      "secret n: type: only tls_certificate and validation_context are supported",
    ]);
  });

  it.each<[string, JsonObject, string]>([
    [
      "a source that is not discovery",
      context({}, { tls_certificate_sds_secret_configs: [{ name: "a", sds_config: { path: "/x" } }] }),
      "tls_certificate_sds_secret_configs[0].sds_config: only ads: {} is supported",
    ],
    ["application protocols", context({}, { alpn_protocols: ["h2"] }), "alpn_protocols: not supported"],
    [
      "no certificate",
      context({}, { tls_certificate_sds_secret_configs: [], combined_validation_context: undefined as never }),
      "tls_certificates or tls_certificate_sds_secret_configs is required",
    ],
    [
      "cipher suites",
      context({}, { tls_params: { cipher_suites: ["ECDHE"] } }),
      "tls_params.cipher_suites: not supported",
    ],
  ])("a listener is refused by name for %s", async (_, tls, error) => {
    const { plane } = await fixtures.plane({});
    const [first] = plane.setListener(
      listenerFrom({ ...listenerJson({ routes: [] }), ...chains(JSON.parse(JSON.stringify(tls))), name: "second" }),
    );
    expect(first).toContain("filter_chains[0]");
    expect(first).toContain(error);
  });
});

const activeOf = (test: TestPlane): string =>
  [...test.stats.gauges.keys()].find((name) => name.startsWith("listener.") && name.endsWith("downstream_cx_active")) ??
  "";
