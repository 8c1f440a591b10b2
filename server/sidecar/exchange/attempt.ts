import type { Cluster } from "../cluster/cluster.ts";
import type { Endpoint } from "../cluster/endpoint.ts";
import type { PendingRequest } from "../cluster/pool.ts";
import type { ConnectionUser, UpstreamConnection } from "../cluster/upstream-connection.ts";
import { ParseEvent } from "../http1/parser.ts";
import type { ResetReason } from "../route/retry-policy.ts";
import { WheelTimer } from "../timer-wheel.ts";
import { isTlsError } from "../tls/tls-failure.ts";
import type { Exchange } from "./exchange.ts";
import type { Router } from "./router.ts";
import { upstreamHead } from "./upstream-headers.ts";

/** One try of a request on one connection to one endpoint. */
export class Attempt implements PendingRequest, ConnectionUser {
  readonly endpoint: Endpoint;
  /** Whether the head is on its way, so that body bytes may follow. */
  ready = false;
  /** Whether any byte may have reached the upstream. */
  sent = false;
  private readonly router: Router;
  private readonly exchange: Exchange;
  private readonly cluster: Cluster;
  private readonly perTryMs: number;
  private connection: UpstreamConnection | undefined = undefined;
  private timer: WheelTimer | undefined = undefined;
  private over = false;
  private requestDone = false;
  private headSeen = false;
  private tunnel = false;
  /** The response is read to its end and thrown away. */
  private discarding = false;
  private paused = false;

  constructor(router: Router, cluster: Cluster, endpoint: Endpoint, perTryMs: number) {
    this.router = router;
    this.exchange = router.exchange;
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.perTryMs = perTryMs;
  }

  start(): void {
    const { endpoint, exchange, cluster } = this;
    const { record } = exchange;
    record.upstreamRemoteAddress = endpoint.config.address;
    record.upstreamRemotePort = endpoint.config.port;
    record.upstreamHostMetadata = endpoint.config.metadata;
    endpoint.active++;
    this.requestDone = this.router.requestDone || !exchange.hasBody;
    if (this.requestDone) this.armPerTry();
    cluster.pool.acquire(endpoint, this);
  }

  onConnection(connection: UpstreamConnection): void {
    if (this.over) {
      this.cluster.pool.release(connection);
      return;
    }
    const { exchange, router } = this;
    const { record } = exchange;
    this.connection = connection;
    connection.user = this;
    connection.requests++;
    this.cluster.stats.rqTotal.inc();
    this.endpoint.totals.requests++;
    connection.parser.toHead = exchange.method === "HEAD";
    connection.parser.ranges = exchange.needsRanges ? [] : undefined;
    record.upstreamLocalAddress = connection.localAddress;
    record.timeToFirstUpstreamTxMs = performance.now() - exchange.start;
    this.ready = true;
    this.sent = true;
    const head = upstreamHead(exchange);
    const body = router.body;
    let ok: boolean;
    if (body === undefined) ok = connection.send(head, undefined, 0, 0);
    else {
      const all = body.length === 1 ? (body[0] as Buffer) : Buffer.concat(body);
      ok = connection.send(head, all, 0, all.length);
    }
    if (this.requestDone) record.timeToLastUpstreamTxMs = record.timeToFirstUpstreamTxMs;
    router.bodySent();
    if (!ok) exchange.connection.pauseReading();
  }

  onPoolFailure(reason: ResetReason, detail: string): void {
    if (this.finish()) this.router.onReset(this, reason, detail);
  }

  sendBody(bytes: Buffer, start: number, end: number): void {
    if (this.connection?.send("", bytes, start, end) === false) this.exchange.connection.pauseReading();
  }

  onRequestDone(): void {
    this.requestDone = true;
    if (this.ready) this.exchange.record.timeToLastUpstreamTxMs = performance.now() - this.exchange.start;
    this.armPerTry();
  }

  get untilClose(): boolean {
    return this.connection?.parser.untilClose === true;
  }

  onUpstreamData(bytes: Buffer, end: number): void {
    const { connection, exchange } = this;
    if (connection === undefined) return;
    if (this.tunnel) {
      this.tunnelData(bytes, 0, end);
      return;
    }
    const { parser } = connection;
    let at = 0;
    for (;;) {
      const event = parser.next(bytes, at, end);
      at = parser.position;
      switch (event) {
        case ParseEvent.needMore:
          // A response that is not wanted is only read to its end when it is here already.
          if (this.discarding) this.cancel();
          else if (this.headSeen) this.checkPressure(exchange.flush());
          return;
        case ParseEvent.head:
          if (!this.onHead(connection)) return;
          if (this.tunnel) {
            if (at < end) this.tunnelData(bytes, at, end);
            return;
          }
          break;
        case ParseEvent.body:
          exchange.record.responseBodyBytes = parser.bodyBytes;
          if (this.discarding) break;
          exchange.connection.lastActivity = performance.now();
          this.checkPressure(exchange.respondBody(bytes, parser.bodyStart, parser.bodyEnd, parser.chunkRanges));
          break;
        case ParseEvent.done:
          if (parser.head.status < 200) break;
          this.onDone(connection, at === end);
          return;
        default:
          this.cluster.stats.cxProtocolError.inc();
          this.fail("protocol_error", "");
          return;
      }
    }
  }

  onUpstreamClose(reason: string): void {
    if (this.over) return;
    const { connection, exchange } = this;
    const parser = connection?.parser;
    if (this.tunnel) {
      if (this.finish()) exchange.finish();
      return;
    }
    if (parser?.untilClose === true && reason === "remote close") {
      exchange.record.timeToLastUpstreamRxMs = performance.now() - exchange.start;
      if (this.finish() && !this.discarding) this.router.onResponseEnd();
      return;
    }
    // Some of an answer is another thing than none: Envoy's codec finds it broken, 502.
    if (parser?.inMessage === true && !this.headSeen) {
      this.cluster.stats.cxProtocolError.inc();
      this.fail("protocol_error", "");
      return;
    }
    if (reason === "ECONNRESET" && this.headSeen) this.cluster.stats.rqRxReset.inc();
    this.fail("connection_termination", isTlsError(reason) ? reason : "");
  }

  onUpstreamDrain(): void {
    this.exchange.connection.resumeReading();
  }

  resumeReading(): void {
    if (!this.paused) return;
    this.paused = false;
    this.connection?.resume();
  }

  /** The router no longer wants an answer. */
  cancel(): void {
    if (!this.finish()) return;
    const { connection } = this;
    if (connection === undefined) this.cluster.pool.cancel(this.endpoint, this);
    else connection.close("cancelled");
  }

  /** @returns false when there is nothing more to read here */
  private onHead(connection: UpstreamConnection): boolean {
    const { head } = connection.parser;
    const { exchange } = this;
    if (head.status < 200 && head.status !== 101) return true;
    const { record } = exchange;
    record.timeToFirstUpstreamRxMs = performance.now() - exchange.start;
    this.headSeen = true;
    if (head.status === 101) return this.onSwitch(connection);
    if (this.router.onResponseHead(this, head)) return true;
    this.discarding = true;
    this.timer?.cancel();
    return true;
  }

  private onSwitch(connection: UpstreamConnection): boolean {
    const { exchange } = this;
    if (exchange.upgrade === "") {
      this.fail("protocol_error", "");
      return false;
    }
    this.tunnel = true;
    this.timer?.cancel();
    this.router.onTunnel();
    this.cluster.stats.response(101);
    exchange.startTunnel(connection.parser.head.headers);
    return true;
  }

  private onDone(connection: UpstreamConnection, atEnd: boolean): void {
    const { exchange, requestDone } = this;
    exchange.record.timeToLastUpstreamRxMs = performance.now() - exchange.start;
    // The next request may have this connection only if both sides are done with this one.
    const reusable = atEnd && requestDone && connection.parser.head.keepAlive;
    if (this.paused) connection.resume();
    if (!this.finish()) return;
    if (reusable) this.cluster.pool.release(connection);
    else connection.close("not reusable");
    if (!this.discarding) this.router.onResponseEnd();
  }

  private tunnelData(bytes: Buffer, start: number, end: number): void {
    const { exchange } = this;
    exchange.record.responseBodyBytes += end - start;
    exchange.connection.lastActivity = performance.now();
    this.checkPressure(exchange.connection.send("", bytes, start, end));
  }

  private checkPressure(ok: boolean): void {
    if (ok || this.over || this.paused) return;
    this.paused = true;
    this.connection?.pause();
  }

  private armPerTry(): void {
    if (this.perTryMs === 0 || this.over || this.headSeen) return;
    this.timer ??= new WheelTimer(() => {
      this.cluster.stats.rqPerTryTimeout.inc();
      this.fail("per_try_timeout", "");
    });
    this.exchange.manager.timers.arm(this.timer, this.perTryMs);
  }

  private fail(reason: ResetReason, detail: string): void {
    if (!this.finish()) return;
    const { connection } = this;
    if (connection === undefined) this.cluster.pool.cancel(this.endpoint, this);
    else connection.close(reason);
    if (!this.discarding) this.router.onReset(this, reason, detail);
  }

  /** @returns whether this was still running */
  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    this.endpoint.active--;
    this.timer?.cancel();
    if (this.connection?.user === this) this.connection.user = undefined;
    return true;
  }
}
