import type { Cluster } from "../../cluster/cluster.ts";
import type { Endpoint } from "../../cluster/endpoint.ts";
import type { StreamRequest } from "../../cluster/host-pool.ts";
import type { ConnectionAddresses } from "../../http/addresses.ts";
import type { ClientConnection, UpstreamHandler, UpstreamStream } from "../../http/stream.ts";
import { type ConnectFailure, TcpUpstream } from "../../tcp/tcp-upstream.ts";

/**
 * The far half of a CONNECT that ends here: a connection of its own, which the client's bytes pass as they are.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades#connect-support
 */
export class TcpTunnel implements ClientConnection, UpstreamStream {
  readonly protocol = "HTTP/1.1";
  readonly capacity = 0;
  readonly active = 1;
  private readonly request: StreamRequest;
  private readonly upstream: TcpUpstream | undefined;
  private handler: UpstreamHandler | undefined = undefined;
  private over = false;

  /** Asks for its connection within the cluster's circuit breaker. */
  constructor(cluster: Cluster, endpoint: Endpoint, origin: ConnectionAddresses, request: StreamRequest) {
    this.request = request;
    if (cluster.pool.takeSlot(endpoint)) this.upstream = new TcpUpstream(cluster, endpoint, origin, this);
    else request.onPoolFailure("overflow", "");
  }

  newStream(handler: UpstreamHandler): UpstreamStream {
    this.handler = handler;
    return this;
  }

  drain(): void {}

  close(): void {
    this.reset();
  }

  /** Nobody is asked: the connection is there, and that is the answer. */
  sendHead(): void {
    this.handler?.onHead({ status: 101, headers: [], contentLength: -1, bytes: 0 }, false);
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    return this.upstream?.write(Buffer.from(bytes.subarray(start, end))) ?? true;
  }

  sendEnd(): void {
    this.upstream?.end();
  }

  flush(): boolean {
    return true;
  }

  reset(): void {
    this.over = true;
    this.upstream?.destroy();
  }

  pause(): void {
    this.upstream?.pause();
  }

  resume(): void {
    this.upstream?.resume();
  }

  onConnected(upstream: TcpUpstream): void {
    if (!this.over) this.request.onReady(this, upstream.localAddress, upstream.tls);
  }

  onConnectFailure({ reason }: ConnectFailure): void {
    if (this.over) return;
    this.over = true;
    this.request.onPoolFailure(reason === "connection timeout" ? "connection_timeout" : "connection_failure", reason);
  }

  onUpstreamData(bytes: Buffer): void {
    if (this.over) return;
    this.handler?.onData(bytes, 0, bytes.length);
    this.handler?.onReadComplete();
  }

  onUpstreamEnd(): void {
    if (this.over) return;
    this.over = true;
    this.handler?.onEnd(undefined);
    this.upstream?.finish();
  }

  onUpstreamDrain(): void {
    if (!this.over) this.handler?.onDrain();
  }

  onUpstreamClose(_reset: boolean, failure: string): void {
    if (this.over) return;
    this.over = true;
    this.handler?.onReset("connection_termination", failure);
  }
}
