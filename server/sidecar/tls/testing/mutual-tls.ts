import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { spiffe, TestAuthority, type TestCertificate } from "../../secret/testing/certificates.ts";
import { eventually, Fixtures, staticCluster, type TestPlane, toCluster } from "../../test-plane.ts";
import { downstreamTls, inline, permissive, sanitizeSet, trusting, upstreamTls } from "./contexts.ts";

export const get = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
/** Before the names of stats. */
export const downstream = "listener.127.0.0.1_0.ssl.";
export const upstream = "cluster.up.ssl.";

/** `a` calls `b`, both of one mesh; besides, certificates that are not to be taken. */
export interface Certificates {
  ca: TestAuthority;
  foreign: TestAuthority;
  a: TestCertificate;
  b: TestCertificate;
  stranger: TestCertificate;
  expired: TestCertificate;
}

async function issueAll(): Promise<Certificates> {
  const [ca, foreign] = [await TestAuthority.create(), await TestAuthority.create("foreign")];
  const past = Date.now() - 86_400_000;
  return {
    ca,
    foreign,
    a: await ca.issue({ uris: [spiffe("a")] }),
    b: await ca.issue({ uris: [spiffe("b")] }),
    stranger: await foreign.issue({ uris: [spiffe("a")] }),
    expired: await ca.issue({ uris: [spiffe("a")], notBefore: new Date(past - 1000), notAfter: new Date(past) }),
  };
}

/** The two sidecars of a call over mutual TLS, either of which a test may be itself. */
export class MutualTls {
  readonly fixtures = new Fixtures();
  readonly certificates: Certificates;

  private constructor(certificates: Certificates) {
    this.certificates = certificates;
  }

  static async create(): Promise<MutualTls> {
    return new MutualTls(await issueAll());
  }

  serverTls(common: JsonObject = {}): JsonObject {
    const { b, ca } = this.certificates;
    return downstreamTls({ ...inline(b), ...trusting(ca.pem, { prefix: "spiffe://cluster.local/" }), ...common });
  }

  clientTls(certificate: TestCertificate | undefined, common: JsonObject = {}): JsonObject {
    return upstreamTls({
      ...(certificate && inline(certificate)),
      ...trusting(this.certificates.ca.pem, { exact: spiffe("b") }),
      alpn_protocols: ["istio"],
      ...common,
    });
  }

  /** The destination's sidecar; `seen` are the requests that its application got. */
  async server(tls: JsonObject = this.serverTls(), manager: JsonObject = sanitizeSet) {
    const seen: { headers: Record<string, unknown>; bytes: number }[] = [];
    const app = await this.fixtures.http((request, response) => {
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
    return { plane: await this.fixtures.plane({ listener, clusters: [staticCluster("app", [app])] }), seen };
  }

  /** The source's sidecar, with TLS towards one port. */
  client(port: number, tls: JsonObject) {
    return this.fixtures.plane({ routes: [toCluster("up")], clusters: [staticCluster("up", [port], tls)] });
  }

  /** A sidecar with one chain, for TCP. */
  tcpPlane(chain: JsonObject, ...clusters: JsonObject[]) {
    return this.fixtures.plane({ listener: { filter_chains: [chain] }, clusters });
  }

  /** What comes back from a sidecar to a client in plain text. */
  async ask({ port }: TestPlane, text = get): Promise<string> {
    return (await this.fixtures.client(port)).send(text).untilEnd();
  }

  /** A raw TLS client that has shaken hands. */
  async secure(port: number, certificate: TestCertificate | undefined, options: ConnectionOptions = {}) {
    const socket = connect({ host: "127.0.0.1", port, ...this.offer(certificate), ...options });
    this.fixtures.onClose(() => socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  }

  offer(certificate: TestCertificate | undefined): ConnectionOptions {
    return {
      ca: this.certificates.ca.pem,
      cert: certificate?.chain,
      key: certificate?.key,
      ALPNProtocols: ["istio"],
      checkServerIdentity: () => undefined,
    };
  }
}

/** All that comes back until the end. */
export async function answer(socket: TLSSocket, text: string): Promise<string> {
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  socket.write(text);
  await once(socket, "end");
  return received;
}

/** One answer on a connection that stays. */
export async function exchange(socket: TLSSocket, text: string): Promise<string> {
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
export async function helloOf(ALPNProtocols: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { realHello } = await import("../../tcp/testing/real-hello.ts");
  return new Uint8Array(await realHello({ ALPNProtocols }));
}
