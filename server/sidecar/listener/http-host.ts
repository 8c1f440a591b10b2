import type { Socket } from "node:net";
import type { Http2ServerHost } from "../../http2/server-connection.ts";
import type { DownstreamHandler, DownstreamStream, StreamRequestHead } from "../http/stream.ts";
import {
  Http1ServerConnection,
  type Http1ServerHost,
  type Http1ServerSettings,
  type Refusal,
} from "../http1/server-connection.ts";
import type { Http1ServerStream } from "../http1/server-stream.ts";
import { DownstreamConnection, type DownstreamHttp2Stream } from "../http2/downstream-connection.ts";
import { ResponseFlag } from "../record.ts";
import { Exchange } from "../request/exchange.ts";
import type { HttpManager } from "../request/manager.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import type { Accepted } from "./accepted.ts";
import { ProtocolSniffer } from "./protocol-sniffer.ts";

/** Who keeps count of what a listener has accepted. */
export interface AcceptedOwner {
  /** A connection has become another thing: its protocol is known now. */
  onReplaced(before: Accepted, after: Accepted): void;
  onClosed(accepted: Accepted): void;
}

/** An HTTP filter chain as its connections see it: makes requests of their streams. The manager in force changes underneath them. */
export class HttpHost implements Http1ServerHost {
  manager: HttpManager;
  private readonly owner: AcceptedOwner;

  constructor(manager: HttpManager, owner: AcceptedOwner) {
    this.manager = manager;
    this.owner = owner;
  }

  get settings(): Http1ServerSettings {
    return this.manager;
  }

  /** @param alpn what the handshake agreed on; "": nothing */
  serve(socket: Socket, tls: TlsConnection | undefined, alpn: string): Accepted {
    const { stats, codec } = this.manager;
    const openedAt = performance.now();
    stats.cxTotal.inc();
    stats.cxActive.add(1);
    socket.once("close", () => {
      stats.cxActive.add(-1);
      stats.cxDestroy.inc();
      stats.cxLength.record(performance.now() - openedAt);
    });
    if (codec === "http1" || alpn === "http/1.1") return this.http1(socket, tls);
    if (codec === "http2" || alpn === "h2") return this.http2(socket, tls);
    return this.sniff(socket, tls);
  }

  onStream(stream: DownstreamStream, head: StreamRequestHead, end: boolean): DownstreamHandler {
    const exchange = new Exchange(stream, this.manager, head, end);
    exchange.begin();
    return exchange;
  }

  onRefused(stream: Http1ServerStream, head: StreamRequestHead, refusal: Refusal): void {
    const exchange = new Exchange(stream, this.manager, head, false);
    stream.attach(exchange);
    answer(exchange, refusal);
  }

  onClosed(connection: Http1ServerConnection): void {
    this.owner.onClosed(connection);
  }

  private http1(socket: Socket, tls: TlsConnection | undefined): Http1ServerConnection {
    socket.allowHalfOpen = false;
    return new Http1ServerConnection(socket, this, tls);
  }

  private http2(socket: Socket, tls: TlsConnection | undefined): DownstreamConnection {
    const { http2, stats, timers } = this.manager;
    stats.cxHttp2.inc();
    const host: Http2ServerHost<DownstreamHttp2Stream> = {
      onStream: (stream, head, end) => {
        stats.rqHttp2.inc();
        return this.onStream(stream, head, end);
      },
      onRefused: (stream, head, refusal) => {
        const exchange = new Exchange(stream, this.manager, head, false);
        answer(exchange, refusal);
        return exchange;
      },
      onClosed: (connection) => this.owner.onClosed(connection),
    };
    return new DownstreamConnection(socket, { options: http2, stats: stats.http2, timers }, host, tls);
  }

  private sniff(socket: Socket, tls: TlsConnection | undefined): ProtocolSniffer {
    const { options, timers } = this.manager;
    const timeoutMs = options.requestHeadersMs || options.streamIdleMs || options.connectionIdleMs;
    const sniffer = new ProtocolSniffer(socket, { timers, timeoutMs }, (protocol, bytes) => {
      if (protocol === undefined) {
        this.owner.onClosed(sniffer);
        return;
      }
      const connection = protocol === "http2" ? this.http2(socket, tls) : this.http1(socket, tls);
      this.owner.onReplaced(sniffer, connection);
      connection.receive(bytes);
    });
    return sniffer;
  }
}

function answer(exchange: Exchange, { status, body, details, protocolError }: Refusal): void {
  exchange.reply(status, body, details, protocolError ? ResponseFlag.downstreamProtocolError : 0);
}
