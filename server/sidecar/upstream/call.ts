import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Endpoint } from "../cluster/endpoint.ts";
import type { StreamRequest } from "../cluster/host-pool.ts";
import type {
  ClientConnection,
  Protocol,
  StreamRequestHead,
  StreamResponseHead,
  UpstreamHandler,
  UpstreamStream,
} from "../http/stream.ts";

/** What a call of the proxy's own brought. */
export interface CallResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[] | undefined;
}

/** Why it brought nothing: `overflow` of a circuit breaker, `no healthy upstream`, `timeout`, `too large`, or how its stream was reset. */
export type CallFailure = string;

export interface CallOptions {
  readonly head: StreamRequestHead;
  /** Whole; chunks as on the wire where the head says so. */
  readonly body: readonly Buffer[];
  /** The protocol of the request that it is for, for clusters that speak as they are spoken to. */
  readonly like?: Protocol;
  readonly timeoutMs: number;
  /** A longer answer fails the call. */
  readonly maxBytes: number;
  /** Answers are read and thrown away. */
  readonly discard?: boolean;
  /** Called once, unless the call is cancelled. */
  done?(result: CallResponse | CallFailure): void;
}

/**
 * A request of the proxy itself, such as a mirror's copy or a question to another server, within the circuit breakers of its cluster.
 * @returns cancels it
 */
export function call(cluster: Cluster, options: CallOptions): () => void {
  if (cluster.activeRequests >= cluster.config.maxRequests) {
    cluster.stats.rqPendingOverflow.inc();
    options.done?.("overflow");
    return () => {};
  }
  const endpoint = cluster.pick();
  if (endpoint === undefined) {
    cluster.stats.cxNoneHealthy.inc();
    options.done?.("no healthy upstream");
    return () => {};
  }
  const running = new Call(cluster, endpoint, options);
  running.start();
  return () => running.cancel();
}

class Call implements StreamRequest, UpstreamHandler {
  private readonly cluster: Cluster;
  private readonly endpoint: Endpoint;
  private readonly options: CallOptions;
  private readonly timer = new WheelTimer(() => this.fail("timeout"));
  private stream: UpstreamStream | undefined = undefined;
  private head: StreamResponseHead | undefined = undefined;
  private readonly parts: Buffer[] = [];
  private bytes = 0;
  private over = false;

  constructor(cluster: Cluster, endpoint: Endpoint, options: CallOptions) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.options = options;
  }

  start(): void {
    this.endpoint.active++;
    this.cluster.activeRequests++;
    this.cluster.timers.arm(this.timer, this.options.timeoutMs);
    this.cluster.pool.newStream(this.endpoint, this.cluster.protocolFor(this.options.like ?? "HTTP/1.1"), this);
  }

  cancel(): void {
    if (this.finish()) this.letGo();
  }

  onReady(connection: ClientConnection): void {
    if (this.over) return;
    const { head, body } = this.options;
    const stream = connection.newStream(this);
    this.stream = stream;
    stream.sendHead(head, body.length === 0);
    // What the peer doesn't take yet waits in the socket: the body is whole and bounded already.
    for (const part of body) stream.sendData(part, 0, part.length);
    if (body.length > 0) stream.sendEnd(undefined);
  }

  onPoolFailure(reason: string): void {
    if (!this.finish()) return;
    if (reason !== "overflow") this.cluster.onLocalFailure(this.endpoint);
    this.options.done?.(reason);
  }

  onInformational(): void {}

  onHead(head: StreamResponseHead, end: boolean): void {
    this.head = head;
    this.cluster.stats.response(head.status);
    // What such a call meets says as much of an endpoint as what a request does: Envoy sends both through its router.
    this.cluster.onLocalSuccess(this.endpoint);
    this.cluster.onResponse(this.endpoint, head.status, head.headers);
    if (head.chunked === true) this.stream?.decode?.();
    if (end) this.onEnd(undefined);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.options.discard === true) return;
    this.bytes += end - start;
    if (this.bytes > this.options.maxBytes) this.fail("too large");
    else this.parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  onEnd(trailers: readonly string[] | undefined): void {
    if (!this.finish() || this.head === undefined) return;
    const { status, headers } = this.head;
    this.options.done?.({ status, headers, body: Buffer.concat(this.parts), trailers });
  }

  onReset(reason: string): void {
    if (!this.finish()) return;
    if (this.head === undefined) this.cluster.onLocalFailure(this.endpoint);
    this.options.done?.(reason);
  }

  onDrain(): void {}

  onReadComplete(): void {}

  private fail(reason: string): void {
    if (!this.finish()) return;
    if (this.head === undefined) this.cluster.onLocalFailure(this.endpoint);
    this.letGo();
    this.options.done?.(reason);
  }

  private letGo(): void {
    if (this.stream === undefined) this.cluster.pool.cancel(this.endpoint, this);
    else this.stream.reset("local_reset");
  }

  /** @returns whether it was still running */
  private finish(): boolean {
    if (this.over) return false;
    this.over = true;
    this.timer.cancel();
    this.endpoint.active--;
    this.cluster.activeRequests--;
    return true;
  }
}
