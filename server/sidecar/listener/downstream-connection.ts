import type { Socket } from "node:net";
import { Exchange } from "../exchange/exchange.ts";
import { statusLine } from "../exchange/status-text.ts";
import { type HttpParseError, statusOf } from "../http1/errors.ts";
import { ParseEvent, RequestParser } from "../http1/parser.ts";
import { sendMessage } from "../http1/send.ts";
import { ResponseFlag } from "../record.ts";
import { WheelTimer } from "../timer-wheel.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import type { HttpManager } from "./manager.ts";

/** What a connection needs of its listener. */
export interface ConnectionHost {
  /** The manager in force for new requests: config updates reach open connections. */
  readonly manager: HttpManager;
  onConnectionClosed(connection: DownstreamConnection): void;
}

/** One client connection: reads requests one after the other, in order, and writes what their exchanges say. */
export class DownstreamConnection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Undefined: plain text. */
  readonly tls: TlsConnection | undefined;
  /** Monotonic ms of the last byte either way. */
  lastActivity: number;
  /** Monotonic ms of the last request begun. */
  requestedAt = 0;
  /** No further request after the current one. */
  draining = false;
  private readonly socket: Socket;
  private readonly host: ConnectionHost;
  private readonly manager: HttpManager;
  private readonly parser: RequestParser;
  private readonly createdAt: number;
  private readonly timer: WheelTimer;
  private exchange: Exchange | undefined = undefined;
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

  constructor(socket: Socket, host: ConnectionHost, tls: TlsConnection | undefined) {
    this.socket = socket;
    this.tls = tls;
    this.host = host;
    const manager = host.manager;
    this.manager = manager;
    this.parser = new RequestParser(manager.limits);
    this.remoteAddress = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = socket.localAddress ?? "";
    this.localPort = socket.localPort ?? 0;
    this.createdAt = performance.now();
    this.lastActivity = this.createdAt;
    this.timer = new WheelTimer(() => this.onTimer());
    manager.stats.cxTotal.inc();
    manager.stats.cxActive.add(1);
    socket.on("data", (bytes: Buffer) => this.onData(bytes));
    socket.on("end", () => this.onEnd());
    // The reason does not matter: a broken client connection is a closed one.
    socket.on("error", () => {});
    socket.on("close", () => this.destroy());
    socket.on("drain", () => this.onDrain());
    this.armTimer();
  }

  get idle(): boolean {
    return this.exchange === undefined && !this.parser.inMessage;
  }

  /** @returns false when the client reads too slowly: stop until the exchange's router hears of the drain */
  send(head: string, bytes: Buffer | undefined, start: number, end: number): boolean {
    if (this.destroyed) return true;
    this.manager.stats.cxTxBytes.inc(head.length + end - start);
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

  /** From now on bytes pass as they are, those that came early included. */
  startTunnel(): void {
    this.tunnel = true;
    const early = this.leftover;
    this.leftover = undefined;
    if (early !== undefined) this.onTunnelData(early);
    this.resumeReading();
  }

  /** No further request after the next answer, which says so. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.manager.stats.cxDrainClose.inc();
  }

  closeIdle(): void {
    if (this.idle) this.closeGracefully();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.closing = true;
    this.leftover = undefined;
    this.timer.cancel();
    const { exchange, manager } = this;
    this.socket.destroy();
    exchange?.onDownstreamClose();
    manager.stats.cxActive.add(-1);
    manager.stats.cxDestroy.inc();
    manager.stats.cxLength.record(performance.now() - this.createdAt);
    this.host.onConnectionClosed(this);
  }

  private onDrain(): void {
    if (this.exchange !== undefined) this.exchange.router.onDownstreamDrain();
    else this.nextRequest();
  }

  /** The current exchange is done. */
  exchangeFinished(exchange: Exchange, keepAlive: boolean): void {
    if (this.exchange === exchange) this.exchange = undefined;
    if (this.destroyed) return;
    this.lastActivity = performance.now();
    if (!keepAlive || this.closing || this.tunnel) {
      this.closeGracefully();
      return;
    }
    this.nextRequest();
    this.armTimer();
  }

  private nextRequest(): void {
    if (this.closing) return;
    const rest = this.leftover;
    if (rest !== undefined && !this.processing) {
      this.leftover = undefined;
      this.process(rest, 0);
    }
    this.resumeReading();
  }

  /** Like Envoy, a client that finishes while it waits is gone; but one that has its whole answer on the way still gets it. */
  private onEnd(): void {
    if (this.exchange === undefined && this.socket.writableLength > 0) this.closeGracefully();
    else this.destroy();
  }

  private onData(bytes: Buffer): void {
    const now = performance.now();
    this.lastActivity = now;
    this.manager.stats.cxRxBytes.inc(bytes.length);
    if (this.closing) return;
    if (this.tunnel) {
      this.onTunnelData(bytes);
      return;
    }
    if (this.leftover !== undefined) {
      // Paused sockets may still deliver what was on its way.
      this.leftover = Buffer.concat([this.leftover, bytes]);
      return;
    }
    this.process(bytes, 0);
  }

  private onTunnelData(bytes: Buffer): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    exchange.record.requestBodyBytes += bytes.length;
    exchange.router.onTunnelData(bytes);
  }

  private process(bytes: Buffer, from: number): void {
    this.processing = true;
    const { parser } = this;
    const end = bytes.length;
    let at = from;
    while (!this.closing) {
      const exchange = this.exchange;
      if (exchange?.requestDone === true) {
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
      if (event === ParseEvent.head) this.beginExchange();
      else if (event === ParseEvent.body)
        exchange?.onRequestBody(bytes, parser.bodyStart, parser.bodyEnd, parser.bodyBytes);
      else if (event === ParseEvent.done) this.requestEnd();
      else this.protocolError(parser.error ?? "http1.codec_error");
    }
    this.processing = false;
    // A head that trickles in has its own, shorter limit.
    if (this.exchange === undefined && parser.inMessage && !this.closing) this.armTimer();
  }

  private beginExchange(): void {
    const { parser, host } = this;
    const { manager } = host;
    const { head } = parser;
    // Without a body the end is told before the exchange begins, so that one write carries the whole request.
    parser.skipDone();
    this.requests++;
    this.requestedAt = this.lastActivity;
    const limit = manager.options.maxRequestsPerConnection;
    if (limit > 0 && this.requests >= limit) this.draining = true;
    if (manager.options.maxConnectionMs > 0 && this.lastActivity - this.createdAt > manager.options.maxConnectionMs) {
      this.draining = true;
    }
    const exchange = new Exchange(this, manager, head, this.messageStart);
    this.exchange = exchange;
    if (head.connect) exchange.reply(403, "", "connect_not_supported", 0);
    else if (head.minor === 0 && !manager.options.acceptHttp10) exchange.reply(426, "", "low_version", 0);
    else if (exchange.authority === "") exchange.reply(400, "", "missing_host_header", 0);
    else {
      // Envoy answers the expectation itself, so that the upstream never needs to.
      if (head.expectContinue) this.send("HTTP/1.1 100 Continue\r\n\r\n", undefined, 0, 0);
      if (!exchange.hasBody) this.requestEnd();
      exchange.begin();
      this.armTimer();
    }
  }

  private requestEnd(): void {
    const { exchange } = this;
    if (exchange === undefined || exchange.requestDone) return;
    exchange.onRequestEnd(this.parser.bodyBytes);
  }

  private hold(rest: Buffer): void {
    this.leftover = rest;
    this.pauseReading();
  }

  /** 400 and close, or a break when a response has begun. */
  private protocolError(error: HttpParseError): void {
    const { exchange, manager } = this;
    manager.stats.cxProtocolError.inc();
    if (exchange !== undefined) {
      this.closing = true;
      exchange.reply(400, "Bad Request", error, ResponseFlag.downstreamProtocolError);
      return;
    }
    this.refuse(statusOf(error), error, ResponseFlag.downstreamProtocolError);
  }

  /** Answers something that never became a request; it is logged all the same. */
  private refuse(status: number, details: string, flag: number, body = statusLine(status).slice(13, -2)): void {
    const { manager } = this.host;
    const exchange = new Exchange(this, manager, unreadable, this.messageStart);
    exchange.record.protocol = "HTTP/1.1";
    this.exchange = exchange;
    this.closing = true;
    exchange.reply(status, body, details, flag);
  }

  /** Sends what is written, then FIN, and waits a little so that unread bytes do not turn the response into a reset (RFC 9112, 9.6). */
  private closeGracefully(): void {
    this.closing = true;
    this.leftover = undefined;
    if (this.destroyed) return;
    this.socket.end();
    this.socket.resume();
    this.manager.timers.arm(this.timer, this.manager.options.delayedCloseMs);
  }

  private armTimer(): void {
    const limit = this.limitMs();
    if (limit === 0) return;
    // Re-armed lazily, when it fires; only an earlier limit needs the timer moved.
    if (this.timer.armed && this.armedLimit <= limit) return;
    this.armedLimit = limit;
    this.host.manager.timers.arm(this.timer, limit);
  }
  private armedLimit = 0;

  /** The limit that holds now: between requests, while a head arrives, or within an exchange. */
  private limitMs(): number {
    const { options } = this.host.manager;
    const { exchange } = this;
    if (exchange !== undefined) {
      const action = exchange.route?.action;
      return (action?.kind === "forward" ? action.idleTimeoutMs : undefined) ?? options.streamIdleMs;
    }
    if (this.requests > 0 && !this.parser.inMessage) return options.connectionIdleMs;
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
    // A head that trickles in has a deadline; everything else an idle limit.
    const since = this.exchange === undefined && this.parser.inMessage ? this.messageStart : this.lastActivity;
    const left = since + limit - performance.now();
    if (left > 0) {
      this.armedLimit = limit;
      this.manager.timers.arm(this.timer, left);
      return;
    }
    this.expire();
  }

  /** A slow reader gets the rest of its response, within the idle limit of a stream. */
  private onCloseTimer(): void {
    const { options, timers } = this.manager;
    const patient = options.streamIdleMs === 0 || performance.now() - this.lastActivity < options.streamIdleMs;
    if (this.socket.writableLength > 0 && patient) timers.arm(this.timer, options.delayedCloseMs);
    else this.destroy();
  }

  private expire(): void {
    const { exchange, manager } = this;
    if (exchange !== undefined) {
      manager.stats.rqIdleTimeout.inc();
      const status = exchange.requestDone ? 504 : 408;
      exchange.reply(status, "stream timeout", "stream_idle_timeout", ResponseFlag.streamIdleTimeout);
    } else if (this.parser.inMessage) {
      manager.stats.rqTimeout.inc();
      this.refuse(408, "request_header_timeout", 0, "request header timeout");
    } else {
      manager.stats.cxIdleTimeout.inc();
      this.closeGracefully();
    }
  }
}

const unreadable = {
  minor: 1,
  headers: [],
  contentLength: -1,
  chunked: false,
  keepAlive: false,
  upgrade: "",
  bytes: 0,
  method: "",
  path: "",
  authority: "",
  expectContinue: false,
  connect: false,
};
