import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { ConnectionAddresses } from "../http/addresses.ts";
import type { ClientConnection, ClientConnectionOwner, Protocol, StreamReset } from "../http/stream.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import { type Connecting, openConnection, placeOf, type UpstreamProtocol } from "./connector.ts";
import type { Endpoint } from "./endpoint.ts";
import type { PoolHost } from "./pool-host.ts";
import { transportOf } from "./transport.ts";
import type { UpstreamTls } from "./upstream-tls.ts";

/** Whoever wants a stream. */
export interface StreamRequest {
  /** Opens its stream on the connection, at once. @param localAddress `ip:port` of our end @param tls undefined: plain text */
  onReady(connection: ClientConnection, localAddress: string, tls: TlsConnection | undefined): void;
  onPoolFailure(reason: StreamReset, detail: string): void;
}

/** The cluster's circuit breakers, which count over all its endpoints. */
export interface Slots {
  connections: number;
  pending: number;
}

/**
 * The connections to one endpoint. An HTTP/1 connection is leased to one stream after the other, an HTTP/2 connection shared by as many as its capacity says;
 * the last used is taken first, so that the rest can fall idle.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/connection_pooling
 */
export class HostPool implements ClientConnectionOwner {
  private readonly host: PoolHost;
  private readonly endpoint: Endpoint;
  private readonly protocol: UpstreamProtocol;
  private readonly slots: Slots;
  private readonly origin: ConnectionAddresses | undefined;
  private readonly connections = new Map<ClientConnection, Pooled>();
  /** With capacity left. */
  private readonly ready: Pooled[] = [];
  private readonly waiting: StreamRequest[] = [];
  private connecting = 0;
  private chosen: Protocol = "HTTP/2";

  /** @param origin of the client's connection that it is for alone; undefined: for all */
  constructor(
    host: PoolHost,
    endpoint: Endpoint,
    protocol: UpstreamProtocol,
    slots: Slots,
    origin?: ConnectionAddresses,
  ) {
    this.origin = origin;
    this.host = host;
    this.protocol = protocol;
    this.endpoint = endpoint;
    this.slots = slots;
  }

  get size(): number {
    return this.connections.size;
  }

  get pending(): number {
    return this.waiting.length;
  }

  /** Answers at once when a connection has room or a limit is reached, otherwise once one is connected. */
  newStream(request: StreamRequest): void {
    const pooled = this.ready.pop();
    if (pooled !== undefined) {
      pooled.offered = false;
      this.give(pooled, request);
      this.offer(pooled);
      return;
    }
    const { config, stats } = this.host;
    if (this.slots.pending >= config.maxPendingRequests) {
      stats.rqPendingOverflow.inc();
      request.onPoolFailure("overflow", "");
      return;
    }
    this.waiting.push(request);
    this.countPending(1);
    stats.rqPendingTotal.inc();
    this.growIfShort();
  }

  /** Takes a waiting request back. */
  cancel(request: StreamRequest): void {
    const index = this.waiting.indexOf(request);
    if (index === -1) return;
    this.waiting.splice(index, 1);
    this.countPending(-1);
  }

  /** Closes what is idle now; what is busy closes with its last stream. */
  drain(): void {
    for (const { connection, connected } of [...this.connections.values()]) if (connected) connection.drain();
  }

  close(reason: string): void {
    for (const connection of [...this.connections.keys()]) connection.close(reason);
  }

  onConnected(connection: ClientConnection): void {
    const pooled = this.connections.get(connection);
    if (pooled === undefined) return;
    this.connecting--;
    pooled.onConnected();
    this.chosen = connection.protocol;
    this.host.stats.cxConnectMs.record(performance.now() - pooled.createdAt);
    // Whoever waits is served first, also by an endpoint that has left meanwhile: closing the connection would open the next one for them without end.
    this.serve(pooled);
    this.onCapacity(connection);
  }

  onCapacity(connection: ClientConnection): void {
    const pooled = this.connections.get(connection);
    if (pooled === undefined) return;
    if (this.isSpent(pooled)) {
      this.withdraw(pooled);
      connection.drain();
      return;
    }
    this.serve(pooled);
    this.offer(pooled);
    if (connection.active === 0) pooled.rest();
  }

  onClosed(connection: ClientConnection, reason: string, connected: boolean): void {
    const pooled = this.connections.get(connection);
    if (pooled === undefined) return;
    this.connections.delete(connection);
    this.withdraw(pooled);
    pooled.timer.cancel();
    const { stats } = this.host;
    this.slots.connections--;
    stats.cxActive.set(this.slots.connections);
    stats.cxDestroy.inc();
    if (connected) {
      this.growIfShort();
      return;
    }
    this.connecting--;
    stats.cxConnectFail.inc();
    this.endpoint.totals.connectFailures++;
    this.failWaiting(pooled.timedOut ? "connection_timeout" : "connection_failure", reason);
  }

  /** How long a connection may be idle: what nobody took for a while is left from a peak that is over, up to one connection. */
  idleLimitMs(spare: boolean): number {
    const limit = this.host.config.idleTimeoutMs || Number.POSITIVE_INFINITY;
    return spare ? Math.min(limit, spareMs) : limit;
  }

  onTimer(pooled: Pooled): void {
    const { stats, timers } = this.host;
    if (!pooled.connected) {
      pooled.timedOut = true;
      stats.cxConnectTimeout.inc();
      pooled.connection.close("connection timeout");
      return;
    }
    if (pooled.connection.active > 0) return;
    const left =
      pooled.idleSince + this.idleLimitMs(this.ready.length > 1 || this.origin !== undefined) - performance.now();
    if (left > 0) {
      // Whether it is a spare one changes.
      timers.arm(pooled.timer, Math.min(left, spareMs));
      return;
    }
    stats.cxIdleTimeout.inc();
    pooled.connection.close("idle timeout");
  }

  armIdle(pooled: Pooled): void {
    // Re-armed lazily: a busy connection does not touch its timer.
    if (!pooled.timer.armed) this.host.timers.arm(pooled.timer, this.idleLimitMs(true));
  }

  private serve(pooled: Pooled): void {
    while (pooled.connection.capacity > 0) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.countPending(-1);
      this.give(pooled, next);
    }
  }

  private give(pooled: Pooled, request: StreamRequest): void {
    pooled.requests++;
    this.endpoint.totals.requests++;
    this.host.stats.rqTotal.inc();
    request.onReady(pooled.connection, pooled.localAddress, pooled.agreed);
  }

  private offer(pooled: Pooled): void {
    if (pooled.offered || pooled.connection.capacity === 0) return;
    pooled.offered = true;
    this.ready.push(pooled);
  }

  private withdraw(pooled: Pooled): void {
    if (!pooled.offered) return;
    pooled.offered = false;
    this.ready.splice(this.ready.indexOf(pooled), 1);
  }

  /** That connections are made with now. */
  private get tls(): UpstreamTls | undefined {
    return transportOf(this.host.config, this.endpoint.config.metadata).tls;
  }

  private isSpent({ requests, createdAt, tls }: Pooled): boolean {
    const { config, stats, removed } = this.host;
    const spent = config.maxRequestsPerConnection > 0 && requests >= config.maxRequestsPerConnection;
    if (spent) stats.cxMaxRequests.inc();
    const old = config.maxConnectionMs > 0 && performance.now() - createdAt > config.maxConnectionMs;
    return spent || old || this.endpoint.removed || removed || tls !== this.tls;
  }

  /** Where the handshake chooses, as it chose the last time. */
  private get speaksHttp2(): boolean {
    return this.protocol === "http2" || (this.protocol === "auto" && this.chosen === "HTTP/2");
  }

  private growIfShort(): void {
    // A connection to come is expected to take as many streams as we allow; what the other side allows is seen later.
    const each = this.speaksHttp2 ? this.host.config.http2.maxConcurrentStreams : 1;
    if (this.connecting * each < this.waiting.length) this.grow();
  }

  /** Opens one more connection if the circuit breaker lets it. An endpoint without any always gets one, as in Envoy. */
  private grow(): void {
    const { config, stats, timers } = this.host;
    const { slots, endpoint } = this;
    if (slots.connections >= config.maxConnections) {
      stats.cxOverflow.inc();
      if (this.connections.size > 0) return;
    }
    slots.connections++;
    stats.cxTotal.inc();
    stats.cxActive.set(slots.connections);
    this.connecting++;
    endpoint.totals.connections++;
    const pooled = new Pooled(
      this,
      this.tls,
      openConnection(this.host, placeOf(endpoint.config), this.protocol, this, this.origin),
    );
    this.connections.set(pooled.connection, pooled);
    timers.arm(pooled.timer, config.connectTimeoutMs);
  }

  /** Like Envoy, one failed connect fails all that wait for this endpoint: their retries then see the others. */
  private failWaiting(reason: StreamReset, detail: string): void {
    const waiting = this.waiting.splice(0);
    this.countPending(-waiting.length);
    this.host.stats.rqPendingFailureEject.inc(waiting.length);
    for (const request of waiting) request.onPoolFailure(reason, detail);
  }

  private countPending(by: number): void {
    this.slots.pending += by;
    this.host.stats.rqPendingActive.set(this.slots.pending);
  }
}

/** Idle connections beyond one stay for this long. */
const spareMs = 60_000;

/** A connection with what its pool keeps of it. */
class Pooled {
  readonly connection: ClientConnection;
  /** Of the time to connect, then of the time that it is idle. */
  readonly timer: WheelTimer;
  /** The settings it was made with; undefined: plain. */
  readonly tls: UpstreamTls | undefined;
  readonly createdAt = performance.now();
  idleSince = 0;
  requests = 0;
  connected = false;
  /** Stands in the pool's list of connections with room. */
  offered = false;
  timedOut = false;
  localAddress = "";
  /** What its handshake agreed on; undefined: plain text. */
  agreed: TlsConnection | undefined = undefined;
  private readonly pool: HostPool;
  private readonly connecting: Connecting;

  constructor(pool: HostPool, tls: UpstreamTls | undefined, connecting: Connecting) {
    this.pool = pool;
    this.tls = tls;
    this.connecting = connecting;
    this.connection = connecting.connection;
    this.timer = new WheelTimer(() => this.pool.onTimer(this));
  }

  onConnected(): void {
    this.connected = true;
    this.timer.cancel();
    this.localAddress = this.connecting.localAddress();
    this.agreed = this.connecting.tls();
  }

  rest(): void {
    this.idleSince = performance.now();
    this.pool.armIdle(this);
  }
}
