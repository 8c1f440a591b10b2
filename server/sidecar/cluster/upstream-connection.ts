import { connect, type Socket } from "node:net";
import { ResponseParser } from "../http1/parser.ts";
import { sendMessage } from "../http1/send.ts";
import { WheelTimer } from "../timer-wheel.ts";
import { turnedAway } from "../tls/tls-failure.ts";
import type { Cluster } from "./cluster.ts";
import type { Endpoint } from "./endpoint.ts";
import { connectFailure, connectTls, type UpstreamTls } from "./upstream-tls.ts";

/** Whoever uses a connection at the moment: one attempt of one request. */
export interface ConnectionUser {
  /** `bytes` is only valid during the call. */
  onUpstreamData(bytes: Buffer, end: number): void;
  /** The peer closed its side, or the connection broke. */
  onUpstreamClose(reason: string): void;
  onUpstreamDrain(): void;
}

/** What the pool wants to know. */
export interface ConnectionOwner {
  onConnected(connection: UpstreamConnection): void;
  /** Called once, also when it never connected. */
  onClosed(connection: UpstreamConnection, reason: string): void;
}

/**
 * One TCP connection to an endpoint. All connections read into the same buffer: what is read is parsed and passed on before the next read, and whoever
 * keeps bytes copies them. That spares an allocation of 64 KiB per read.
 */
export class UpstreamConnection {
  readonly endpoint: Endpoint;
  readonly cluster: Cluster;
  readonly parser = new ResponseParser();
  /** The settings it was made with; undefined: plain. */
  readonly tls: UpstreamTls | undefined;
  user: ConnectionUser | undefined = undefined;
  requests = 0;
  connected = false;
  closed = false;
  /** Monotonic ms. */
  readonly createdAt = performance.now();
  idleSince = 0;
  localAddress = "";
  readonly timer: WheelTimer;
  timedOut = false;
  private readonly socket: Socket;
  private readonly owner: ConnectionOwner;
  private failure = "";
  /** Whether any byte came back. */
  private heard = false;

  constructor(cluster: Cluster, endpoint: Endpoint, owner: ConnectionOwner) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.owner = owner;
    this.timer = new WheelTimer(() => this.onTimer());
    this.tls = cluster.config.tls;
    this.socket = this.tls === undefined ? this.openPlain() : this.openTls(this.tls);
    this.socket.on("error", (error) => {
      this.failure ||= connectFailure(error, this.socket);
    });
    this.socket.on("end", () => this.close(this.tls !== undefined && !this.heard ? turnedAway : "remote close"));
    this.socket.on("close", () => this.close(this.failure || "closed"));
    this.socket.on("drain", () => this.user?.onUpstreamDrain());
    cluster.timers.arm(this.timer, cluster.config.connectTimeoutMs);
  }

  private openPlain(): Socket {
    const socket = connect({
      ...this.target(),
      onread: { buffer: readBuffer, callback: (length, bytes) => this.onRead(length, bytes as Buffer) },
    });
    socket.on("connect", () => this.onConnect());
    return socket;
  }

  /** Decrypted bytes come in buffers of their own. */
  private openTls(tls: UpstreamTls): Socket {
    const socket = connectTls(tls, this.target(), this.cluster.stats.tls);
    socket.on("secureConnect", () => {
      socket.on("data", (bytes: Buffer) => void this.onRead(bytes.length, bytes));
      this.onConnect();
    });
    return socket;
  }

  private target() {
    const { address: host, port } = this.endpoint.config;
    const localAddress = this.cluster.config.bindAddress || undefined;
    return { host, port, noDelay: true, allowHalfOpen: false, localAddress };
  }

  /** Writes a head and a slice in one go. @returns false when the peer reads too slowly: stop until onUpstreamDrain */
  send(head: string, bytes: Buffer | undefined, start: number, end: number): boolean {
    this.cluster.stats.txBytes.inc(head.length + end - start);
    return sendMessage(this.socket, head, bytes, start, end);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Tells user and owner once, then forgets both. */
  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.timer.cancel();
    const user = this.user;
    this.user = undefined;
    this.socket.destroy();
    this.owner.onClosed(this, this.failure || reason);
    user?.onUpstreamClose(this.failure || reason);
  }

  private onRead(length: number, bytes: Buffer): boolean {
    if (this.closed) return false;
    this.heard = true;
    this.cluster.stats.rxBytes.inc(length);
    // Bytes that nobody asked for could be taken as the answer to the next request: response splitting.
    if (this.user === undefined) this.close("unsolicited data");
    else this.user.onUpstreamData(bytes, length);
    return true;
  }

  private onConnect(): void {
    if (this.closed) return;
    this.connected = true;
    this.timer.cancel();
    this.localAddress = `${this.socket.localAddress}:${this.socket.localPort}`;
    this.cluster.stats.cxConnectMs.record(performance.now() - this.createdAt);
    this.owner.onConnected(this);
  }

  /**
   * Falls idle: closed after the cluster's idle timeout. The last used is taken first, so whatever nobody took for a while is left from a peak that is over, and
   * closes sooner, up to one connection of each endpoint.
   */
  rest(): void {
    this.idleSince = performance.now();
    // Re-armed lazily: a busy connection does not touch its timer.
    if (!this.timer.armed) this.cluster.timers.arm(this.timer, this.idleLimitMs(true));
  }

  private idleLimitMs(spare: boolean): number {
    const limit = this.cluster.config.idleTimeoutMs || Number.POSITIVE_INFINITY;
    return spare ? Math.min(limit, spareMs) : limit;
  }

  private onTimer(): void {
    if (!this.connected) {
      this.timedOut = true;
      this.cluster.stats.cxConnectTimeout.inc();
      this.close("connection timeout");
      return;
    }
    if (this.user !== undefined) return;
    const left = this.idleSince + this.idleLimitMs(this.endpoint.idle.length > 1) - performance.now();
    if (left > 0) {
      // Whether it is a spare one changes.
      this.cluster.timers.arm(this.timer, Math.min(left, spareMs));
      return;
    }
    this.cluster.stats.cxIdleTimeout.inc();
    this.close("idle timeout");
  }
}

/** Idle connections beyond one stay for this long. */
const spareMs = 60_000;

const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
