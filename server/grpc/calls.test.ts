import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { Client, credentials, Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../lib/clock.ts";
import type { DuplexCall } from "../lib/grpc.ts";
import type { MethodHandler } from "./method.ts";
import { GrpcServer } from "./server.ts";

const maxMessageBytes = 4 << 20;
const large = Buffer.alloc(3_500_000, "large");

let server: GrpcServer;
let port: number;
let closers: (() => void)[];
/** Calls of `/test/Hold`, which read only when they are told to. */
let held: DuplexCall<Buffer, Buffer>[];

beforeEach(async () => {
  closers = [];
  held = [];
  const limits = { maxMessageBytes, maxStreamsPerConnection: 100, maxConnections: 100, firstMessageMs: 60_000 };
  server = new GrpcServer(limits, systemClock);
  const handle = (path: string, handler: MethodHandler<Buffer, Buffer>) =>
    server.handle<Buffer, Buffer>({
      path,
      decode: (bytes) => bytes,
      encode: (bytes) => [Buffer.from("<"), bytes],
      handler,
    });
  handle("/test/Unary", { kind: "unary", handle: ({ request }, answer) => answer(null, request) });
  handle("/test/Fail", {
    kind: "unary",
    handle: ({ metadata }, answer) => answer({ code: status.ABORTED, details: "50% of früh\n", metadata }),
  });
  handle("/test/Sum", {
    kind: "clientStream",
    handle(call, answer) {
      let bytes = 0;
      call.on("data", (message) => {
        bytes += message.length;
      });
      call.on("end", () => answer(null, Buffer.from(String(bytes))));
    },
  });
  handle("/test/Large", {
    kind: "serverStream",
    handle(call) {
      for (let i = 0; i < 3; i++) call.write(large);
      call.end();
    },
  });
  handle("/test/Hold", { kind: "bidi", handle: (call) => void held.push(call) });
  server.handle<Buffer, Buffer>({
    path: "/test/Borrow",
    decode: same,
    encode: (bytes) => [bytes],
    borrowsRequests: true,
    handler: { kind: "bidi", handle: (call) => void held.push(call) },
  });
  port = await server.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  for (const close of closers) close();
  await server.stop(0);
});

function client(): Client {
  const made = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
  });
  closers.push(() => made.close());
  return made;
}

const same = (bytes: Buffer): Buffer => bytes;

const ask = (path: string, message: Buffer, metadata = new Metadata()): Promise<Buffer | ServiceError> =>
  new Promise((resolve) => {
    client().makeUnaryRequest(path, same, same, message, metadata, {}, (error, response) =>
      resolve(error ?? response ?? Buffer.alloc(0)),
    );
  });

const codeOf = async (answer: Promise<Buffer | ServiceError>): Promise<status | undefined> => {
  const settled = await answer;
  return "code" in settled ? settled.code : undefined;
};

/** HTTP/2 without gRPC, to say what a gRPC client wouldn't. */
function session(): ClientHttp2Session {
  const opened = connect(`http://127.0.0.1:${port}`);
  opened.on("error", () => {});
  closers.push(() => opened.destroy());
  return opened;
}

interface Told {
  status: number | undefined;
  grpcStatus: number | undefined;
}

const request = (path: string, more: Record<string, string> = {}): ClientHttp2Stream =>
  session().request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...more });

/** Reads to the end. */
async function told(stream: ClientHttp2Stream): Promise<Told> {
  let [httpStatus, grpcStatus]: (number | undefined)[] = [];
  const note = (headers: Record<string, unknown>): void => {
    if (headers[":status"] !== undefined) httpStatus = Number(headers[":status"]);
    if (headers["grpc-status"] !== undefined) grpcStatus = Number(headers["grpc-status"]);
  };
  stream
    .on("response", note)
    .on("trailers", note)
    .on("error", () => {})
    .resume();
  await once(stream, "close");
  return { status: httpStatus, grpcStatus };
}

const framed = (message: Buffer, flag = 0): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

describe("messages", () => {
  it.each([0, 1, 32 << 10, 100_000, 1 << 20, maxMessageBytes])("of %i bytes come and go whole", async (bytes) => {
    const message = Buffer.alloc(bytes, "0123456789");
    const answer = await ask("/test/Unary", message);
    expect(Buffer.concat([Buffer.from("<"), message]).equals(answer as Buffer)).toBe(true);
  });

  it("that are too large are refused before they come", async () => {
    expect(await codeOf(ask("/test/Unary", Buffer.alloc(maxMessageBytes + 1)))).toBe(status.RESOURCE_EXHAUSTED);
    const stream = request("/test/Unary");
    stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
    expect(await told(stream)).toEqual({ status: 200, grpcStatus: status.RESOURCE_EXHAUSTED });
  });

  it("large ones go to many at once, on connections and streams of their own", async () => {
    const [one, other] = [client(), client()];
    const sizes = await Promise.all(
      [one, one, other, other].map(async (of) => {
        const call = of.makeServerStreamRequest("/test/Large", same, same, Buffer.alloc(1));
        const whole: boolean[] = [];
        for await (const message of call) whole.push(large.equals((message as Buffer).subarray(1)));
        return whole;
      }),
    );
    expect(sizes).toEqual(Array(4).fill([true, true, true]));
  });

  it("many on one stream, cut anywhere", async () => {
    const all = Buffer.concat(Array.from({ length: 200 }, (_, i) => framed(Buffer.alloc(i * 17))));
    const stream = request("/test/Sum");
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    for (let at = 0; at < all.length; at += 777) stream.write(all.subarray(at, at + 777));
    stream.end();
    expect(await told(stream)).toEqual({ status: 200, grpcStatus: status.OK });
    expect(Buffer.concat(chunks).subarray(6).toString()).toBe(String((17 * 199 * 200) / 2));
  });

  it("compressed ones are inflated, within the limit; by what nobody knows, not", async () => {
    const compressed = async (message: Buffer, encoding: string): Promise<number | undefined> => {
      const stream = request("/test/Unary", { "grpc-encoding": encoding });
      stream.end(framed(message, 1));
      return (await told(stream)).grpcStatus;
    };
    expect(await compressed(gzipSync(Buffer.alloc(100_000)), "gzip")).toBe(status.OK);
    expect(await compressed(gzipSync(Buffer.alloc(maxMessageBytes + 1)), "gzip")).toBe(status.RESOURCE_EXHAUSTED);
    expect(await compressed(Buffer.from("no gzip"), "gzip")).toBe(status.INTERNAL);
    expect(await compressed(Buffer.alloc(10), "snappy")).toBe(status.UNIMPLEMENTED);
    expect(await compressed(Buffer.alloc(10), "identity")).toBe(status.INTERNAL);
  });

  it("a request that is cut off, or none, or two where one is due", async () => {
    const [cut, none, two] = [request("/test/Unary"), request("/test/Unary"), request("/test/Unary")];
    cut.end(framed(Buffer.alloc(10)).subarray(0, 8));
    none.end();
    two.end(Buffer.concat([framed(Buffer.alloc(1)), framed(Buffer.alloc(1))]));
    for (const stream of [cut, none, two]) expect((await told(stream)).grpcStatus).toBe(status.INTERNAL);
  });
});

describe("what a call ends with", () => {
  it("a status with details in any script, and metadata", async () => {
    const metadata = new Metadata();
    metadata.set("who", "me");
    metadata.set("raw-bin", Buffer.from([0, 255]));
    const error = (await ask("/test/Fail", Buffer.alloc(1), metadata)) as ServiceError;
    expect(error).toMatchObject({ code: status.ABORTED, details: "50% of früh\n" });
    expect([error.metadata.get("who"), error.metadata.get("raw-bin")]).toEqual([["me"], [Buffer.from([0, 255])]]);
  });

  it("a path that nobody serves, and what is no gRPC at all", async () => {
    expect(await codeOf(ask("/test/Nothing", Buffer.alloc(1)))).toBe(status.UNIMPLEMENTED);
    expect(await told(request("/test/Unary", { "content-type": "text/html" }))).toMatchObject({ status: 415 });
    expect(await told(request("/test/Unary", { ":method": "PUT" }))).toMatchObject({ status: 405 });
  });

  it("metadata beyond any measure", async () => {
    const big = await told(request("/test/Unary", { big: "x".repeat(61 << 10) }));
    expect(big).toEqual({ status: 200, grpcStatus: status.RESOURCE_EXHAUSTED });
  });

  it("its deadline, which the handler hears of", async () => {
    const call = client().makeBidiStreamRequest("/test/Hold", same, same, new Metadata(), {
      deadline: Date.now() + 60_000,
    });
    call.on("error", () => {});
    const short = request("/test/Hold", { "grpc-timeout": "50m" });
    await vi.waitFor(() => expect(held).toHaveLength(2));
    expect((await told(short)).grpcStatus).toBe(status.DEADLINE_EXCEEDED);
    expect(held.map(({ cancelled }) => cancelled).sort()).toEqual([false, true]);
    expect((await told(request("/test/Hold", { "grpc-timeout": "soon" }))).grpcStatus).toBe(status.INTERNAL);
  });

  it("the client's going", async () => {
    const call = client().makeBidiStreamRequest("/test/Hold", same, same);
    call.on("error", () => {});
    call.write(Buffer.alloc(1));
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const events: string[] = [];
    for (const event of ["cancelled", "close"]) held[0]?.on(event, () => events.push(event));
    call.cancel();
    await vi.waitFor(() => expect(events).toEqual(["cancelled", "close"]));
  });

  it("the server's: those that are told meanwhile hear it, and the rest is cancelled", async () => {
    const calls = [client(), client()].map((of) => of.makeBidiStreamRequest("/test/Hold", same, same));
    const codes = calls.map(
      (call) =>
        new Promise<status>((resolve) => {
          call.on("error", () => {}).on("status", ({ code }: StatusObject) => resolve(code));
        }),
    );
    await vi.waitFor(() => expect(held).toHaveLength(2));
    held[0]?.emit("error", { code: status.UNAVAILABLE, details: "going" });
    await server.stop(100);
    expect((await Promise.all(codes)).sort()).toEqual([status.CANCELLED, status.UNAVAILABLE].sort());
  });
});

describe("room that a handler borrows", () => {
  it("is used again when it is done with a message, and not before", async () => {
    const calls = [1, 2].map(() =>
      client()
        .makeBidiStreamRequest("/test/Borrow", same, same)
        .on("error", () => {}),
    );
    await vi.waitFor(() => expect(held).toHaveLength(2));
    const got: Buffer[][] = [[], []];
    held.forEach((call, i) => {
      call.on("data", (bytes: Buffer) => {
        call.pause();
        got[i]?.push(bytes);
      });
    });
    for (const call of calls) for (const fill of [1, 2]) call.write(Buffer.alloc(300_000, fill));
    await vi.waitFor(() => expect(got.map(({ length }) => length)).toEqual([1, 1]));
    const [first, other] = [got[0]?.[0], got[1]?.[0]];
    expect(other?.buffer).not.toBe(first?.buffer);
    held[0]?.resume();
    await vi.waitFor(() => expect(got[0]).toHaveLength(2));
    expect(got[0]?.[1]?.buffer).toBe(first?.buffer);
    expect(got[0]?.[1]?.every((byte) => byte === 2)).toBe(true);
    expect(other?.every((byte) => byte === 1)).toBe(true);
  });
});

describe("who does harm", () => {
  it("sends to a handler that doesn't read: no more comes than a window holds", async () => {
    const stream = request("/test/Hold");
    stream.on("error", () => {});
    let sent = 0;
    const more = (): void => {
      if (stream.destroyed || sent >= 100) return;
      sent++;
      stream.write(framed(Buffer.alloc(30_000)), more);
    };
    more();
    await vi.waitFor(() => expect(held).toHaveLength(1));
    for (let i = 0; i < 20; i++) await ping(stream);
    expect(sent).toBeLessThan(10);
    let bytes = 0;
    held[0]?.on("data", (message) => {
      bytes += message.length;
    });
    await vi.waitFor(() => expect(bytes).toBe(100 * 30_000), { timeout: 10_000 });
  });

  it("reads nothing: whoever writes is told, and when it goes on", async () => {
    const stream = request("/test/Hold");
    stream.on("error", () => {});
    await vi.waitFor(() => expect(held).toHaveLength(1));
    let taken = 0;
    const call = held[0];
    expect(call?.write(large, () => taken++)).toBe(false);
    for (let i = 0; i < 10; i++) await ping(stream);
    expect(taken).toBe(0);
    stream.resume();
    await vi.waitFor(() => expect(taken).toBe(1), { timeout: 10_000 });
  });

  it("floods with PINGs: its connection ends, others' don't", async () => {
    const call = client().makeBidiStreamRequest("/test/Hold", same, same);
    let ended = false;
    call.on("error", () => {
      ended = true;
    });
    const flood = session();
    await once(flood, "connect");
    const goneAway = new Promise<number>((resolve) => flood.on("goaway", resolve));
    const sending = setInterval(() => {
      for (let i = 0; i < 10 && !flood.destroyed; i++) flood.ping(() => {});
    }, 1);
    closers.push(() => clearInterval(sending));
    expect(await goneAway).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(ended).toBe(false);
  });
});

const ping = (stream: ClientHttp2Stream): Promise<unknown> =>
  new Promise((resolve) => stream.session?.ping((error) => resolve(error)));
