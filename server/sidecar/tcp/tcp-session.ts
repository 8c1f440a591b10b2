import type { Socket } from "node:net";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import { anyHost } from "../cluster/balancer.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Endpoint } from "../cluster/endpoint.ts";
import { xxHash64 } from "../hash/xx-hash64.ts";
import { addressesOf, type ConnectionAddresses } from "../http/addresses.ts";
import type { MatchCriteria } from "../match/criteria.ts";
import { newRecord, type RequestRecord, ResponseFlag } from "../record.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import { isTlsError } from "../tls/tls-failure.ts";
import { pickTarget, type TcpProxy } from "./tcp-proxy.ts";
import { type ConnectFailure, type SessionUpstream, TcpUpstream } from "./tcp-upstream.ts";
import { TunnelUpstream } from "./tunnel-upstream.ts";

/** What is known of a connection before its session begins. */
export interface AboutConnection {
  /** What was agreed on where it is encrypted. */
  readonly tls: TlsConnection | undefined;
  /** Of the client's hello; may be empty. */
  readonly serverName: string;
  /** Why a filter before this one closes it; undefined: it may go on. */
  readonly refusal: { readonly details: string; readonly flags: number } | undefined;
  /** Of the upstream, where a filter has chosen one. */
  readonly forwardPort: number | undefined;
}

/**
 * One client connection carried to one upstream: bytes pass as they are, each side's end of sending is told to the other, and whoever
 * reads slowly slows the other down. Keeps the filter it began with, whatever config comes.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/listeners/tcp_proxy
 */
export class TcpSession {
  readonly record: RequestRecord;
  readonly requestedAt = 0;
  private readonly socket: Socket;
  private readonly proxy: TcpProxy;
  private readonly about: AboutConnection;
  private readonly addresses: ConnectionAddresses;
  private readonly onClosed: (session: TcpSession) => void;
  private stopFinding: () => void = () => {};
  private readonly startedAt = performance.now();
  private readonly timer: WheelTimer;
  private readonly cluster: Cluster | undefined;
  private readonly criteria: MatchCriteria | undefined;
  private upstream: SessionUpstream | undefined = undefined;
  private attempts = 0;
  /** Monotonic ms of the last byte either way. */
  private lastActivity = this.startedAt;
  /** The client sends no more. */
  private ended = false;
  private closed = false;

  /**
   * `socket` is paused, or has not been read from.
   */
  constructor(socket: Socket, proxy: TcpProxy, about: AboutConnection, onClosed: (session: TcpSession) => void) {
    const { tls, refusal } = about;
    this.about = about;
    this.socket = socket;
    this.proxy = proxy;
    this.onClosed = onClosed;
    this.timer = new WheelTimer(() => this.onTimer());
    const record = newRecord(proxy.wall.at(this.startedAt), this.startedAt);
    this.record = record;
    record.protocol = "";
    const addresses = addressesOf(socket);
    this.addresses = addresses;
    record.downstreamRemoteAddress = addresses.remoteAddress;
    record.downstreamRemotePort = addresses.remotePort;
    record.downstreamLocalAddress = addresses.localAddress;
    record.downstreamLocalPort = addresses.localPort;
    record.downstreamTls = tls;
    record.connection = this;
    record.atEdge = true;
    record.place = proxy.place;
    record.connectionTerminationDetails = refusal?.details ?? "";
    const { cluster, criteria } = pickTarget(proxy);
    record.routedCluster = cluster;
    this.criteria = criteria;
    proxy.stats.cxTotal.inc();
    proxy.stats.cxActive.add(1);
    socket.pause();
    socket.on("error", (error: NodeJS.ErrnoException) => this.onDownstreamError(error));
    // A client that only listens may end before there is an upstream: of an empty stream Node tells that even while it is paused.
    socket.on("end", () => this.onDownstreamEnd());
    socket.on("close", () => this.onDownstreamClose());
    this.cluster = proxy.clusters.get(record.routedCluster);
    this.armTimer();
    if (refusal === undefined) this.connect();
    else this.refuse(refusal.flags, refusal.details);
  }

  /** There is no way to ask a TCP peer to come back later: connections stay until the drain is over. */
  drain(): void {}

  closeIdle(): void {}

  destroy(): void {
    this.record.responseCodeDetails ||= "local_close";
    this.upstream?.destroy();
    this.socket.destroy();
  }

  private connect(): void {
    const { cluster, proxy, record } = this;
    if (cluster === undefined) {
      proxy.stats.cxNoRoute.inc();
      this.refuse(ResponseFlag.noClusterFound, "cluster_not_found");
      return;
    }
    if (this.attempts >= proxy.maxConnectAttempts) {
      cluster.stats.cxAttemptsExceeded.inc();
      const flags = ResponseFlag.upstreamConnectionFailure | ResponseFlag.upstreamRetryLimitExceeded;
      this.refuse(flags, "upstream_connection_failure");
      return;
    }
    if (cluster.finder !== undefined) {
      const { serverName: host, forwardPort: port } = this.about;
      const target = { host, port, headers: [], destination: this.addresses.proxied?.destination };
      this.stopFinding = cluster.finder.find(target, (found) => this.connectTo(cluster, found));
      return;
    }
    const hash = proxy.hashesSourceIp && cluster.usesHash ? xxHash64(record.downstreamRemoteAddress) : undefined;
    this.connectTo(cluster, cluster.pick({ ...anyHost, hash, criteria: this.criteria }) ?? "no_healthy_upstream");
  }

  /** @param endpoint or why there is none */
  private connectTo(cluster: Cluster, endpoint: Endpoint | string): void {
    const { record } = this;
    if (this.closed) return;
    if (typeof endpoint === "string") {
      cluster.stats.cxNoneHealthy.inc();
      this.refuse(ResponseFlag.noHealthyUpstream, endpoint);
      return;
    }
    const { tunneling } = this.proxy;
    if (tunneling === undefined && !cluster.pool.takeSlot(endpoint)) {
      this.refuse(ResponseFlag.upstreamOverflow, "upstream_overflow");
      return;
    }
    this.attempts++;
    record.upstreamAttempts = this.attempts;
    record.upstreamCluster = cluster.config.name;
    record.clusterMetadata = cluster.config.metadata;
    record.upstreamHostMetadata = endpoint.config.metadata;
    if (record.upstreamHost !== undefined) record.earlierHosts = [...(record.earlierHosts ?? []), record.upstreamHost];
    record.upstreamHost = endpoint.config;
    record.upstreamRemoteAddress = endpoint.config.address;
    record.upstreamRemotePort = endpoint.config.port;
    if (tunneling === undefined) {
      this.upstream = new TcpUpstream(cluster, endpoint, this.addresses, this);
      return;
    }
    const tunnel = new TunnelUpstream(cluster, endpoint, tunneling, record, this);
    this.upstream = tunnel;
    tunnel.start(this.addresses);
  }

  onConnected(upstream: SessionUpstream): void {
    if (this.closed) return;
    const { record, socket } = this;
    record.upstreamLocalAddress = upstream.localAddress;
    record.upstreamTls = upstream.tls;
    this.lastActivity = performance.now();
    socket.on("data", (bytes: Buffer) => this.onDownstreamData(bytes));
    if (this.ended) upstream.end();
    socket.on("drain", () => upstream.resume());
    socket.resume();
  }

  onConnectFailure({ reason }: ConnectFailure): void {
    if (this.closed) return;
    this.upstream = undefined;
    this.record.upstreamTransportFailureReason = reason;
    this.connect();
  }

  onUpstreamData(bytes: Buffer): void {
    if (this.closed) return;
    const { proxy, record } = this;
    this.lastActivity = performance.now();
    record.timeToFirstUpstreamRxMs ||= this.lastActivity - this.startedAt;
    record.timeToLastUpstreamRxMs = this.lastActivity - this.startedAt;
    record.responseBodyBytes += bytes.length;
    proxy.stats.cxTxBytes.inc(bytes.length);
    if (!this.socket.write(bytes)) this.upstream?.pause();
  }

  /** The upstream sends no more; the client may still. */
  onUpstreamEnd(): void {
    this.socket.end();
  }

  onUpstreamDrain(): void {
    if (!this.socket.isPaused()) return;
    this.proxy.stats.resumedReading.inc();
    this.socket.resume();
  }

  /** Both ends are gone, or it broke: what is written still goes out, a reset is passed on as one. */
  onUpstreamClose(reset: boolean, failure: string): void {
    if (this.closed) return;
    if (isTlsError(failure)) this.record.upstreamTransportFailureReason = failure;
    this.record.responseCodeDetails ||= reset ? "upstream_reset" : "upstream_close";
    if (reset) {
      this.record.responseFlags |= ResponseFlag.upstreamConnectionTermination;
      this.socket.resetAndDestroy();
    } else this.socket.destroySoon();
  }

  private onDownstreamData(bytes: Buffer): void {
    const { proxy, record, socket } = this;
    this.lastActivity = performance.now();
    record.timeToFirstUpstreamTxMs ||= this.lastActivity - this.startedAt;
    record.timeToLastUpstreamTxMs = this.lastActivity - this.startedAt;
    record.requestBodyBytes += bytes.length;
    proxy.stats.cxRxBytes.inc(bytes.length);
    if (this.upstream?.write(bytes) === false) {
      proxy.stats.pausedReading.inc();
      socket.pause();
    }
  }

  private onDownstreamEnd(): void {
    this.ended = true;
    this.record.timeToLastDownstreamRxMs = performance.now() - this.startedAt;
    this.upstream?.end();
  }

  private onDownstreamError(error: NodeJS.ErrnoException): void {
    this.record.responseCodeDetails ||= "downstream_reset";
    this.record.responseFlags |= ResponseFlag.downstreamConnectionTermination;
    if (error.code === "ECONNRESET") this.upstream?.reset();
    else this.upstream?.destroy();
  }

  /** The client's socket is gone; a client that ended in order has its bytes delivered first. */
  private onDownstreamClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.timer.cancel();
    this.stopFinding();
    const { proxy, record } = this;
    this.upstream?.finish();
    proxy.stats.cxActive.add(-1);
    record.durationMs = performance.now() - this.startedAt;
    record.startMs = proxy.wall.at(this.startedAt);
    proxy.accessLogger?.log(record);
    this.onClosed(this);
  }

  private refuse(flags: number, details: string): void {
    this.record.responseFlags |= flags;
    this.record.responseCodeDetails = details;
    this.socket.destroy();
  }

  private armTimer(): void {
    const left = this.timeLeft();
    if (left !== undefined) this.proxy.timers.arm(this.timer, Math.max(1, left));
  }

  private timeLeft(): number | undefined {
    const { idleMs, maxDurationMs } = this.proxy;
    const now = performance.now();
    const idle = idleMs > 0 ? this.lastActivity + idleMs - now : Number.POSITIVE_INFINITY;
    const age = maxDurationMs > 0 ? this.startedAt + maxDurationMs - now : Number.POSITIVE_INFINITY;
    const left = Math.min(idle, age);
    return left === Number.POSITIVE_INFINITY ? undefined : left;
  }

  /** Re-armed lazily, so that bytes cost no timer. */
  private onTimer(): void {
    const left = this.timeLeft();
    if (left === undefined || left > 0) {
      this.armTimer();
      return;
    }
    const { proxy, record } = this;
    const old = proxy.maxDurationMs > 0 && performance.now() - this.startedAt >= proxy.maxDurationMs;
    if (old) proxy.stats.maxDuration.inc();
    else proxy.stats.idleTimeout.inc();
    if (old) record.responseFlags |= ResponseFlag.durationTimeout;
    record.responseCodeDetails = old ? "max_duration_timeout" : "idle_timeout";
    this.destroy();
  }
}
