import { once } from "node:events";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { spiffe } from "../secret/testing/certificates.ts";
import { eventually, staticCluster } from "../test-plane.ts";
import { tcpChain } from "./testing/contexts.ts";
import { MutualTls } from "./testing/mutual-tls.ts";

let pair: MutualTls;
beforeAll(async () => {
  pair = await MutualTls.create();
});
afterEach(() => pair.fixtures.close());

describe("TCP over mutual TLS", () => {
  it("keeps the server's side open when the client has ended, through both sidecars", async () => {
    const app = await pair.fixtures.tcp((socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (bytes) => chunks.push(bytes));
      socket.on("end", () => socket.end(`got ${Buffer.concat(chunks).length}`));
    });
    const inbound = await pair.tcpPlane(tcpChain("app", pair.serverTls()), staticCluster("app", [app]));
    const outbound = await pair.tcpPlane(
      tcpChain("up"),
      staticCluster("up", [inbound.port], pair.clientTls(pair.certificates.a)),
    );
    const peer = await pair.fixtures.client(outbound.port);
    peer.socket.end(Buffer.alloc(1024 * 1024));
    expect(await peer.untilEnd()).toBe("got 1048576");
    await eventually(() => inbound.records.length === 1);
    expect(inbound.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(inbound.lastRecord.requestBodyBytes).toBe(1024 * 1024);
  });

  it("keeps the client's side open when the server has ended", async () => {
    let received = 0;
    const app = await pair.fixtures.tcp((socket) => {
      socket.on("data", (bytes) => {
        received += bytes.length;
      });
      socket.end("bye");
    });
    const inbound = await pair.tcpPlane(tcpChain("app", pair.serverTls()), staticCluster("app", [app]));
    const outbound = await pair.tcpPlane(
      tcpChain("up"),
      staticCluster("up", [inbound.port], pair.clientTls(pair.certificates.a)),
    );
    const peer = await pair.fixtures.client(outbound.port);
    expect(await peer.untilEnd()).toBe("bye");
    peer.socket.end(Buffer.alloc(300_000));
    await eventually(() => received === 300_000);
    await eventually(() => inbound.records.length === 1);
  });

  it("passes a reset on as one", async () => {
    const app = await pair.fixtures.tcp((socket) => void socket.once("data", () => socket.resetAndDestroy()));
    const inbound = await pair.tcpPlane(tcpChain("app", pair.serverTls()), staticCluster("app", [app]));
    const peer = await pair.secure(inbound.port, pair.certificates.a);
    peer.write("x");
    const [error] = (await once(peer, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  it("names the reason when the server refuses the certificate", async () => {
    const app = await pair.fixtures.tcp(() => {});
    const inbound = await pair.tcpPlane(tcpChain("app", pair.serverTls()), staticCluster("app", [app]));
    const common = { tls_params: { tls_maximum_protocol_version: "TLSv1_2" } };
    const outbound = await pair.tcpPlane(
      tcpChain("up"),
      staticCluster("up", [inbound.port], pair.clientTls(undefined, common)),
    );
    await (await pair.fixtures.client(outbound.port)).untilEnd();
    await eventually(() => outbound.records.length === 1);
    expect(outbound.lastRecord.upstreamTransportFailureReason).toMatch(/^TLS_error:.*HANDSHAKE_FAILURE/);
  });
});
