import { afterEach, describe, expect, test } from "vitest";
import type { DownstreamStream, Fields, StreamServer } from "../sidecar/http/stream.ts";
import { ErrorCode } from "./errors.ts";
import { Flag, FrameType } from "./frames.ts";
import { maxHeldPerStream } from "./options.ts";
import { ask, get, Listener, openClient } from "./testing/client.ts";
import { eventually } from "./testing/eventually.ts";
import { frame, uint32 } from "./testing/frame.ts";
import { type RawPeer, rawClient, rawServer } from "./testing/raw-peer.ts";
import { echo, silent, startServer, type TestServer } from "./testing/server.ts";

// Peers that mean harm: each published attack against its limit, and what a well-meaning peer may still do.

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function serve(server: StreamServer = echo, options = {}): Promise<TestServer> {
  const running = await startServer(server, options);
  cleanUps.push(() => running.stop());
  return running;
}

async function attack(port: number, settings?: Buffer): Promise<RawPeer> {
  const peer = await rawClient(port, settings);
  cleanUps.push(() => peer.socket.destroy());
  return peer;
}

const start: Fields = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"];
const repeat = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
const { data, headers, priority, rstStream, settings, ping, windowUpdate, continuation } = FrameType;

/** Sends without reading an answer until the server hangs up. */
async function shout(peer: RawPeer, bytes: Buffer): Promise<void> {
  peer.socket.pause();
  while (!peer.closed && !peer.socket.destroyed) {
    if (peer.socket.write(bytes)) await new Promise((resolve) => setImmediate(resolve));
    else {
      await new Promise<void>((resolve) => {
        peer.socket.once("drain", resolve);
        peer.socket.once("close", () => resolve());
        peer.socket.once("error", () => resolve());
      });
    }
  }
}

describe("floods", () => {
  test("rapid reset (CVE-2023-44487): 250 of the first 500", async () => {
    let begun = 0;
    const server = await serve({
      onStream: () => {
        begun++;
        return silent;
      },
    });
    const peer = await attack(server.port);
    for (let id = 1; id < 2001; id += 2) peer.send(peer.headers(id, start), frame(rstStream, 0, id, uint32(8)));
    await eventually(() => peer.goAway).toBe(ErrorCode.enhanceYourCalm);
    await eventually(() => peer.closed).toBe(true);
    expect(begun).toBe(250);
    await eventually(() => server.closed).toEqual(["http2.too_many_premature_resets"]);
    expect(server.stats.prematureResets).toBe(1);
  });

  test("a client may reset what was answered, and half of the rest", async () => {
    const server = await serve(
      {
        onStream: (stream, head, end) => {
          if (head.path === "/") stream.sendHead({ status: 200, headers: [], contentLength: -1, bytes: 0 }, end);
          return silent;
        },
      },
      { prematureResetStreams: 20 },
    );
    const peer = await attack(server.port);
    for (let id = 1; id < 401; id += 4) {
      peer.send(peer.headers(id, start, false), frame(rstStream, 0, id, uint32(8)), peer.headers(id + 2, start));
    }
    await eventually(() => peer.statusOf(399)).toBe("200");
    expect(peer.goAway).toBeUndefined();
  });

  test("CONTINUATION without end (CVE-2024-27316)", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(
      frame(headers, 0, 1, peer.block(start)),
      repeat(1000, () => frame(continuation, 0, 1, "00")),
    );
    await eventually(() => peer.goAway).toBe(ErrorCode.enhanceYourCalm);
    await eventually(() => peer.closed).toBe(true);
  });

  test("PINGs of a client that does not read (CVE-2019-9512)", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    await shout(
      peer,
      repeat(4000, () => frame(ping, 0, 0, "00".repeat(8))),
    );
    await eventually(() => server.closed).toEqual(["http2.outbound_frames_flood"]);
    expect(server.stats.outboundFlood).toBe(1);
  });

  test("SETTINGS of a client that does not read (CVE-2019-9515)", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    await shout(
      peer,
      repeat(4000, () => frame(settings, 0, 0)),
    );
    await eventually(() => server.closed).toEqual(["http2.outbound_frames_flood"]);
  });

  test("requests that we must reset, of a client that does not read (CVE-2019-9514)", async () => {
    const server = await serve(echo, { streamErrorOnInvalidMessaging: true, maxOutboundControlFrames: 100 });
    const peer = await attack(server.port);
    peer.socket.pause();
    let id = 1;
    const bad = peer.block([":method", "GET", "X", "1"]);
    while (!peer.closed && !peer.socket.destroyed) {
      const bytes = repeat(2000, (index) => frame(headers, 5, id + 2 * index, bad));
      id += 4000;
      if (!peer.socket.write(bytes))
        await Promise.race([once(peer, "drain"), once(peer, "close"), once(peer, "error")]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => server.closed).toEqual(["http2.outbound_frames_flood"]);
  });

  test("a client that reads may ping as it likes", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(repeat(20_000, () => frame(ping, 0, 0, "00".repeat(8))));
    await eventually(() => peer.of(ping).length).toBe(20_000);
    expect(server.closed).toEqual([]);
  });

  test("empty frames (CVE-2019-9518)", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(
      peer.headers(1, start, false),
      repeat(2, () => frame(data, 0, 1)),
    );
    await eventually(() => peer.goAway).toBe(ErrorCode.enhanceYourCalm);
    expect(server.stats.inboundEmptyFramesFlood).toBe(1);
  });

  test("PRIORITY (CVE-2019-9513)", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(repeat(101, (index) => frame(priority, 0, 3 + 2 * index, "0000000100")));
    await eventually(() => peer.goAway).toBe(ErrorCode.enhanceYourCalm);
    expect(server.stats.inboundPriorityFramesFlood).toBe(1);
  });

  test("WINDOW_UPDATE", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(repeat(6, () => frame(windowUpdate, 0, 0, uint32(1))));
    await eventually(() => peer.goAway).toBe(ErrorCode.enhanceYourCalm);
    expect(server.stats.inboundWindowUpdateFramesFlood).toBe(1);
  });
});

describe("heads", () => {
  test("too many bytes: 431, and the connection goes on", async () => {
    const server = await serve(echo, { maxHeaderBytes: 2000 });
    const peer = await attack(server.port);
    peer.send(
      peer.headers(1, [...start, "x", "y".repeat(2000)]),
      peer.headers(3, start),
      peer.headers(5, start, false),
    );
    peer.send(peer.headers(7, [...start, "x-indexed", "z".repeat(1990)], false), frame(data, Flag.endStream, 7, "00"));
    peer.send(peer.headers(9, start));
    await eventually(() => peer.statusOf(9)).toBe("200");
    expect([1, 3, 7].map((id) => peer.statusOf(id))).toEqual(["431", "200", "431"]);
    // Its body is not wanted any more.
    expect(peer.resetOf(7)).toBe(ErrorCode.noError);
    expect([server.refused, server.stats.headerOverflow, peer.goAway]).toEqual([[431, 431], 2, undefined]);
  });

  test("too many fields: 431", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(peer.headers(1, [...start, ...Array.from({ length: 194 }, (_, index) => `x${index}`)]));
    await eventually(() => peer.statusOf(1)).toBe("431");
  });

  test("an HPACK bomb: 4 KB in the table, named 10,000 times over", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    const length = 4096 - 33;
    const literal = Buffer.concat([
      Buffer.from([0x40, 1, 0x78, 0x7f, ((length - 127) & 0x7f) | 0x80, (length - 127) >>> 7]),
      Buffer.alloc(length, "y"),
    ]);
    const block = Buffer.concat([peer.block(start.slice(0, 4)), literal, Buffer.alloc(10_000, 0xbe)]);
    peer.send(frame(headers, Flag.endHeaders | Flag.endStream, 1, block));
    // Our own table knows nothing of that field, so this head does without one.
    const plain = Buffer.concat([peer.block(start.slice(0, 6)), Buffer.from("010161", "hex")]);
    peer.send(frame(headers, Flag.endHeaders | Flag.endStream, 3, plain));
    await eventually(() => peer.statusOf(3)).toBe("200");
    expect(peer.statusOf(1)).toBe("431");
  });

  test("a block that is past any limit ends the connection before it is whole", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    peer.send(
      frame(headers, 0, 1, Buffer.alloc(16_000)),
      repeat(9, () => frame(continuation, 0, 1, Buffer.alloc(16_000))),
    );
    await eventually(() => peer.goAway).toBe(ErrorCode.enhanceYourCalm);
    expect(server.stats.headerOverflow).toBe(1);
  });
});

/** Sends `total` bytes, as fast as it is let. */
const pouring = (total: number, told: { sent: number; stops: number }): StreamServer => ({
  onStream: (stream: DownstreamStream) => {
    const chunk = Buffer.alloc(16_384, "x");
    const pour = () => {
      while (told.sent < total) {
        const count = Math.min(chunk.length, total - told.sent);
        told.sent += count;
        if (!stream.sendData(chunk, 0, count)) {
          told.stops++;
          return;
        }
      }
      stream.sendEnd(undefined);
    };
    stream.sendHead({ status: 200, headers: [], contentLength: -1, bytes: 0 }, false);
    pour();
    return { ...silent, onDrain: pour };
  },
});

describe("windows", () => {
  test("one that never opens: the source is stopped, and nothing piles up", async () => {
    const told = { sent: 0, stops: 0 };
    const server = await serve(pouring(10_000_000, told));
    const peer = await attack(server.port, Buffer.from("000400000000", "hex"));
    peer.send(peer.headers(1, start));
    await eventually(() => peer.statusOf(1)).toBe("200");
    expect([told, peer.dataOf(1).length]).toEqual([{ sent: 16_384, stops: 1 }, 0]);
    // And one that opens by a byte at a time is served so.
    peer.send(frame(windowUpdate, 0, 1, uint32(1)));
    await eventually(() => peer.dataOf(1).length).toBe(1);
    expect(told.sent).toBe(16_384);
    peer.send(frame(windowUpdate, 0, 1, uint32(20_000)));
    await eventually(() => peer.dataOf(1).length).toBe(20_001);
  });

  test("a socket that is not read: the source is stopped", async () => {
    const told = { sent: 0, stops: 0 };
    const server = await serve(pouring(200_000_000, told));
    const peer = await attack(server.port, Buffer.from("00047fffffff", "hex"));
    peer.socket.pause();
    peer.send(peer.headers(1, start), frame(windowUpdate, 0, 0, uint32(0x7fff0000)));
    await eventually(() => told.stops).toBeGreaterThan(0);
    // The kernel's buffers and ours, not the whole body.
    expect(told.sent).toBeLessThan(40_000_000);
    peer.socket.resume();
    await eventually(() => told.sent).toBeGreaterThan(100_000_000);
  });

  test("a window that shrinks below nothing", async () => {
    const told = { sent: 0, stops: 0 };
    const server = await serve(pouring(100_000, told));
    const peer = await attack(server.port, Buffer.from("000400001000", "hex"));
    peer.send(peer.headers(1, start));
    await eventually(() => peer.dataOf(1).length).toBe(4096);
    peer.send(frame(settings, 0, 0, "000400000000"), frame(windowUpdate, 0, 1, uint32(4096)));
    peer.send(frame(ping, 0, 0, "00".repeat(8)));
    await eventually(() => peer.of(ping).length).toBe(1);
    expect(peer.dataOf(1).length).toBe(4096);
    peer.send(frame(settings, 0, 0, "000400000001"));
    await eventually(() => peer.dataOf(1).length).toBe(4097);
  });

  test("a handler that has stopped holds no more than the window, and what is beyond it ends the stream", async () => {
    let stream: DownstreamStream | undefined;
    let heard = 0;
    const server = await serve({
      onStream: (opened) => {
        stream = opened;
        opened.pause();
        const onData = (_bytes: Buffer, from: number, to: number) => {
          heard += to - from;
        };
        return { ...silent, onData };
      },
    });
    const peer = await attack(server.port);
    peer.send(peer.headers(1, start, false));
    const frames = Math.floor(maxHeldPerStream / 16_384);
    peer.send(
      repeat(frames, () => frame(data, 0, 1, Buffer.alloc(16_384))),
      frame(ping, 0, 0, "00".repeat(8)),
    );
    await eventually(() => peer.of(ping).length).toBe(1);
    expect([heard, peer.of(windowUpdate).filter(({ streamId }) => streamId === 1).length]).toEqual([0, 0]);
    stream?.resume();
    expect(heard).toBe(frames * 16_384);
    // All of it was taken, so the window is open again.
    await eventually(() => peer.of(windowUpdate).filter(({ streamId }) => streamId === 1).length).toBeGreaterThan(0);
    stream?.pause();
    peer.send(repeat(frames + 1, () => frame(data, 0, 1, Buffer.alloc(16_384))));
    await eventually(() => peer.resetOf(1)).toBe(ErrorCode.flowControlError);
    expect(peer.goAway).toBeUndefined();
  });

  test("padding counts, and is given back", async () => {
    const server = await serve({
      onStream: (stream) => {
        let bytes = 0;
        const onEnd = () => stream.sendHead({ status: bytes / 1000, headers: [], contentLength: -1, bytes: 0 }, true);
        const onData = (_bytes: Buffer, from: number, to: number) => {
          bytes += to - from;
        };
        return { ...silent, onData, onEnd };
      },
    });
    const peer = await attack(server.port);
    peer.send(peer.headers(1, start, false));
    const padded = Buffer.concat([Buffer.from([255]), Buffer.alloc(1), Buffer.alloc(255)]);
    for (let round = 0; round < 100; round++) peer.send(repeat(1000, () => frame(data, Flag.padded, 1, padded)));
    peer.send(frame(data, Flag.endStream, 1));
    // 25 MB of padding came through windows of 24 and 0.9: nothing of them was lost.
    await eventually(() => peer.statusOf(1)).toBe("100");
  });
});

describe("streams", () => {
  test("1,000 idle ones stand in nobody's way; past the limit they are refused", async () => {
    const server = await serve();
    const peer = await attack(server.port);
    for (let index = 0; index < 1000; index++) peer.send(peer.headers(2 * index + 1, start, false));
    peer.send(peer.headers(2001, start));
    await eventually(() => peer.statusOf(2001)).toBe("200");
    for (let id = 2003; id <= 2051; id += 2) peer.send(peer.headers(id, start, false));
    await eventually(() => peer.resetOf(2051)).toBe(ErrorCode.refusedStream);
    expect([server.stats.streamRefused, [...server.connections][0]?.active]).toEqual([1, 1024]);
    peer.send(frame(rstStream, 0, 1, uint32(8)), peer.headers(2053, start));
    await eventually(() => peer.statusOf(2053)).toBe("200");
  });

  test("a client that never answers a PING is hung up on, and so is such a server", async () => {
    const keepalive = { intervalMs: 10, timeoutMs: 30, jitterPercent: 0, idleIntervalMs: 0 };
    const server = await serve(echo, { keepalive });
    const peer = await attack(server.port);
    await eventually(() => peer.goAway).toBe(ErrorCode.noError);
    await eventually(() => server.closed).toEqual(["http2.ping_timeout"]);
    const mute = await rawServer(() => {});
    const client = await openClient(mute.port, { keepalive });
    const answer = await ask(client.connection, get("/"));
    expect(answer.reset).toEqual({ reason: "connection_termination", detail: "http2.ping_timeout" });
    client.stop();
    mute.stop();
  });

  test("a drain ends without the client's answer to the PING", async () => {
    const server = await serve(echo, { drainTimeoutMs: 50 });
    const peer = await attack(server.port);
    peer.send(peer.headers(1, start, false));
    await eventually(() => peer.statusOf(1)).toBe("200");
    for (const connection of server.connections) connection.drain();
    await eventually(() => peer.of(FrameType.goAway).length).toBe(2);
    expect(peer.of(FrameType.goAway).map(({ payload }) => payload.readUInt32BE(0))).toEqual([0x7fffffff, 1]);
    peer.send(frame(data, Flag.endStream, 1, "00"));
    await eventually(() => peer.closed).toBe(true);
    expect(peer.dataOf(1).length).toBe(1);
  });
});

describe("servers that mean harm", () => {
  test("a response head past the limit ends its stream only", async () => {
    const peers: RawPeer[] = [];
    const server = await rawServer((peer) => void peers.push(peer));
    const client = await openClient(server.port, { maxHeaderBytes: 1000 });
    const answer = ask(client.connection, get("/"));
    await eventually(() => peers[0]?.of(headers).length).toBe(1);
    peers[0]?.send(peers[0].headers(1, [":status", "200", "x", "y".repeat(1000)]));
    expect((await answer).reset).toEqual({ reason: "protocol_error", detail: "http2.too_many_headers" });
    expect(client.connection.capacity).toBeGreaterThan(0);
    client.stop();
    server.stop();
  });

  test("a connection that breaks tells every stream once", async () => {
    const peers: RawPeer[] = [];
    const server = await rawServer((peer) => void peers.push(peer));
    const client = await openClient(server.port);
    const answers = Array.from({ length: 50 }, () => ask(client.connection, get("/")));
    await eventually(() => peers[0]?.of(headers).length).toBe(50);
    peers[0]?.socket.destroy();
    const reasons = new Set((await Promise.all(answers)).map(({ reset }) => reset?.reason));
    expect([...reasons]).toEqual(["connection_termination"]);
    expect([client.connection.active, client.connection.capacity]).toEqual([0, 0]);
    server.stop();
  });

  test("a response that is paused is held by its window, and comes whole", async () => {
    const told = { sent: 0, stops: 0 };
    const pour = pouring(3_000_000, told);
    const server = await serve({
      onStream: (each, head, end) => (head.path === "/pour" ? pour : echo).onStream(each, head, end),
    });
    const client = await openClient(server.port);
    cleanUps.push(() => client.stop());
    const listener = new Listener();
    const stream = client.connection.newStream(listener);
    stream.pause();
    stream.sendHead(get("/pour"), true);
    await eventually(() => told.sent).toBeGreaterThan(maxHeldPerStream);
    expect((await ask(client.connection, get("/"))).status).toBe(200);
    expect([listener.received, told.sent < 1024 * 1024]).toEqual([0, true]);
    stream.resume();
    expect((await listener.done).body.length).toBe(3_000_000);
  });
});

const once = (peer: RawPeer, event: string): Promise<void> =>
  new Promise((resolve) => peer.socket.once(event, () => resolve()));
