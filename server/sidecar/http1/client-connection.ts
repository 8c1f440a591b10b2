import type { Socket } from "node:net";
import { headerLines } from "../http/headers.ts";
import {
  type ClientConnection,
  type ClientConnectionOwner,
  type Fields,
  plainConnect,
  type StreamRequestHead,
  type StreamReset,
  type StreamResponseHead,
  type UpstreamHandler,
  type UpstreamStream,
} from "../http/stream.ts";
import { ParseEvent, ResponseParser } from "./parser.ts";
import { sendMessage } from "./send.ts";
import { tellData } from "./tell-data.ts";

/** A socket that is connecting, and what goes with it. */
export interface ClientSocket {
  readonly socket: Socket;
  /** The event after which it can be used. */
  readonly ready: "connect" | "secureConnect";
  /** Names what an `error` event says. */
  failure(error: Error): string;
  /** What it means when the peer ends before it said anything, where that is more than an end. */
  readonly endedUnheard: string;
}

/** What a connection needs of its pool. */
export interface Http1ClientIo {
  /** Opens the socket; whatever it reads goes to `onRead`, which keeps nothing of the buffer. */
  open(onRead: (bytes: Buffer, length: number) => void): ClientSocket;
  readonly stats: {
    readonly txBytes: { inc(by: number): void };
    readonly rxBytes: { inc(by: number): void };
    readonly rqRxReset: { inc(): void };
    readonly cxProtocolError: { inc(): void };
  };
}

/** One HTTP/1.1 connection to an endpoint: one stream at a time. */
export class Http1ClientConnection implements ClientConnection {
  readonly protocol = "HTTP/1.1";
  private readonly io: Http1ClientIo;
  private readonly owner: ClientConnectionOwner;
  private readonly parser = new ResponseParser();
  private readonly socket: Socket;
  private stream: Http1ClientStream | undefined = undefined;
  private connected = false;
  private draining = false;
  private closed = false;
  private failure = "";
  /** Whether any byte came back. */
  private heard = false;

  constructor(io: Http1ClientIo, owner: ClientConnectionOwner) {
    this.io = io;
    this.owner = owner;
    const opened = io.open((bytes, length) => this.onRead(bytes, length));
    const { socket } = opened;
    this.socket = socket;
    socket.once(opened.ready, () => this.onConnect());
    socket.on("error", (error) => {
      this.failure ||= opened.failure(error);
    });
    socket.on("end", () => this.close(!this.heard && opened.endedUnheard !== "" ? opened.endedUnheard : remoteClose));
    socket.on("close", () => this.close(this.failure || "closed"));
    socket.on("drain", () => this.stream?.handler.onDrain());
  }

  get capacity(): number {
    return this.connected && !this.closed && !this.draining && this.stream === undefined ? 1 : 0;
  }

  get active(): number {
    return this.stream === undefined ? 0 : 1;
  }

  newStream(handler: UpstreamHandler): UpstreamStream {
    this.stream = new Http1ClientStream(this, handler);
    return this.stream;
  }

  drain(): void {
    this.draining = true;
    if (this.stream === undefined) this.close("drained");
  }

  /** Tells stream and owner once. */
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    const { stream } = this;
    this.stream = undefined;
    this.owner.onClosed(this, reason, this.connected);
    if (stream !== undefined) this.breakOff(stream, reason);
  }

  /** Writes a head and a slice in one go. @returns false when the peer reads too slowly: stop until onDrain */
  write(head: string, bytes: Buffer | undefined, start: number, end: number): boolean {
    this.io.stats.txBytes.inc(head.length + end - start);
    return sendMessage(this.socket, head, bytes, start, end);
  }

  /** A stream's request is on its way: what comes is its response. */
  expect(toHead: boolean, toTunnel: boolean): void {
    this.parser.toHead = toHead;
    this.parser.toTunnel = toTunnel;
  }

  decode(): void {
    this.parser.decode();
  }

  isCurrent(stream: Http1ClientStream): boolean {
    return this.stream === stream;
  }

  /** The stream is not wanted any more: nothing else could tell the peer. */
  abandon(stream: Http1ClientStream, reason: string): void {
    if (this.stream !== stream) return;
    this.stream = undefined;
    this.close(reason);
  }

  /** Our half of a tunnel is over; the peer's goes on. */
  endTunnel(stream: Http1ClientStream): void {
    if (this.stream === stream) this.socket.end();
  }

  pause(stream: Http1ClientStream): void {
    if (this.stream === stream) this.socket.pause();
  }

  resume(stream: Http1ClientStream): void {
    if (this.stream === stream) this.socket.resume();
  }

  private onConnect(): void {
    if (this.closed) return;
    this.connected = true;
    this.owner.onConnected(this);
  }

  private onRead(bytes: Buffer, length: number): void {
    if (this.closed) return;
    this.heard = true;
    this.io.stats.rxBytes.inc(length);
    const { stream } = this;
    // Bytes that nobody asked for could be taken as the answer to the next request: response splitting.
    if (stream?.begun !== true) this.close("unsolicited data");
    else if (stream.tunnel) {
      stream.handler.onData(bytes, 0, length);
      stream.handler.onReadComplete();
    } else this.parse(stream, bytes, length);
  }

  private parse(stream: Http1ClientStream, bytes: Buffer, end: number): void {
    const { parser } = this;
    const { handler } = stream;
    let at = 0;
    // A stream that is over, by the handler's own doing too, leaves the rest to nobody.
    while (this.stream === stream) {
      const event = parser.next(bytes, at, end);
      at = parser.position;
      switch (event) {
        case ParseEvent.needMore:
          handler.onReadComplete();
          return;
        case ParseEvent.head:
          this.onHead(stream, bytes, at, end);
          if (stream.tunnel) return;
          break;
        case ParseEvent.body:
          tellData(handler, parser, bytes);
          break;
        case ParseEvent.done:
          if (parser.head.status < 200) break;
          this.onDone(stream, at === end);
          handler.onEnd(parser.trailers);
          return;
        default:
          this.io.stats.cxProtocolError.inc();
          this.fail(stream, "protocol_error");
          return;
      }
    }
  }

  private onHead(stream: Http1ClientStream, bytes: Buffer, at: number, end: number): void {
    const { parser } = this;
    const { headers } = parser.head;
    // Any 2xx opens the tunnel of a CONNECT, and has no body (RFC 9110, 9.3.6).
    const opens = stream.connects && parser.head.status >= 200 && parser.head.status < 300;
    const status = opens ? 101 : parser.head.status;
    if (status < 200 && status !== 101) {
      stream.handler.onInformational(status, headers);
      return;
    }
    if (status === 101 && !stream.upgrade) {
      this.io.stats.cxProtocolError.inc();
      this.fail(stream, "protocol_error");
      return;
    }
    const { contentLength, chunked, bytes: size } = parser.head;
    const head: StreamResponseHead = { status, headers, contentLength, bytes: size, chunked };
    stream.answered = true;
    if (status === 101 || parser.opensTunnel) {
      parser.skipDone();
      stream.tunnel = true;
      stream.handler.onHead(head, false);
      if (at < end && this.stream === stream) stream.handler.onData(bytes, at, end);
      if (this.stream === stream) stream.handler.onReadComplete();
    } else if (parser.atEnd) {
      parser.skipDone();
      this.onDone(stream, at === end);
      stream.handler.onHead(head, true);
    } else stream.handler.onHead(head, false);
  }

  /** The response is whole. The next request may have this connection only if both sides are done with this one. */
  private onDone(stream: Http1ClientStream, nothingLeft: boolean): void {
    const reusable = nothingLeft && stream.requestDone && this.parser.head.keepAlive && !this.draining;
    this.stream = undefined;
    if (this.socket.isPaused()) this.socket.resume();
    if (reusable) this.owner.onCapacity(this);
    else this.close("not reusable");
  }

  private fail(stream: Http1ClientStream, reason: StreamReset): void {
    this.stream = undefined;
    this.close(reason);
    stream.handler.onReset(reason, "");
  }

  /** The connection went away under a stream. */
  private breakOff(stream: Http1ClientStream, reason: string): void {
    const { handler } = stream;
    const { parser, io } = this;
    if (reason === remoteClose && (stream.tunnel || parser.untilClose)) handler.onEnd(undefined);
    else if (parser.inMessage && (!stream.answered || reason === remoteClose || reason === remoteReset)) {
      // Some of an answer is another thing than none: Envoy's codec finds it broken.
      io.stats.cxProtocolError.inc();
      if (reason === remoteReset && stream.answered) io.stats.rqRxReset.inc();
      handler.onReset("protocol_error", "");
    } else handler.onReset("connection_termination", reason);
  }
}

const remoteClose = "remote close";
const remoteReset = "ECONNRESET";

/** One request on a connection; it may be held on to after its end, and does nothing then. */
class Http1ClientStream implements UpstreamStream {
  readonly handler: UpstreamHandler;
  begun = false;
  requestDone = false;
  answered = false;
  /** Bytes pass as they are. */
  tunnel = false;
  upgrade = false;
  connects = false;
  private readonly connection: Http1ClientConnection;
  /** A head or framing not yet written: it goes out with the first data. */
  private pending = "";
  /** Data are put into chunks here. */
  private encode = false;

  constructor(connection: Http1ClientConnection, handler: UpstreamHandler) {
    this.connection = connection;
    this.handler = handler;
  }

  sendHead(head: StreamRequestHead, end: boolean): void {
    this.begun = true;
    this.requestDone = end;
    this.upgrade = head.upgrade !== "";
    const chunked = head.chunked === true;
    this.connects = head.upgrade === plainConnect;
    // An extended CONNECT of HTTP/2 is a GET with Upgrade here (RFC 8441, 5).
    const method = this.upgrade && !this.connects && head.method === "CONNECT" ? "GET" : head.method;
    const target = method === "CONNECT" ? head.authority : head.path;
    let text = `${method} ${target} HTTP/1.1\r\nhost: ${head.authority}\r\n${headerLines(head.headers)}`;
    if (chunked && !end) text += "transfer-encoding: chunked\r\n";
    else if (head.contentLength < 0 && !this.upgrade && head.tunnel !== true) {
      if (!end) {
        this.encode = true;
        text += "transfer-encoding: chunked\r\n";
      } else if (!bodiless.has(head.method)) text += "content-length: 0\r\n";
    }
    if (this.upgrade && !this.connects) text += `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`;
    this.pending = `${text}\r\n`;
    this.connection.expect(method === "HEAD", head.tunnel === true);
    if (end) this.flush();
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    if (!this.connection.isCurrent(this)) return true;
    if (!this.encode) return this.write(bytes, start, end);
    this.pending += `${(end - start).toString(16)}\r\n`;
    this.write(bytes, start, end);
    this.pending = "\r\n";
    return this.flush();
  }

  sendEnd(trailers: Fields | undefined): void {
    this.requestDone = true;
    if (this.tunnel) {
      this.connection.endTunnel(this);
      return;
    }
    if (this.encode) this.pending += `0\r\n${trailers === undefined ? "" : headerLines(trailers)}\r\n`;
    this.flush();
  }

  flush(): boolean {
    return this.pending === "" || this.write(undefined, 0, 0);
  }

  reset(): void {
    this.connection.abandon(this, "cancelled");
  }

  pause(): void {
    this.connection.pause(this);
  }

  resume(): void {
    this.connection.resume(this);
  }

  decode(): void {
    if (this.connection.isCurrent(this)) this.connection.decode();
  }

  private write(bytes: Buffer | undefined, start: number, end: number): boolean {
    const head = this.pending;
    this.pending = "";
    return !this.connection.isCurrent(this) || this.connection.write(head, bytes, start, end);
  }
}

/** RFC 9110, 8.6: a request whose method foresees content says so when it has none; of these Envoy expects none. */
const bodiless = new Set(["GET", "HEAD", "DELETE", "TRACE", "CONNECT"]);
