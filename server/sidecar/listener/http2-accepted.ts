import type { Socket } from "node:net";
import type { DownstreamHandler, DownstreamStream, StreamRequestHead } from "../http/stream.ts";
import { Http2ServerConnection } from "../http2/server-connection.ts";
import type { HttpManager } from "../request/manager.ts";
import { WheelTimer } from "../timer-wheel.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";

/** What becomes of a connection's requests. */
interface RequestMaker {
  readonly manager: HttpManager;
  onStream(stream: DownstreamStream, head: StreamRequestHead, end: boolean): DownstreamHandler;
  /** Logs what the codec has answered by itself. */
  onRefusedByCodec(head: StreamRequestHead, status: number, details: string, facts: Http2ServerConnection): void;
}

/** An HTTP/2 connection as a listener sees it, with the limits of time that its connection manager sets. */
export class Http2Accepted {
  requestedAt = 0;
  private readonly connection: Http2ServerConnection;
  private readonly maker: RequestMaker;
  private readonly manager: HttpManager;
  private readonly timer = new WheelTimer(() => this.onTimer());
  private readonly createdAt = performance.now();
  private quietSince = this.createdAt;

  constructor(
    socket: Socket,
    maker: RequestMaker,
    tls: TlsConnection | undefined,
    onClosed: (accepted: Http2Accepted) => void,
  ) {
    this.maker = maker;
    this.manager = maker.manager;
    const { manager } = this;
    manager.stats.cxHttp2.inc();
    const context = { options: manager.http2, stats: manager.stats.http2, timers: manager.timers };
    const host = {
      onStream: (stream: DownstreamStream, head: StreamRequestHead, end: boolean) => this.onStream(stream, head, end),
      onRefused: (head: StreamRequestHead, status: number, details: string) =>
        maker.onRefusedByCodec(head, status, details, this.connection),
      onClosed: (connection: Http2ServerConnection) => {
        this.timer.cancel();
        manager.stats.cxRxBytes.inc(connection.bytesRead);
        onClosed(this);
      },
    };
    this.connection = new Http2ServerConnection(socket, context, host, tls);
    this.armTimer();
  }

  /** Bytes that were read to find out which protocol it is. */
  receive(bytes: Buffer): void {
    this.connection.receive(bytes, 0, bytes.length);
  }

  /** GOAWAY; what is open is answered. */
  drain(): void {
    if (this.connection.draining) return;
    this.manager.stats.cxDrainClose.inc();
    this.connection.drain();
  }

  /** Draining closes it by itself, once the client knows. */
  closeIdle(): void {
    this.drain();
  }

  destroy(): void {
    this.connection.close("local close");
  }

  private onStream(stream: DownstreamStream, head: StreamRequestHead, end: boolean): DownstreamHandler {
    this.requestedAt = performance.now();
    this.manager.stats.rqHttp2.inc();
    const { maxConnectionMs } = this.maker.manager.options;
    if (maxConnectionMs > 0 && this.requestedAt - this.createdAt > maxConnectionMs) this.drain();
    return this.maker.onStream(stream, head, end);
  }

  private armTimer(): void {
    const { connectionIdleMs } = this.manager.options;
    if (connectionIdleMs > 0) this.manager.timers.arm(this.timer, connectionIdleMs);
  }

  /** A connection without streams is idle since its last byte. */
  private onTimer(): void {
    const { connection, manager } = this;
    const now = performance.now();
    if (connection.active > 0) this.quietSince = now;
    const left = Math.max(this.quietSince, connection.lastActivity) + manager.options.connectionIdleMs - now;
    if (left > 0) {
      manager.timers.arm(this.timer, left);
      return;
    }
    manager.stats.cxIdleTimeout.inc();
    this.connection.drain();
  }
}
