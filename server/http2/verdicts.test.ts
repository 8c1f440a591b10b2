import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Fields } from "../sidecar/http/stream.ts";
import { Flag, FrameType } from "./frames.ts";
import { malformedTrailers, wrongLengths } from "./testing/bodies.ts";
import { ask, get, openClient } from "./testing/client.ts";
import { eventually } from "./testing/eventually.ts";
import { frame, uint32 } from "./testing/frame.ts";
import { fine, malformed, replacing, start, withField } from "./testing/heads.ts";
import { type RawPeer, rawClient, rawServer } from "./testing/raw-peer.ts";
import { echo, startServer, type TestServer } from "./testing/server.ts";

// What is malformed (RFC 9113, 8) ends the connection, or with `stream_error_on_invalid_http_messaging` its stream; what breaks the framing
// (RFC 9113, 4 to 6) ends what the RFC says.

let strict: TestServer;
let lenient: TestServer;
beforeAll(async () => {
  strict = await startServer(echo);
  lenient = await startServer(echo, { streamErrorOnInvalidMessaging: true });
});
afterAll(async () => {
  await strict.stop();
  await lenient.stop();
});

/** A request and, after it, one that is all right. */
async function send(server: TestServer, ...frames: ((peer: RawPeer) => Buffer)[]): Promise<RawPeer> {
  const peer = await rawClient(server.port);
  peer.send(...frames.map((make) => make(peer)), peer.headers(101, start));
  await eventually(() => peer.closed || peer.statusOf(101) !== undefined).toBe(true);
  peer.socket.destroy();
  return peer;
}

describe("heads of requests", () => {
  test.each(malformed)("%s is malformed", async (_name, fields) => {
    const peer = await send(strict, (each) => each.headers(1, fields));
    expect([peer.goAway, peer.statusOf(101)]).toEqual([1, undefined]);
    const other = await send(lenient, (each) => each.headers(1, fields));
    expect([other.goAway, other.resetOf(1), other.statusOf(101)]).toEqual([undefined, 1, "200"]);
  });

  test.each(fine)("%s is all right", async (_name, fields) => {
    const peer = await send(strict, (each) => each.headers(1, fields));
    expect([peer.goAway, peer.resetOf(1), peer.statusOf(1), peer.statusOf(101)]).toEqual([
      undefined,
      undefined,
      "200",
      "200",
    ]);
  });

  test("a path with a fragment is answered, as Envoy does", async () => {
    const peer = await send(strict, (each) => each.headers(1, replacing(":path", "/a#b")));
    expect([peer.statusOf(1), peer.statusOf(101)]).toEqual(["400", "200"]);
  });

  test(":authority counts where host says something else, as in Envoy", async () => {
    const peer = await send(strict, (each) => each.headers(1, withField("host", "b")));
    const { fields } = peer.of(FrameType.headers)[0] ?? { fields: [] };
    expect(fields.slice(6)).toEqual(["x-authority", "a"]);
  });
});

describe("bodies and trailers", () => {
  const { data, headers } = FrameType;
  const { endStream } = Flag;
  test.each(malformedTrailers)("%s are malformed", async (_name, frames) => {
    expect((await send(strict, (peer) => Buffer.concat(frames(peer)))).goAway).toBe(1);
    const other = await send(lenient, (peer) => Buffer.concat(frames(peer)));
    expect([other.goAway, other.resetOf(1), other.statusOf(101)]).toEqual([undefined, 1, "200"]);
  });

  test.each(wrongLengths)("%s ends its stream only", async (_name, frames) => {
    for (const server of [strict, lenient]) {
      const peer = await send(server, (each) => Buffer.concat(frames(each)));
      expect([peer.goAway, peer.resetOf(1), peer.statusOf(101)]).toEqual([undefined, 1, "200"]);
    }
  });

  test("frames of a stream that we have reset are no fault", async () => {
    const peer = await send(
      lenient,
      (each) => each.headers(1, ["X", "1"], false),
      () => frame(data, 0, 1, "0102"),
      (each) => each.headers(1, ["x", "1"]),
      () => frame(FrameType.windowUpdate, 0, 1, uint32(1)),
      () => frame(FrameType.rstStream, 0, 1, uint32(8)),
    );
    expect([peer.goAway, peer.statusOf(101)]).toEqual([undefined, "200"]);
  });

  test("HEADERS for a stream that has ended end the connection", async () => {
    const peer = await rawClient(strict.port);
    peer.send(peer.headers(1, start));
    await eventually(() => peer.statusOf(1)).toBe("200");
    peer.send(frame(headers, Flag.endHeaders | endStream, 1, peer.block(start)));
    await eventually(() => peer.goAway).toBe(5);
  });
});

describe("frames that break a rule of the connection", () => {
  test.each<[string, Buffer, number]>([
    ["no SETTINGS first", frame(FrameType.ping, 0, 0, "00".repeat(8)), 1],
    ["a window of 2^31", frame(FrameType.settings, 0, 0, "000480000000"), 3],
    ["a frame size below 16 KiB", frame(FrameType.settings, 0, 0, "000500000000"), 1],
    ["ENABLE_PUSH 2", frame(FrameType.settings, 0, 0, "000200000002"), 1],
    ["ENABLE_CONNECT_PROTOCOL taken back", frame(FrameType.settings, 0, 0, "000800000001000800000000"), 1],
  ])("%s", async (_name, bytes, code) => {
    const peer = await rawClient(strict.port);
    // Its own SETTINGS are the first frame otherwise.
    const other = _name.startsWith("no ") ? await bareClient(strict.port, bytes) : peer;
    if (other === peer) peer.send(bytes);
    await eventually(() => other.goAway).toBe(code);
    await eventually(() => other.closed).toBe(true);
    peer.socket.destroy();
  });

  test.each<[string, (peer: RawPeer) => Buffer[], number]>([
    ["an even stream", (peer) => [peer.headers(2, start)], 1],
    ["a stream below the last one", (peer) => [peer.headers(3, start), peer.headers(1, start)], 5],
    ["DATA for a stream that was never begun", () => [frame(FrameType.data, 0, 1, "00")], 1],
    ["RST_STREAM for a stream that was never begun", () => [frame(FrameType.rstStream, 0, 1, uint32(8))], 1],
    ["WINDOW_UPDATE for a stream that was never begun", () => [frame(FrameType.windowUpdate, 0, 1, uint32(1))], 1],
    ["WINDOW_UPDATE by nothing", () => [frame(FrameType.windowUpdate, 0, 0, uint32(0))], 1],
    ["a connection window past 2^31 - 1", () => [frame(FrameType.windowUpdate, 0, 0, uint32(0x7fffffff))], 3],
    ["PUSH_PROMISE of a client", () => [frame(FrameType.pushPromise, Flag.endHeaders, 1, "00000002")], 1],
    ["a field block that is broken", () => [frame(FrameType.headers, 5, 1, "80")], 9],
  ])("%s", async (_name, frames, code) => {
    const peer = await rawClient(strict.port);
    peer.send(...frames(peer));
    await eventually(() => peer.goAway).toBe(code);
    await eventually(() => peer.closed).toBe(true);
  });

  test.each<[string, (peer: RawPeer) => Buffer[], number]>([
    [
      "a stream that depends on itself",
      (peer) => [frame(FrameType.headers, 0x25, 1, Buffer.concat([uint32(1), Buffer.of(15), peer.block(start)]))],
      1,
    ],
    ["PRIORITY of 4 bytes", (peer) => [peer.headers(1, start, false), frame(FrameType.priority, 0, 1, uint32(0))], 6],
    [
      "a stream's window past 2^31 - 1",
      (peer) => [peer.headers(1, start, false), frame(FrameType.windowUpdate, 0, 1, uint32(0x7fffffff))],
      3,
    ],
    [
      "a stream's window opened by nothing",
      (peer) => [peer.headers(1, start, false), frame(FrameType.windowUpdate, 0, 1, uint32(0))],
      1,
    ],
    ["DATA after the end", (peer) => [peer.headers(1, start), frame(FrameType.data, 0, 1, "00")], 5],
  ])("%s ends its stream only", async (_name, frames, code) => {
    const peer = await send(strict, (each) => Buffer.concat(frames(each)));
    expect([peer.goAway, peer.resetOf(1), peer.statusOf(101)]).toEqual([undefined, code, "200"]);
  });
});

async function bareClient(port: number, first: Buffer): Promise<RawPeer> {
  const { connect } = await import("node:net");
  const { clientPreface } = await import("./frames.ts");
  const { RawPeer: Peer } = await import("./testing/raw-peer.ts");
  const socket = connect({ port, host: "127.0.0.1" });
  await new Promise((resolve) => socket.once("connect", resolve));
  const peer = new Peer(socket);
  peer.send(clientPreface, first);
  return peer;
}

describe("responses", () => {
  const body = frame(FrameType.data, Flag.endStream, 1, "0102");
  test.each<[string, (peer: RawPeer) => Buffer[]]>([
    ["no status", (peer) => [peer.headers(1, ["x", "1"])]],
    ["a status of two digits", (peer) => [peer.headers(1, [":status", "20"])]],
    ["101", (peer) => [peer.headers(1, [":status", "101"])]],
    ["1xx that ends the stream", (peer) => [peer.headers(1, [":status", "103"])]],
    ["a path in a response", (peer) => [peer.headers(1, [":status", "200", ":path", "/"])]],
    ["connection", (peer) => [peer.headers(1, [":status", "200", "connection", "close"])]],
    ["content-length without a body", (peer) => [peer.headers(1, [":status", "200", "content-length", "5"])]],
    [
      "trailers that do not end the stream",
      (peer) => [peer.headers(1, [":status", "200"], false), peer.headers(1, ["x", "1"], false)],
    ],
  ])("%s is malformed", async (_name, frames) => {
    for (const streamErrorOnInvalidMessaging of [false, true]) {
      const peers: RawPeer[] = [];
      const server = await rawServer((peer) => void peers.push(peer));
      const client = await openClient(server.port, { streamErrorOnInvalidMessaging });
      const answer = ask(client.connection, get("/"));
      const [peer] = await poll(peers);
      await eventually(() => peer.of(FrameType.headers).length).toBe(1);
      peer.send(...frames(peer));
      if (streamErrorOnInvalidMessaging) {
        expect((await answer).reset?.reason).toBe("protocol_error");
        expect(client.connection.capacity).toBeGreaterThan(0);
      } else {
        expect((await answer).reset?.reason).toBe("connection_termination");
        await eventually(() => peer.goAway).toBe(1);
      }
      client.stop();
      server.stop();
    }
  });

  test.each<[string, (peer: RawPeer) => Buffer[]]>([
    ["DATA before the head", () => [body]],
    ["a body of another length", (peer) => [peer.headers(1, [":status", "200", "content-length", "5"], false), body]],
  ])("%s ends its stream only", async (_name, frames) => {
    const peers: RawPeer[] = [];
    const server = await rawServer((peer) => void peers.push(peer));
    const client = await openClient(server.port);
    const answer = ask(client.connection, get("/"));
    const [peer] = await poll(peers);
    await eventually(() => peer.of(FrameType.headers).length).toBe(1);
    peer.send(...frames(peer));
    expect((await answer).reset).toEqual({ reason: "protocol_error", detail: "http2.violation.of.messaging.rule" });
    expect(client.connection.capacity).toBeGreaterThan(0);
    client.stop();
    server.stop();
  });

  test.each<[string, string, Fields]>([
    ["HEAD with a content-length", "HEAD", [":status", "200", "content-length", "5"]],
    ["304 with a content-length", "GET", [":status", "304", "content-length", "5"]],
  ])("%s is all right", async (_name, method, fields) => {
    const server = await rawServer((peer) => {
      peer.socket.once("data", () => setImmediate(() => peer.send(peer.headers(1, fields))));
    });
    const client = await openClient(server.port);
    const answer = await ask(client.connection, get("/", { method }));
    expect([answer.status, answer.reset]).toEqual([Number(fields[1]), undefined]);
    client.stop();
    server.stop();
  });

  test.each<[string, Buffer, number]>([
    ["PUSH_PROMISE", frame(FrameType.pushPromise, Flag.endHeaders, 1, "00000002"), 1],
    ["ENABLE_PUSH of a server", frame(FrameType.settings, 0, 0, "000200000001"), 1],
    ["HEADERS for a stream that was never begun", frame(FrameType.headers, 5, 7, "88"), 1],
    ["DATA for a stream that was never begun", frame(FrameType.data, 0, 7, "00"), 1],
  ])("%s ends the connection", async (_name, bytes, code) => {
    const peers: RawPeer[] = [];
    const server = await rawServer((peer) => void peers.push(peer));
    const client = await openClient(server.port);
    const answer = ask(client.connection, get("/"));
    const [peer] = await poll(peers);
    peer.send(bytes);
    expect((await answer).reset?.reason).toBe("connection_termination");
    await eventually(() => peer.goAway).toBe(code);
    client.stop();
    server.stop();
  });
});

async function poll(peers: RawPeer[]): Promise<[RawPeer]> {
  await eventually(() => peers.length).toBe(1);
  return [peers[0] as RawPeer];
}
