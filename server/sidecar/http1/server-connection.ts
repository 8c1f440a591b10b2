import type { Socket } from "node:net";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import { addressesOf, type Proxied } from "../http/addresses.ts";
import { type DownstreamFacts, plainConnect, type StreamRequestHead, type StreamServer } from "../http/stream.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import { type HttpParseError, statusOf } from "./errors.ts";
import { ParseEvent, type ParserLimits, RequestParser } from "./parser.ts";
import { sendMessage } from "./send.ts";
import { Http1ServerStream } from "./server-stream.ts";
import { statusLine } from "./status-line.ts";
import { tellData } from "./tell-data.ts";

/** What a connection needs of its connection manager. */
export interface Http1ServerSettings {
  readonly limits: ParserLimits;
  readonly timers: { arm(timer: WheelTimer, ms: number): void };
  readonly options: {
    /** Limits of 0 are off. */
    readonly streamIdleMs: number;
    readonly connectionIdleMs: number;
    readonly requestHeadersMs: number;
    readonly maxConnectionMs: number;
    readonly maxRequestsPerConnection: number;
    readonly delayedCloseMs: number;
  };
  readonly stats: {
    readonly cxTxBytes: { inc(by: number): void };
    readonly cxRxBytes: { inc(by: number): void };
    readonly cxProtocolError: { inc(): void };
    readonly cxIdleTimeout: { inc(): void };
    readonly cxDrainClose: { inc(): void };
    readonly rqTimeout: { inc(): void };
  };
}

export interface Http1ServerHost extends StreamServer {
  /** In force for new requests: config updates reach open connections. */
  readonly settings: Http1ServerSettings;
  /** Answers and logs something that never became a request. */
  onRefused(stream: Http1ServerStream, head: StreamRequestHead, refusal: Refusal): void;
  onClosed(connection: Http1ServerConnection): void;
}

export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly details: string;
  readonly protocolError: boolean;
}

/** One client connection: reads requests one after the other, in order, and makes streams of them. */
export class Http1ServerConnection implements DownstreamFacts {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly proxied: Proxied | undefined;
  readonly tls: TlsConnection | undefined;
  draining = false;
  /** Monotonic ms of the last request begun. */
  requestedAt = 0;
  private readonly socket: Socket;
  private readonly host: Http1ServerHost;
  private readonly settings: Http1ServerSettings;
  private readonly parser: RequestParser;
  private readonly createdAt: number;
  private readonly timer: WheelTimer;
  private stream: Http1ServerStream | undefined = undefined;
  /** Monotonic ms of the last byte either way. */
  private lastActivity: number;
  /** When the message being read began; requests are timed from their first byte. */
  private messageStart = 0;
  private requests = 0;
  /** Bytes of requests to come, while one is being answered. At most what one read brought. */
  private leftover: Buffer | undefined = undefined;
  private processing = false;
  private tunnel = false;
  /** Nothing more is read or answered; only what is written goes out. */
  private closing = false;
  private destroyed = false;
  private paused = false;
  private armedLimit = 0;

  constructor(socket: Socket, host: Http1ServerHost, tls: TlsConnection | undefined) {
    this.socket = socket;
    this.tls = tls;
    this.host = host;
    this.settings = host.settings;
    this.parser = new RequestParser(this.settings.limits);
    const { remoteAddress, remotePort, localAddress, localPort, proxied } = addressesOf(socket);
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.proxied = proxied;
    this.createdAt = performance.now();
    this.lastActivity = this.createdAt;
    this.timer = new WheelTimer(() => this.onTimer());
    socket.on("data", (bytes: Buffer) => this.onData(bytes));
    socket.on("end", () => this.onEnd());
    // The reason does not matter: a broken client connection is a closed one.
    socket.on("error", () => {});
    socket.on("close", () => this.destroy());
    socket.on("drain", () => this.onDrain());
    this.armTimer();
  }

  /** Bytes that were read before it was known which protocol they are of. */
  receive(bytes: Buffer): void {
    this.onData(bytes);
  }

  /** @returns false when the client reads too slowly: stop until the handler hears of the drain */
  write(head: string, bytes: Buffer | undefined, start: number, end: number): boolean {
    if (this.destroyed) return true;
    this.settings.stats.cxTxBytes.inc(head.length + end - start);
    return sendMessage(this.socket, head, bytes, start, end);
  }

  pauseReading(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    if (!this.paused || this.leftover !== undefined) return;
    this.paused = false;
    this.socket.resume();
  }

  decode(): void {
    this.parser.decode();
  }

  /** From now on bytes pass as they are, those that came early included. */
  startTunnel(): void {
    this.tunnel = true;
    const early = this.leftover;
    this.leftover = undefined;
    if (early !== undefined) queueMicrotask(() => this.stream?.handler?.onData(early, 0, early.length));
    this.resumeReading();
  }

  /** No further request after the next answer, which says so. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.settings.stats.cxDrainClose.inc();
  }

  closeIdle(): void {
    if (this.stream === undefined && !this.parser.inMessage) this.closeGracefully();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.closing = true;
    this.leftover = undefined;
    this.timer.cancel();
    const { stream } = this;
    this.stream = undefined;
    this.socket.destroy();
    stream?.onClosed();
    this.host.onClosed(this);
  }

  /** The response of a stream is written. */
  finished(stream: Http1ServerStream, keepAlive: boolean): void {
    if (this.stream === stream) this.stream = undefined;
    if (this.destroyed) return;
    this.lastActivity = performance.now();
    if (!keepAlive || this.closing || this.tunnel) {
      this.closeGracefully();
      return;
    }
    // The next one begins after whoever has just answered is done with this one.
    if (this.leftover !== undefined) queueMicrotask(() => this.nextRequest());
    else this.resumeReading();
    this.armTimer();
  }

  private onDrain(): void {
    this.lastActivity = performance.now();
    if (this.stream !== undefined) this.stream.handler?.onDrain();
    else this.nextRequest();
  }

  private nextRequest(): void {
    if (this.closing || this.stream !== undefined) return;
    const rest = this.leftover;
    if (rest !== undefined && !this.processing) {
      this.leftover = undefined;
      this.process(rest, 0);
    }
    this.resumeReading();
  }

  /** Like Envoy, a client that finishes while it waits is gone; but one that has its whole answer on the way still gets it. */
  private onEnd(): void {
    if (this.stream === undefined && this.socket.writableLength > 0) this.closeGracefully();
    else this.destroy();
  }

  private onData(bytes: Buffer): void {
    this.lastActivity = performance.now();
    this.settings.stats.cxRxBytes.inc(bytes.length);
    if (this.closing) return;
    if (this.tunnel) this.stream?.handler?.onData(bytes, 0, bytes.length);
    // Paused sockets may still deliver what was on its way.
    else if (this.leftover !== undefined) this.leftover = Buffer.concat([this.leftover, bytes]);
    else this.process(bytes, 0);
  }

  private process(bytes: Buffer, from: number): void {
    this.processing = true;
    const { parser } = this;
    const end = bytes.length;
    let at = from;
    while (!this.closing) {
      const { stream } = this;
      if (stream?.requestDone === true) {
        // Pipelined: answered in order, one at a time (RFC 9112, 9.3.2).
        if (at < end) this.hold(bytes.subarray(at));
        break;
      }
      if (!parser.inMessage && at < end) {
        // Who does not read the answers to pipelined requests gets no more of them: they would pile up here.
        if (this.socket.writableNeedDrain) {
          this.hold(bytes.subarray(at));
          break;
        }
        this.messageStart = this.lastActivity;
      }
      const event = parser.next(bytes, at, end);
      at = parser.position;
      if (event === ParseEvent.needMore) break;
      if (event === ParseEvent.head) this.beginRequest();
      else if (event === ParseEvent.body) this.tellBody(stream, bytes);
      else if (event === ParseEvent.done) this.requestEnd(stream);
      else this.protocolError(parser.error ?? "http1.codec_error");
    }
    this.processing = false;
    // A head that trickles in has its own, shorter limit.
    if (this.stream === undefined && parser.inMessage && !this.closing) this.armTimer();
  }

  private tellBody(stream: Http1ServerStream | undefined, bytes: Buffer): void {
    if (stream?.handler !== undefined) tellData(stream.handler, this.parser, bytes);
  }

  private beginRequest(): void {
    const { parser, host } = this;
    const { options } = host.settings;
    const { head } = parser;
    // Without a body the end is told with the head, so that one write carries the whole request.
    // What follows a CONNECT is its tunnel's, as what follows an upgrade is.
    const end = parser.atEnd;
    parser.skipDone();
    this.requests++;
    this.requestedAt = this.lastActivity;
    const limit = options.maxRequestsPerConnection;
    const old = options.maxConnectionMs > 0 && this.lastActivity - this.createdAt > options.maxConnectionMs;
    if (old || (limit > 0 && this.requests >= limit)) this.draining = true;
    const request: StreamRequestHead = {
      method: head.method,
      path: head.path,
      authority: head.authority,
      scheme: "",
      headers: head.headers,
      contentLength: head.contentLength,
      upgrade: head.connect ? plainConnect : head.upgrade,
      bytes: head.bytes,
      receivedAt: this.messageStart,
      chunked: head.chunked,
    };
    const stream = new Http1ServerStream(
      this,
      head.minor === 0 ? "HTTP/1.0" : "HTTP/1.1",
      request,
      head.keepAlive,
      end,
    );
    this.stream = stream;
    // Envoy answers the expectation itself, so that the upstream never needs to.
    if (head.expectContinue) stream.sendInformational(100, []);
    stream.attach(host.onStream(stream, request, end));
  }

  private requestEnd(stream: Http1ServerStream | undefined): void {
    if (stream === undefined || stream.requestDone) return;
    stream.requestDone = true;
    stream.handler?.onEnd(this.parser.trailers);
  }

  private hold(rest: Buffer): void {
    this.leftover = rest;
    this.pauseReading();
  }

  /** 400 and close, or a break when a response has begun. */
  private protocolError(error: HttpParseError): void {
    this.settings.stats.cxProtocolError.inc();
    const { stream } = this;
    this.closing = true;
    if (stream !== undefined) stream.handler?.onBadRequest?.(400, "Bad Request", error);
    else this.refuse(statusOf(error), error, true);
  }

  private refuse(
    status: number,
    details: string,
    protocolError: boolean,
    body = statusLine(status).slice(13, -2),
  ): void {
    const head: StreamRequestHead = { ...unreadable, headers: [], receivedAt: this.messageStart };
    const stream = new Http1ServerStream(this, "HTTP/1.1", head, false, false);
    this.stream = stream;
    this.closing = true;
    this.host.onRefused(stream, head, { status, body, details, protocolError });
  }

  /** Sends what is written, then FIN, and waits a little so that unread bytes do not turn the response into a reset (RFC 9112, 9.6). */
  private closeGracefully(): void {
    this.closing = true;
    this.leftover = undefined;
    if (this.destroyed) return;
    this.socket.end();
    this.socket.resume();
    this.settings.timers.arm(this.timer, this.settings.options.delayedCloseMs);
  }

  private armTimer(): void {
    const limit = this.limitMs();
    if (limit === 0) return;
    // Re-armed lazily, when it fires; only an earlier limit needs the timer moved.
    if (this.timer.armed && this.armedLimit <= limit) return;
    this.armedLimit = limit;
    this.settings.timers.arm(this.timer, limit);
  }

  /** The limit that holds now, between requests or while a head arrives; a request under way has its own. */
  private limitMs(): number {
    const { options } = this.host.settings;
    if (this.stream !== undefined || (this.requests > 0 && !this.parser.inMessage)) return options.connectionIdleMs;
    const headMs = options.requestHeadersMs === 0 ? options.streamIdleMs : options.requestHeadersMs;
    return headMs === 0 ? options.connectionIdleMs : headMs;
  }

  private onTimer(): void {
    if (this.closing) {
      this.onCloseTimer();
      return;
    }
    const limit = this.limitMs();
    this.armedLimit = 0;
    if (limit === 0) return;
    const inHead = this.stream === undefined && this.parser.inMessage;
    // A head that trickles in has a deadline; between requests there is an idle limit.
    const since = this.stream !== undefined ? performance.now() : inHead ? this.messageStart : this.lastActivity;
    const left = since + limit - performance.now();
    if (left > 0) {
      this.armedLimit = limit;
      this.settings.timers.arm(this.timer, left);
      return;
    }
    if (inHead) {
      this.settings.stats.rqTimeout.inc();
      this.refuse(408, "request_header_timeout", false, "request header timeout");
    } else {
      this.settings.stats.cxIdleTimeout.inc();
      this.closeGracefully();
    }
  }

  /** A slow reader gets the rest of its response, within the idle limit of a stream. */
  private onCloseTimer(): void {
    const { options, timers } = this.settings;
    const patient = options.streamIdleMs === 0 || performance.now() - this.lastActivity < options.streamIdleMs;
    if (this.socket.writableLength > 0 && patient) timers.arm(this.timer, options.delayedCloseMs);
    else this.destroy();
  }
}

const unreadable = {
  method: "",
  path: "",
  authority: "",
  scheme: "",
  contentLength: -1,
  upgrade: "",
  bytes: 0,
};
