import type { Socket } from "node:net";
import type { DownstreamHandler, DownstreamStream, StreamRequestHead } from "../http/stream.ts";
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

/** An HTTP filter chain as its connections see it: makes requests of their streams. The manager in force changes underneath them. */
export class HttpHost implements Http1ServerHost {
  manager: HttpManager;
  private readonly onConnectionClosed: (connection: Http1ServerConnection) => void;

  constructor(manager: HttpManager, onConnectionClosed: (connection: Http1ServerConnection) => void) {
    this.manager = manager;
    this.onConnectionClosed = onConnectionClosed;
  }

  get settings(): Http1ServerSettings {
    return this.manager;
  }

  serve(socket: Socket, tls: TlsConnection | undefined): Http1ServerConnection {
    const { stats } = this.manager;
    const openedAt = performance.now();
    stats.cxTotal.inc();
    stats.cxActive.add(1);
    socket.once("close", () => {
      stats.cxActive.add(-1);
      stats.cxDestroy.inc();
      stats.cxLength.record(performance.now() - openedAt);
    });
    return new Http1ServerConnection(socket, this, tls);
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

  onClosed(connection: Http1ServerConnection): void {
    this.onConnectionClosed(connection);
  }
}
