import { connect, type Socket } from "node:net";

/** One bidirectional gRPC call on a connection of its own. */
export interface RawStream {
  /** A message in parts, which are written as they are: what many clients say alike is framed once (`frame`). */
  write(parts: readonly Buffer[]): void;
  close(): void;
}

export interface RawStreamOptions {
  /** `host:port`, plain text. */
  target: string;
  path: string;
  onMessage(bytes: Buffer): void;
  onError(error: Error): void;
}

const frameHead = 9;
/** The least that every peer takes. https://www.rfc-editor.org/rfc/rfc9113#section-4.2 */
const maxFrame = 16_384;
const maxWindow = 2 ** 31 - 1;
const Type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 };

function frameOf(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHead);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** DATA frames of the one stream, ready to be sent. */
export function frame(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += maxFrame) {
    frames.push(frameOf(Type.data, 0, 1, bytes.subarray(at, at + maxFrame)));
  }
  return frames;
}

/** What stands before a message of so many bytes. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function messageHead(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return head;
}

const settings = (id: number, value: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
};

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);

/** Literals without indexing, names by the static table. https://www.rfc-editor.org/rfc/rfc7541#appendix-A */
const requestHead = (path: string, authority: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04]), // :method POST, :scheme http, :path
    text(path),
    Buffer.from([0x01]),
    text(authority),
    Buffer.from([0x0f, 0x10]),
    text("application/grpc"),
    Buffer.from([0x00]),
    text("te"),
    text("trailers"),
  ]);

/**
 * HTTP/2 with the least that a call needs, so that thousands of clients cost the machine little beside the server that is measured: prepared frames, within the
 * server's windows. Ours are without end.
 */
export function openRawStream({ target, path, onMessage, onError }: RawStreamOptions): RawStream {
  const [host = "", port] = target.split(":");
  const socket: Socket = connect({ host, port: Number(port), noDelay: true });
  const waiting: Buffer[] = [];
  const windows = { connection: 65_535, stream: 65_535 };
  const reader = new FrameReader();
  const messages = new MessageReader(onMessage);
  let closed = false;

  const fail = (reason: string): void => {
    if (closed) return;
    closed = true;
    socket.destroy();
    onError(new Error(reason));
  };
  const flush = (): void => {
    let sent = 0;
    socket.cork();
    for (const next of waiting) {
      const length = next.length - frameHead;
      if (length > windows.connection || length > windows.stream) break;
      windows.connection -= length;
      windows.stream -= length;
      socket.write(next);
      sent++;
    }
    socket.uncork();
    waiting.splice(0, sent);
  };
  const onFrame = (type: number, flags: number, stream: number, payload: Buffer): void => {
    if (type === Type.data) messages.take(payload);
    else if (type === Type.windowUpdate) {
      windows[stream === 0 ? "connection" : "stream"] += payload.readUInt32BE();
      flush();
    } else if (type === Type.settings && (flags & 1) === 0) {
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) === 4) windows.stream += payload.readUInt32BE(at + 2) - 65_535;
      }
      socket.write(frameOf(Type.settings, 1, 0, Buffer.alloc(0)));
      flush();
    } else if (type === Type.ping && (flags & 1) === 0) socket.write(frameOf(Type.ping, 1, 0, payload));
    else if (type === Type.headers && (flags & 1) === 1) fail(`the call has ended: ${payload.toString("latin1")}`);
    else if (type === Type.reset || type === Type.goAway) fail(`frame ${type} with ${payload.toString("hex")}`);
  };

  socket.on("data", (bytes: Buffer) => reader.take(bytes, onFrame));
  socket.on("error", (error) => fail(error.message));
  socket.on("close", () => fail("the connection was closed"));
  socket.write(
    Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frameOf(Type.settings, 0, 0, settings(4, maxWindow)),
      frameOf(Type.windowUpdate, 0, 0, number(maxWindow - 65_535)),
      frameOf(Type.headers, 4, 1, requestHead(path, target)),
    ]),
  );
  return {
    write(parts) {
      for (const part of parts) waiting.push(part);
      flush();
    },
    close() {
      closed = true;
      socket.destroy();
    },
  };
}

/** Frames out of what a socket brings. */
class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  take(bytes: Buffer, onFrame: (type: number, flags: number, stream: number, payload: Buffer) => void): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (all.length - at >= frameHead) {
      const end = at + frameHead + all.readUIntBE(at, 3);
      if (end > all.length) break;
      onFrame(
        all[at + 3] ?? 0,
        all[at + 4] ?? 0,
        all.readUInt32BE(at + 5) & maxWindow,
        all.subarray(at + frameHead, end),
      );
      at = end;
    }
    this.#rest = all.subarray(at);
  }
}

/** gRPC messages out of DATA frames. */
class MessageReader {
  readonly #onMessage: (bytes: Buffer) => void;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(onMessage: (bytes: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  take(payload: Buffer): void {
    this.#parts.push(payload);
    this.#bytes += payload.length;
    while (this.#bytes >= 5) {
      const head = this.#parts[0] && this.#parts[0].length >= 5 ? this.#parts[0] : this.#join();
      const end = 5 + head.readUInt32BE(1);
      if (this.#bytes < end) return;
      const all = this.#join();
      this.#parts = [all.subarray(end)];
      this.#bytes -= end;
      this.#onMessage(all.subarray(5, end));
    }
  }

  #join(): Buffer {
    const [only] = this.#parts;
    const all = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }
}
