import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually, listenerFrom, toCluster } from "../test-plane.ts";
import { permissive, sanitizeSet, trusting } from "./testing/contexts.ts";
import { answer, downstream, exchange, get, helloOf, MutualTls } from "./testing/mutual-tls.ts";

let pair: MutualTls;
beforeAll(async () => {
  pair = await MutualTls.create();
});
afterEach(() => pair.fixtures.close());

describe("the handshake", () => {
  it("outlives clients that leave at any point", async () => {
    const { plane } = await pair.server();
    for (let i = 0; i < 20; i++) {
      const socket = connect({ host: "127.0.0.1", port: plane.port, ...pair.offer(pair.certificates.a) });
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
    expect(await answer(await pair.secure(plane.port, pair.certificates.a), get)).toMatch(/200 OK/);
  });

  it("closes clients that stop in the middle, or talk nonsense after their hello", async () => {
    const slow = { transport_socket_connect_timeout: "0.05s" };
    const { plane } = await pair.server({ ...pair.serverTls(), ...slow });
    const hello = await helloOf(["istio"]);
    const silent = await pair.fixtures.client(plane.port);
    silent.socket.write(hello);
    await eventually(() => silent.ended);
    expect(plane.counter(`${downstream}connection_error`)).toBe(0);
    expect(plane.counter("listener.127.0.0.1_0.downstream_cx_transport_socket_connect_timeout")).toBe(1);
    const garbled = await pair.fixtures.client(plane.port);
    garbled.socket.write(hello);
    await eventually(() => garbled.received.length > 0);
    garbled.send("garbage".repeat(10));
    await eventually(() => garbled.ended);
    expect(plane.counter(`${downstream}connection_error`)).toBe(1);
    expect(plane.records).toEqual([]);
    await eventually(() => plane.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
  });

  it("never resumes a session, which would not show its certificate again", async () => {
    const { plane } = await pair.server();
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = await pair.secure(plane.port, pair.certificates.a, { maxVersion });
      let session: Buffer | undefined = first.getSession();
      first.on("session", (ticket: Buffer) => {
        session = ticket;
      });
      await answer(first, get);
      const second = await pair.secure(plane.port, pair.certificates.a, { maxVersion, session });
      expect(second.isSessionReused()).toBe(false);
      expect(await answer(second, get)).toMatch(/200 OK/);
    }
  });

  it("answers no protocol of the client's unless it has some of its own", async () => {
    const silent = await pair.server();
    expect((await pair.secure(silent.plane.port, pair.certificates.a)).alpnProtocol).toBe(false);
    const choosing = await pair.server(pair.serverTls({ alpn_protocols: ["h9", "istio-http/1.1"] }));
    const offering = (...ALPNProtocols: string[]) =>
      pair.secure(choosing.plane.port, pair.certificates.a, { ALPNProtocols });
    expect((await offering("istio", "istio-http/1.1")).alpnProtocol).toBe("istio-http/1.1");
    const none = await offering("istio");
    expect(none.alpnProtocol).toBe(false);
    expect(await answer(none, get)).toMatch(/200 OK/);
  });

  it("agrees on HTTP/2 as its codec lets it", async () => {
    const tls = pair.serverTls({ alpn_protocols: ["h2", "istio-http/1.1"] });
    const agreed = async (codec_type: string) => {
      const { plane } = await pair.server(tls, { ...sanitizeSet, codec_type });
      return (await pair.secure(plane.port, pair.certificates.a, { ALPNProtocols: ["h2", "istio-http/1.1"] }))
        .alpnProtocol;
    };
    expect([await agreed("HTTP1"), await agreed("AUTO")]).toEqual(["istio-http/1.1", "h2"]);
  });
});

describe("a listener's update", () => {
  it("leaves TLS connections alone, and lets those go whose settings have changed", async () => {
    const { plane } = await pair.server();
    const app = plane.plane.clusterMap.get("app")?.allEndpoints[0]?.config.port ?? 0;
    const peer = await pair.secure(plane.port, pair.certificates.a);
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
    expect(update(pair.serverTls(), { server_name: "renamed" })).toEqual([]);
    expect(await exchange(peer, keep)).toContain("server: renamed");
    expect(update(pair.serverTls(trusting(pair.certificates.ca.pem, { prefix: "spiffe://elsewhere/" })), {})).toEqual(
      [],
    );
    await once(peer, "end");
  });
});

describe("a drain", () => {
  it("lets a handshake end and answers its one request; what is idle goes at once", async () => {
    const { plane } = await pair.server();
    const idle = await pair.secure(plane.port, pair.certificates.a);
    const keep = get.replace("connection: close\r\n", "");
    expect(await exchange(idle, keep)).toMatch(/200 OK/);
    // The client's second flight, its certificate, is held up on the way.
    const held: Buffer[] = [];
    let towards: Socket | undefined;
    const relay = await pair.fixtures.tcp((near) => {
      const far = connectTcp(plane.port, "127.0.0.1").on("error", () => {});
      near.once("data", (hello) => {
        far.write(hello);
        near.on("data", (bytes) => void (towards ? towards.write(bytes) : held.push(bytes)));
      });
      far.pipe(near);
      pair.fixtures.onClose(() => far.destroy());
      far.once("data", () => {
        release = () => {
          towards = far;
          far.write(Buffer.concat(held));
        };
      });
    });
    let release: (() => void) | undefined;
    const late = await pair.secure(relay, pair.certificates.a);
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
