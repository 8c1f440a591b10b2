import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { placeOf } from "../cluster/connector.ts";
import type { Endpoint } from "../cluster/endpoint.ts";
import { openSocket } from "../cluster/open-socket.ts";
import { connectFailure, tlsOf } from "../cluster/upstream-tls.ts";
import type { ConnectionAddresses } from "../http/addresses.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";

export interface ConnectFailure {
  readonly reason: string;
}

/** What a session writes to. */
export interface SessionUpstream {
  /** `ip:port` of our end; empty until it is connected. */
  readonly localAddress: string;
  /** Once it is connected; undefined: plain text. */
  readonly tls: TlsConnection | undefined;
  /** @returns false when the peer reads too slowly: stop until onUpstreamDrain */
  write(bytes: Buffer): boolean;
  /** After what was written; before the connection is made, whoever calls does so again once it is. */
  end(): void;
  pause(): void;
  resume(): void;
  /** Passes a client's reset on. */
  reset(): void;
  destroy(): void;
  /** The client is gone: what it sent still goes out, and nothing more is read. */
  finish(): void;
}

export interface UpstreamUser {
  onConnected(upstream: SessionUpstream): void;
  onConnectFailure(failure: ConnectFailure): void;
  onUpstreamData(bytes: Buffer): void;
  onUpstreamEnd(): void;
  onUpstreamDrain(): void;
  /** `failure` says why it broke, if it did. */
  onUpstreamClose(reset: boolean, failure: string): void;
}

/** The connection to one endpoint that a session uses whole, counted within the cluster's circuit breaker. */
export class TcpUpstream implements SessionUpstream {
  localAddress = "";
  tls: TlsConnection | undefined = undefined;
  private readonly cluster: Cluster;
  private readonly endpoint: Endpoint;
  private readonly user: UpstreamUser;
  private readonly socket: Socket;
  private readonly timer: WheelTimer;
  private readonly startedAt = performance.now();
  private connected = false;
  private closed = false;
  private failure = "";
  private wasReset = false;
  /** The user went before it was connected, which is not the endpoint's fault. */
  private abandoned = false;

  /** @param origin of the client's connection */
  constructor(cluster: Cluster, endpoint: Endpoint, origin: ConnectionAddresses, user: UpstreamUser) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.user = user;
    endpoint.active++;
    endpoint.totals.requests++;
    this.timer = new WheelTimer(() => this.onConnectTimeout());
    const { socket, ready } = openSocket(cluster, placeOf(endpoint.config), origin);
    this.socket = socket;
    socket.once(ready, () => this.onConnect());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.failure ||= connectFailure(error, socket);
      this.wasReset ||= error.code === "ECONNRESET";
    });
    socket.on("close", () => this.onClose());
    cluster.timers.arm(this.timer, cluster.config.connectTimeoutMs);
  }

  write(bytes: Buffer): boolean {
    this.cluster.stats.txBytes.inc(bytes.length);
    return this.closed || this.socket.write(bytes);
  }

  end(): void {
    if (this.connected) this.socket.end();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    if (this.connected && this.socket.isPaused()) this.socket.resume();
  }

  /** A TLS socket has no reset of its own: Node throws. */
  reset(): void {
    if (this.connected && !this.closed && !(this.socket instanceof TLSSocket)) this.socket.resetAndDestroy();
    else this.destroy();
  }

  destroy(): void {
    this.abandoned = true;
    this.socket.destroy();
  }

  finish(): void {
    if (this.closed) return;
    if (!this.connected) this.destroy();
    else {
      this.socket.destroySoon();
      // A peer that never reads must not hold the connection for ever.
      this.cluster.timers.arm(this.timer, flushMs);
    }
  }

  private onConnect(): void {
    if (this.closed) return;
    this.connected = true;
    this.timer.cancel();
    const { cluster, endpoint, socket, user } = this;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    this.tls = tlsOf(socket);
    cluster.stats.cxConnectMs.record(performance.now() - this.startedAt);
    cluster.onLocalSuccess(endpoint);
    // Without a code of its own a connection made counts as a success, or single failures would add up over days.
    cluster.onResponse(endpoint, 200);
    socket.on("data", (bytes: Buffer) => {
      cluster.stats.rxBytes.inc(bytes.length);
      user.onUpstreamData(bytes);
    });
    socket.on("end", () => user.onUpstreamEnd());
    socket.on("drain", () => user.onUpstreamDrain());
    user.onConnected(this);
  }

  private onConnectTimeout(): void {
    if (!this.connected) {
      this.cluster.stats.cxConnectTimeout.inc();
      this.failure ||= "connection timeout";
    }
    this.socket.destroy();
  }

  private onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.timer.cancel();
    const { cluster, endpoint, user } = this;
    endpoint.active--;
    cluster.pool.freeSlot();
    if (this.connected) {
      user.onUpstreamClose(this.wasReset, this.failure);
      return;
    }
    if (this.abandoned) return;
    cluster.stats.cxConnectFail.inc();
    endpoint.totals.connectFailures++;
    cluster.onLocalFailure(endpoint);
    user.onConnectFailure({ reason: this.failure || "connection closed" });
  }
}

const flushMs = 10_000;
