import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fractionsFrom } from "../lib/testing/random.ts";
import { Timers } from "../lib/timers.ts";
import type { Fields, StreamServer } from "../sidecar/http/stream.ts";
import { type ClientSocket, Http2ClientConnection } from "../sidecar/http2/client-connection.ts";
import { DownstreamConnection, type DownstreamHttp2Stream } from "../sidecar/http2/downstream-connection.ts";
import { clientPreface, Flag, FrameType } from "./frames.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { defaultOptions } from "./options.ts";
import type { Refusal } from "./server-connection.ts";
import { get } from "./testing/client.ts";
import { eventually } from "./testing/eventually.ts";
import { frame, uint32 } from "./testing/frame.ts";
import { cut, pick, randomBytes } from "./testing/random.ts";
import { silent } from "./testing/server.ts";
import { countsOf, newHttp2Stats } from "./testing/stats.ts";

// Whatever bytes come: however they are cut, the same is told; and nothing is thrown, told twice or kept.

const timers = new Timers();
const options = { ...defaultOptions, streamErrorOnInvalidMessaging: true, allowConnect: true };
const listener = createServer();
const clients: Socket[] = [];
beforeAll(() => new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  timers.stop();
  for (const client of clients) client.destroy();
  listener.close();
});

/** Both ends of a connection. */
async function pair(): Promise<[Socket, Socket]> {
  const accepted = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  const client = connect({ port: (listener.address() as { port: number }).port, host: "127.0.0.1" });
  client.on("error", () => {});
  client.resume();
  clients.push(client);
  return [await accepted, client];
}

/** Writes down what the handlers of a server hear, data joined, and answers every request. */
class Heard implements StreamServer {
  readonly said: string[] = [];
  private count = 0;

  onStream: StreamServer["onStream"] = (stream, head, end) => {
    const name = this.count++;
    let data = "";
    let over = end;
    const say = (what: string): void => {
      expect(over && !what.startsWith("head")).toBe(false);
      this.said.push(`${name} ${what}`);
    };
    this.said.push(`${name} ${head.method} ${head.authority}${head.path} ${head.headers.join("|")} ${end}`);
    stream.sendHead({ status: 200, headers: ["x", head.path], contentLength: -1, bytes: 0 }, end);
    return {
      onData: (bytes, from, to) => {
        expect(over).toBe(false);
        data += bytes.toString("hex", from, to);
        stream.sendData(bytes, from, to);
      },
      onEnd: (trailers: Fields | undefined) => {
        say(`end ${data} ${trailers?.join("|")}`);
        over = true;
        stream.sendEnd(trailers);
      },
      onReset: (reason, detail) => {
        say(`reset ${data} ${reason} ${detail}`);
        over = true;
      },
      onDrain: () => {},
    };
  };
}

/** @returns what was told, and how the connection ended after the client was gone too */
async function serve(pieces: readonly Buffer[]): Promise<string[]> {
  const [socket] = await pair();
  const heard = new Heard();
  const stats = newHttp2Stats();
  const closed: string[] = [];
  const host = {
    onStream: heard.onStream,
    onRefused: (stream: DownstreamHttp2Stream, _head: unknown, { status }: Refusal) => {
      heard.said.push(`refused ${status}`);
      stream.sendHead({ status, headers: [], contentLength: -1, bytes: 0 }, true);
      return silent;
    },
    onClosed: (_connection: unknown, reason: string) => closed.push(reason),
  };
  const connection = new DownstreamConnection(socket, { options, stats, timers }, host);
  for (const piece of pieces) {
    const copy = Buffer.from(piece);
    connection.receive(copy, 0, copy.length);
    copy.fill(0xee);
  }
  const told = [...heard.said, JSON.stringify({ ...countsOf(stats), rxBytes: 0, txBytes: 0 })];
  connection.close("test is over");
  expect(closed.length).toBe(1);
  expect(connection.active).toBe(0);
  return told;
}

test("any split of a client's bytes tells the same", async () => {
  const random = fractionsFrom(1);
  for (let round = 0; round < 60; round++) {
    const stream = clientBytes(random);
    const whole = await serve([stream]);
    for (let again = 0; again < 2; again++) expect(await serve(cut(random, stream))).toEqual(whole);
  }
});

test("any split of a client's broken bytes tells the same", async () => {
  const random = fractionsFrom(2);
  for (let round = 0; round < 250; round++) {
    const stream = broken(random, clientBytes(random));
    expect(await serve(cut(random, stream))).toEqual(await serve([stream]));
  }
});

test("whatever a server sends, every stream is told one end", async () => {
  const random = fractionsFrom(3);
  for (let round = 0; round < 250; round++) {
    const [socket] = await pair();
    const ends: number[] = [];
    let closed = 0;
    const owner = { onConnected() {}, onCapacity() {}, onClosed: () => void closed++ };
    const open = (): ClientSocket => ({ socket, ready: "connect", failure: String, endedUnheard: "" });
    const connection = new Http2ClientConnection({ open }, { options, stats: newHttp2Stats(), timers }, owner);
    socket.emit("connect");
    for (let index = 0; index < 4; index++) {
      ends[index] = 0;
      const end = () => {
        ends[index] = (ends[index] ?? 0) + 1;
      };
      const stream = connection.newStream({
        onInformational() {},
        onHead: (_head, last) => last && end(),
        onData() {},
        onEnd: end,
        onReset: end,
        onDrain() {},
        onReadComplete() {},
      });
      stream.sendHead(get("/"), true);
    }
    const bytes = serverBytes(random);
    for (const piece of cut(random, random() < 0.7 ? broken(random, bytes) : bytes)) {
      connection.receive(piece, 0, piece.length);
    }
    connection.close("test is over");
    expect([ends, closed, connection.active]).toEqual([[1, 1, 1, 1], 1, 0]);
  }
});

test("random bytes after the preface end the connection or are ignored", async () => {
  const random = fractionsFrom(4);
  for (let round = 0; round < 200; round++) {
    await serve([clientPreface, frame(FrameType.settings, 0, 0), randomBytes(random, 200)]);
  }
  await eventually(() => clients.every((client) => client.destroyed)).toBe(true);
});

/** What a client could send: some of it right, some of it not. */
function clientBytes(random: () => number): Buffer {
  const encoder = new HpackEncoder();
  const frames = [clientPreface, frame(FrameType.settings, 0, 0, "000300000064")];
  let last = -1;
  const opening = (id: number): Buffer[] => {
    last = id;
    return headers(random, encoder, id, request(random));
  };
  for (let i = 0; i < 12; i++) {
    const next = last + 2;
    const old = 1 + 2 * Math.floor(random() * ((last + 3) / 2));
    frames.push(
      ...pick<() => Buffer[]>(random, [
        () => opening(next),
        () => opening(next),
        () => headers(random, encoder, old, ["x-trailer", "1"]),
        () => [frame(FrameType.data, random() < 0.4 ? Flag.endStream : 0, old, randomBytes(random, random() * 200))],
        () => [frame(FrameType.rstStream, 0, old, uint32(8))],
        () => [frame(FrameType.windowUpdate, 0, pick(random, [0, old]), uint32(1 + random() * 1000))],
        () => [frame(FrameType.ping, 0, 0, randomBytes(random, 8))],
        () => [frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.from("0004", "hex"), uint32(random() * 1e6)]))],
        () => [frame(FrameType.priority, 0, old, randomBytes(random, 5))],
      ])(),
    );
  }
  return Buffer.concat(frames);
}

function serverBytes(random: () => number): Buffer {
  const encoder = new HpackEncoder();
  const frames = [frame(FrameType.settings, 0, 0, "000300000064")];
  for (let i = 0; i < 12; i++) {
    const id = 1 + 2 * Math.floor(random() * 4);
    frames.push(
      ...pick<() => Buffer[]>(random, [
        () => headers(random, encoder, id, [":status", pick(random, ["200", "103", "204", "x"]), "x", "1"]),
        () => headers(random, encoder, id, [":status", "200", "content-length", "10"]),
        () => headers(random, encoder, id, ["x-trailer", "1"]),
        () => [frame(FrameType.data, random() < 0.4 ? Flag.endStream : 0, id, randomBytes(random, random() * 20))],
        () => [frame(FrameType.rstStream, 0, id, uint32(random() * 14))],
        () => [frame(FrameType.goAway, 0, 0, Buffer.concat([uint32(id), uint32(random() * 3)]))],
        () => [frame(FrameType.windowUpdate, 0, pick(random, [0, id]), uint32(1 + random() * 1000))],
      ])(),
    );
  }
  return Buffer.concat(frames);
}

const request = (random: () => number): Fields => {
  const fields = [
    ":method",
    pick(random, ["GET", "POST", "CONNECT"]),
    ":scheme",
    "http",
    ":path",
    "/",
    ":authority",
    "a",
  ];
  const more = pick<Fields>(random, [[], ["cookie", "a=1", "cookie", "b=2"], ["content-length", "5"], ["X-Bad", "1"]]);
  return [...fields, ...more, "x-random", String(Math.floor(random() * 5))];
};

function headers(random: () => number, encoder: HpackEncoder, id: number, fields: Fields): Buffer[] {
  const out = Buffer.alloc(encoder.bound(fields));
  const block = out.subarray(0, encoder.fields(fields, out, encoder.begin(out, 0)));
  const end = random() < 0.5 ? Flag.endStream : 0;
  if (random() < 0.7) return [frame(FrameType.headers, Flag.endHeaders | end, id, block)];
  const at = Math.floor(random() * block.length);
  return [
    frame(FrameType.headers, end, id, block.subarray(0, at)),
    frame(FrameType.continuation, Flag.endHeaders, id, block.subarray(at)),
  ];
}

/** A few bytes changed, lost or put in. */
function broken(random: () => number, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  // Not the preface: nothing behind it would be looked at.
  const place = () => Math.min(copy.length - 1, 24 + Math.floor(random() * (copy.length - 24)));
  const at = place();
  return pick<() => Buffer>(random, [
    () => {
      copy[at] = random() * 256;
      copy[place()] = random() * 256;
      return copy;
    },
    () => Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + Math.floor(random() * 10))]),
    () => Buffer.concat([copy.subarray(0, at), randomBytes(random, 1 + random() * 10), copy.subarray(at)]),
  ])();
}
