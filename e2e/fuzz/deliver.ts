import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import type { Random } from "./random.ts";

/** How long an input may keep a connection: many are beginnings of requests, which a listener rightly waits on. */
const patienceMs = 150;
const maxAnswerBytes = 64 * 1024;

/** Writes bytes in up to three pieces, reads what comes, and leaves. Never rejects: what the other side does with it is judged elsewhere. */
export function deliverRaw(host: string, port: number, bytes: Buffer, random: Random): Promise<void> {
  const cuts = [random.below(bytes.length + 1), random.below(bytes.length + 1)].sort((a, b) => a - b);
  const pieces = random.chance(0.5)
    ? [bytes]
    : [bytes.subarray(0, cuts[0]), bytes.subarray(cuts[0], cuts[1]), bytes.subarray(cuts[1])];
  const ends = random.chance(0.7);
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    let answered = 0;
    socket.on("data", (chunk: Buffer) => {
      answered += chunk.length;
      if (answered > maxAnswerBytes) socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once("connect", () => void writeAll(socket, pieces, ends));
  });
}

async function writeAll(socket: Socket, pieces: readonly Buffer[], ends: boolean): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (ends) socket.end();
}

/** A gRPC call with these bytes as its stream, over a connection of its own. Never rejects. */
export function deliverGrpc(host: string, port: number, path: string, body: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${host}:${port}`);
    const timer = setTimeout(() => session.destroy(), patienceMs);
    session.on("error", () => {});
    session.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => {}).on("data", () => {});
    stream.once("close", () => session.destroy());
    stream.end(body);
  });
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: a flag for compression, and the length. */
export function grpcFrame(message: Buffer, random: Random): Buffer {
  const head = Buffer.alloc(5);
  head[0] = random.chance(0.05) ? random.below(256) : 0;
  head.writeUInt32BE(random.chance(0.05) ? random.below(2 ** 32) : message.length, 1);
  return Buffer.concat([head, message]);
}
