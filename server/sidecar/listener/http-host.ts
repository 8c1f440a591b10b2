import type { Socket } from "node:net";
import type { DownstreamFacts, DownstreamHandler, DownstreamStream, StreamRequestHead } from "../http/stream.ts";
import {
  Http1ServerConnection,
  type Http1ServerHost,
  type Http1ServerSettings,
  type Refusal,
} from "../http1/server-connection.ts";
import type { Http1ServerStream } from "../http1/server-stream.ts";
import { ResponseFlag } from "../record.ts";
import { Exchange } from "../request/exchange.ts";
import type { HttpManager } from "../request/manager.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import type { Accepted } from "./accepted.ts";
import { AnsweredStream } from "./answered-stream.ts";
import { Http2Accepted } from "./http2-accepted.ts";
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
    const flags = refusal.protocolError ? ResponseFlag.downstreamProtocolError : 0;
    exchange.reply(refusal.status, refusal.body, refusal.details, flags);
  }

  onRefusedByCodec(head: StreamRequestHead, status: number, details: string, facts: DownstreamFacts): void {
    const exchange = new Exchange(new AnsweredStream(facts), this.manager, head, true);
    exchange.reply(status, "", details, ResponseFlag.downstreamProtocolError);
  }

  onClosed(connection: Http1ServerConnection): void {
    this.owner.onClosed(connection);
  }

  private http1(socket: Socket, tls: TlsConnection | undefined): Http1ServerConnection {
    socket.allowHalfOpen = false;
    return new Http1ServerConnection(socket, this, tls);
  }

  private http2(socket: Socket, tls: TlsConnection | undefined): Http2Accepted {
    return new Http2Accepted(socket, this, tls, (accepted) => this.owner.onClosed(accepted));
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
