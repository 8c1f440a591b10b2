import { connect, createServer, type Socket } from "node:net";
import type { Fields } from "../../sidecar/http/stream.ts";
import { clientPreface, Flag, FrameReader, type FrameSink, FrameType } from "../frames.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { frame } from "./frame.ts";

export interface SeenFrame {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
  /** Of HEADERS. */
  fields: Fields;
}

/** A peer that sends whatever it is told to, and writes down the frames that come back. */
export class RawPeer implements FrameSink {
  readonly frames: SeenFrame[] = [];
  closed = false;
  readonly socket: Socket;
  private readonly encoder = new HpackEncoder();
  private readonly decoder = new HpackDecoder();
  private readonly reader: FrameReader;

  constructor(socket: Socket, asServer = false) {
    this.socket = socket;
    const limits = { maxFrame: 16_384, maxBlock: 1_000_000, maxContinuations: 1000, maxEmptyFrames: 1000 };
    this.reader = new FrameReader(this, limits, asServer);
    socket.on("data", (bytes) => this.reader.read(bytes as Buffer, 0, bytes.length));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** A HEADERS frame with fields encoded by the connection's table. */
  headers(streamId: number, fields: Fields, end = true): Buffer {
    return frame(FrameType.headers, Flag.endHeaders | (end ? Flag.endStream : 0), streamId, this.block(fields));
  }

  block(fields: Fields): Buffer {
    const out = Buffer.alloc(this.encoder.bound(fields));
    return out.subarray(0, this.encoder.fields(fields, out, this.encoder.begin(out, 0)));
  }

  of(type: number): SeenFrame[] {
    return this.frames.filter((each) => each.type === type);
  }

  /** The error code of the last GOAWAY. */
  get goAway(): number | undefined {
    return this.of(FrameType.goAway).at(-1)?.payload.readUInt32BE(4);
  }

  /** The code by which a stream was reset. */
  resetOf(streamId: number): number | undefined {
    return this.of(FrameType.rstStream)
      .find((each) => each.streamId === streamId)
      ?.payload.readUInt32BE(0);
  }

  statusOf(streamId: number): string | undefined {
    const fields = this.of(FrameType.headers).find((each) => each.streamId === streamId)?.fields ?? [];
    return fields[fields.indexOf(":status") + 1];
  }

  dataOf(streamId: number): Buffer {
    return Buffer.concat(
      this.of(FrameType.data)
        .filter((each) => each.streamId === streamId)
        .map((each) => each.payload),
    );
  }

  onDataFrame(): void {}
  onData(streamId: number, flags: number, bytes: Buffer, start: number, end: number): void {
    this.note(FrameType.data, flags, streamId, bytes, start, end);
  }

  onHeaders(streamId: number, flags: number, _self: boolean, bytes: Buffer, start: number, end: number): void {
    const seen = this.note(FrameType.headers, flags, streamId, bytes, start, end);
    this.decoder.decode(bytes, start, end, { onField: (name, value) => void seen.fields.push(name, value) });
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.note(type, flags, streamId, bytes, start, end);
  }

  onFault(): void {}

  private note(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): SeenFrame {
    const seen = { type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)), fields: [] };
    this.frames.push(seen);
    return seen;
  }
}

/** A client that has said its preface and its settings. */
export async function rawClient(port: number, settings: Buffer = Buffer.alloc(0)): Promise<RawPeer> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  const peer = new RawPeer(socket);
  peer.send(clientPreface, frame(FrameType.settings, 0, 0, settings));
  return peer;
}

/** A server whose connections do as `behave` says; it has sent its settings. */
export async function rawServer(
  behave: (peer: RawPeer) => void,
  settings: Buffer = Buffer.alloc(0),
): Promise<{ port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const peer = new RawPeer(socket, true);
    peer.send(frame(FrameType.settings, 0, 0, settings));
    behave(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
