import { WheelTimer } from "../../../lib/timer-wheel.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Endpoint } from "../../cluster/endpoint.ts";
import type { StreamRequest } from "../../cluster/host-pool.ts";
import {
  type ClientConnection,
  type Fields,
  plainConnect,
  type StreamReset,
  type StreamResponseHead,
  type UpstreamHandler,
  type UpstreamStream,
} from "../../http/stream.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { ResetReason } from "../../route/retry-policy.ts";
import type { TlsConnection } from "../../tls/tls-connection.ts";
import { isTlsError } from "../../tls/tls-failure.ts";
import type { Router } from "./router.ts";
import { TcpTunnel } from "./tcp-tunnel.ts";
import { upstreamHead } from "./upstream-headers.ts";

/** One try of a request at one endpoint. */
export class Attempt implements StreamRequest, UpstreamHandler {
  readonly endpoint: Endpoint;
  /** Whether the head is on its way, so that body bytes may follow. */
  ready = false;
  /** Whether any byte may have reached the upstream. */
  sent = false;
  private readonly router: Router;
  private readonly exchange: Exchange;
  private readonly cluster: Cluster;
  /** Another attempt goes on beside this one. */
  retried = false;
  private stream: UpstreamStream | undefined = undefined;
  private localAddress = "";
  private tls: TlsConnection | undefined = undefined;
  private timer: WheelTimer | undefined = undefined;
  private idle: WheelTimer | undefined = undefined;
  /** Monotonic ms of the last byte of the response, where somebody asks. */
  private lastHeard = 0;
  private over = false;
  private requestDone = false;
  private headSeen = false;
  private tunnel = false;
  /** The response is read to its end and thrown away. */
  private discarding = false;
  private paused = false;
  private startedAt = 0;
  private tcp: TcpTunnel | undefined = undefined;

  constructor(router: Router, cluster: Cluster, endpoint: Endpoint) {
    this.router = router;
    this.exchange = router.exchange;
    this.cluster = cluster;
    this.endpoint = endpoint;
  }

  start(): void {
    const { endpoint, cluster } = this;
    const { record } = this.exchange;
    if (record.upstreamHost !== undefined) record.earlierHosts = [...(record.earlierHosts ?? []), record.upstreamHost];
    this.noteEndpoint();
    this.startedAt = performance.now();
    endpoint.active++;
    this.requestDone = this.router.requestDone;
    if (this.requestDone) this.armPerTry();
    const { protocol, connection } = this.exchange.stream;
    if (this.exchange.upgrade === plainConnect && this.router.action?.endsConnect === true) {
      this.tcp = new TcpTunnel(cluster, endpoint, connection, this);
    } else cluster.pool.newStream(endpoint, cluster.protocolFor(protocol), this, connection);
  }

  /** Of several attempts this is the one whose response is passed on. */
  answers(): void {
    this.noteEndpoint();
    this.exchange.record.upstreamLocalAddress = this.localAddress;
    this.exchange.record.upstreamTls = this.tls;
  }

  private noteEndpoint(): void {
    const { config } = this.endpoint;
    const { record } = this.exchange;
    record.upstreamRemoteAddress = config.address;
    record.upstreamRemotePort = config.port;
    record.upstreamHostMetadata = config.metadata;
    record.upstreamHost = config;
  }

  onReady(connection: ClientConnection, localAddress: string, tls: TlsConnection | undefined): void {
    if (this.over) return;
    const { exchange, router } = this;
    const { record } = exchange;
    router.routeStats?.rqTotal.inc();
    const stream = connection.newStream(this);
    this.stream = stream;
    record.upstreamLocalAddress = localAddress;
    record.upstreamTls = tls;
    this.localAddress = localAddress;
    this.tls = tls;
    record.upstreamProtocol = connection.protocol;
    const now = performance.now();
    record.poolReadyMs = now - this.startedAt;
    record.timeToFirstUpstreamTxMs = now - exchange.start;
    this.ready = true;
    this.sent = true;
    this.cluster.onLocalSuccess(this.endpoint);
    // A request to switch protocols has its other half still to come.
    const { body, trailers } = router;
    const bare = this.requestDone && body === undefined && trailers === undefined && exchange.upgrade === "";
    stream.sendHead(upstreamHead(router), bare);
    let ok = true;
    if (!bare) {
      for (const part of body ?? []) ok = stream.sendData(part, 0, part.length);
      if (this.requestDone && exchange.upgrade === "") stream.sendEnd(trailers);
      else ok = stream.flush() && ok;
    }
    if (this.requestDone) record.timeToLastUpstreamTxMs = record.timeToFirstUpstreamTxMs;
    router.bodySent();
    if (!ok) exchange.pauseRequest();
  }

  onPoolFailure(reason: StreamReset, detail: string): void {
    if (this.finish()) this.router.onReset(this, reason, detail);
  }

  sendData(bytes: Buffer, start: number, end: number): void {
    if (this.stream?.sendData(bytes, start, end) === false) this.exchange.pauseRequest();
  }

  onRequestDone(): void {
    this.requestDone = true;
    if (this.ready) {
      this.exchange.record.timeToLastUpstreamTxMs = performance.now() - this.exchange.start;
      this.stream?.sendEnd(this.router.trailers);
    }
    this.armPerTry();
  }

  /** The client of a tunnel sends no more. */
  endTunnel(): void {
    this.stream?.sendEnd(undefined);
  }

  onInformational(): void {}

  onHead(head: StreamResponseHead, end: boolean): void {
    if (this.over) return;
    const { exchange, router, stream } = this;
    exchange.record.timeToFirstUpstreamRxMs = performance.now() - exchange.start;
    this.headSeen = true;
    this.timer?.cancel();
    if (this.idle !== undefined) this.lastHeard = performance.now();
    if (head.status === 101) {
      this.tunnel = true;
      this.idle?.cancel();
      this.cluster.stats.response(exchange.upgrade === plainConnect ? 200 : 101);
      router.onTunnel(head);
      return;
    }
    // The switch was turned down: nothing follows the request.
    if (exchange.upgrade !== "" && !end) stream?.sendEnd(undefined);
    if (head.chunked === true && !end && !exchange.takesChunks) {
      stream?.decode?.();
      head.chunked = false;
    }
    this.discarding = !router.onResponseHead(this, head, end);
    if (end) this.onEnd(undefined);
  }

  onData(bytes: Buffer, start: number, end: number, total?: number): void {
    if (this.over || this.discarding) return;
    if (this.idle !== undefined) this.lastHeard = performance.now();
    const { record } = this.exchange;
    record.responseBodyBytes = total ?? record.responseBodyBytes + end - start;
    this.checkPressure(this.exchange.respondData(bytes, start, end));
  }

  onEnd(trailers: Fields | undefined): void {
    if (this.over) return;
    const { exchange } = this;
    exchange.record.timeToLastUpstreamRxMs = performance.now() - exchange.start;
    // An HTTP/2 server may be done before the request is; an HTTP/1 connection is closed then.
    if (!this.requestDone && !this.tunnel) this.stream?.reset("local_reset");
    if (this.finish() && !this.discarding) this.router.onResponseEnd(trailers);
  }

  onReset(reason: StreamReset, detail: string): void {
    if (!this.finish() || this.discarding) return;
    if (this.tunnel) this.exchange.abort();
    else this.router.onReset(this, reason, isTlsError(detail) ? detail : "");
  }

  onDrain(): void {
    this.exchange.resumeRequest();
  }

  onReadComplete(): void {
    if (this.over) return;
    // A response that is not wanted is only read to its end when it is here already.
    if (this.discarding) this.cancel();
    else if (this.headSeen) this.checkPressure(this.exchange.flush());
  }

  resumeReading(): void {
    if (!this.paused) return;
    this.paused = false;
    this.stream?.resume();
  }

  pauseReading(): void {
    this.checkPressure(false);
  }

  /** The router no longer wants an answer. */
  cancel(): void {
    if (this.finish()) this.letGo();
  }

  private letGo(): void {
    if (this.tcp !== undefined) this.tcp.reset();
    else if (this.stream === undefined) this.cluster.pool.cancel(this.endpoint, this);
    else this.stream.reset("local_reset");
  }

  private checkPressure(ok: boolean): void {
    if (ok || this.over || this.paused) return;
    this.paused = true;
    this.stream?.pause();
  }

  private armPerTry(): void {
    const { perTryTimeoutMs, perTryIdleMs } = this.router.timeouts;
    if (this.over) return;
    const { timers } = this.exchange.manager;
    if (perTryTimeoutMs > 0 && !this.headSeen) {
      this.timer ??= new WheelTimer(() => this.onPerTryTimeout());
      timers.arm(this.timer, perTryTimeoutMs);
    }
    if (perTryIdleMs === 0) return;
    this.lastHeard = performance.now();
    this.idle ??= new WheelTimer(() => this.onPerTryIdle());
    timers.arm(this.idle, perTryIdleMs);
  }

  private onPerTryTimeout(): void {
    if (this.router.timeouts.hedges) {
      this.router.onSoftTimeout(this);
      return;
    }
    this.cluster.stats.rqPerTryTimeout.inc();
    this.fail("per_try_timeout");
  }

  /** Re-armed lazily, so that bytes cost no timer. */
  private onPerTryIdle(): void {
    const left = this.lastHeard + this.router.timeouts.perTryIdleMs - performance.now();
    if (left > 0 && this.idle !== undefined) {
      this.exchange.manager.timers.arm(this.idle, left);
      return;
    }
    this.cluster.stats.rqPerTryIdleTimeout.inc();
    this.fail("per_try_idle_timeout");
  }

  private fail(reason: ResetReason): void {
    if (!this.finish()) return;
    this.letGo();
    if (!this.discarding) this.router.onReset(this, reason, "");
  }

  /** @returns whether this was still running */
  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    this.endpoint.active--;
    this.timer?.cancel();
    this.idle?.cancel();
    return true;
  }
}
