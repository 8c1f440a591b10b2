import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Endpoint } from "../cluster/endpoint.ts";
import type { StreamRequest } from "../cluster/host-pool.ts";
import { transportOf } from "../cluster/transport.ts";
import { renderText } from "../format/format.ts";
import type { ConnectionAddresses } from "../http/addresses.ts";
import { toWire } from "../http/headers.ts";
import type { ClientConnection, StreamResponseHead, UpstreamHandler, UpstreamStream } from "../http/stream.ts";
import type { RequestRecord } from "../record.ts";
import { applyHeaderOps } from "../route/header-ops.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import type { Tunneling } from "./tcp-proxy.ts";
import type { SessionUpstream, UpstreamUser } from "./tcp-upstream.ts";

/**
 * A session's bytes as the data of an HTTP request, which the endpoint is asked to pass on to somewhere else.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades#tunneling-tcp-over-http
 */
export class TunnelUpstream implements SessionUpstream, StreamRequest, UpstreamHandler {
  localAddress = "";
  tls: TlsConnection | undefined = undefined;
  private readonly cluster: Cluster;
  private readonly endpoint: Endpoint;
  private readonly tunneling: Tunneling;
  private readonly record: RequestRecord;
  private readonly user: UpstreamUser;
  private readonly flush = new WheelTimer(() => this.destroy());
  private stream: UpstreamStream | undefined = undefined;
  private http1 = false;
  /** The endpoint has said yes. */
  private open = false;
  private ended = false;
  private remoteEnded = false;
  private over = false;

  constructor(cluster: Cluster, endpoint: Endpoint, tunneling: Tunneling, record: RequestRecord, user: UpstreamUser) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.tunneling = tunneling;
    this.record = record;
    this.user = user;
  }

  /** @param origin of the client's connection */
  start(origin: ConnectionAddresses): void {
    const { cluster, endpoint } = this;
    endpoint.active++;
    cluster.pool.newStream(endpoint, cluster.protocolFor("HTTP/1.1"), this, origin);
  }

  onReady(connection: ClientConnection, localAddress: string, tls: TlsConnection | undefined): void {
    if (this.over) return;
    this.localAddress = localAddress;
    this.tls = tls;
    this.http1 = connection.protocol !== "HTTP/2";
    this.cluster.onLocalSuccess(this.endpoint);
    const { method, path, hostname, headers: ops } = this.tunneling;
    const headers: string[] = [];
    applyHeaderOps(ops, headers, this.record);
    const authority = toWire(renderText(hostname, this.record, ""));
    const transport = transportOf(this.cluster.config, this.endpoint.config.metadata);
    const scheme = transport.tls === undefined ? "http" : "https";
    this.stream = connection.newStream(this);
    const head = { method, path, authority, scheme, headers, contentLength: -1, upgrade: "", bytes: 0, tunnel: true };
    this.stream.sendHead(head, false);
    this.stream.flush();
  }

  onPoolFailure(reason: string, detail: string): void {
    if (reason !== "overflow") this.cluster.onLocalFailure(this.endpoint);
    this.fail(detail || reason);
  }

  write(bytes: Buffer): boolean {
    if (this.over || this.ended || this.stream === undefined) return true;
    const ok = this.stream.sendData(bytes, 0, bytes.length);
    return this.stream.flush() && ok;
  }

  end(): void {
    if (!this.open || this.ended || this.over) return;
    this.ended = true;
    this.stream?.sendEnd(undefined);
    this.closeIfDone();
  }

  pause(): void {
    this.stream?.pause();
  }

  resume(): void {
    if (this.open) this.stream?.resume();
  }

  /** HTTP has a reset of its own. */
  reset(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.over) return;
    const { open } = this;
    this.close();
    if (open) this.user.onUpstreamClose(false, "");
  }

  finish(): void {
    if (this.over) return;
    if (!this.open) {
      this.destroy();
      return;
    }
    this.end();
    // A peer that never reads must not hold the stream for ever.
    if (!this.over) this.cluster.timers.arm(this.flush, flushMs);
  }

  onInformational(): void {}

  onHead(head: StreamResponseHead, end: boolean): void {
    if (this.over) return;
    const { cluster, endpoint } = this;
    cluster.stats.response(head.status);
    cluster.onResponse(endpoint, head.status, head.headers);
    // RFC 9110, 9.3.6: any 2xx; Envoy wants just that of HTTP/2.
    const good = this.http1 ? head.status >= 200 && head.status < 300 : head.status === 200;
    if (!good || end) {
      this.fail(`tunnel refused: ${head.status}`);
      return;
    }
    this.open = true;
    this.user.onConnected(this);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    // Bytes are valid during the call only, and the client may take them later.
    if (this.open && !this.over) this.user.onUpstreamData(Buffer.from(bytes.subarray(start, end)));
  }

  onEnd(): void {
    if (this.over) return;
    this.remoteEnded = true;
    this.user.onUpstreamEnd();
    // HTTP/1 has no half of a tunnel.
    if (this.http1) this.ended = true;
    this.closeIfDone();
  }

  onReset(reason: string, detail: string): void {
    if (this.over) return;
    if (!this.open) {
      this.fail(detail || reason);
      return;
    }
    this.close();
    this.user.onUpstreamClose(true, detail);
  }

  onDrain(): void {
    if (this.open && !this.over) this.user.onUpstreamDrain();
  }

  onReadComplete(): void {}

  private closeIfDone(): void {
    if (!this.ended || !this.remoteEnded || this.over) return;
    this.close();
    this.user.onUpstreamClose(false, "");
  }

  private fail(reason: string): void {
    if (this.over) return;
    this.close();
    this.user.onConnectFailure({ reason });
  }

  private close(): void {
    this.over = true;
    this.flush.cancel();
    this.endpoint.active--;
    if (this.stream === undefined) this.cluster.pool.cancel(this.endpoint, this);
    else if (!this.ended || !this.remoteEnded || this.http1) this.stream.reset("local_reset");
  }
}

const flushMs = 10_000;
