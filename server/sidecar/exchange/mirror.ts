import type { Cluster } from "../cluster/cluster.ts";
import type { Endpoint } from "../cluster/endpoint.ts";
import type { PendingRequest } from "../cluster/pool.ts";
import type { ConnectionUser, UpstreamConnection } from "../cluster/upstream-connection.ts";
import { ParseEvent } from "../http1/parser.ts";
import type { ForwardTarget } from "../route/compile-route.ts";
import { WheelTimer } from "../timer-wheel.ts";
import type { Timers } from "../timers.ts";
import type { Exchange } from "./exchange.ts";
import { upstreamHead } from "./upstream-headers.ts";

/** Sends copies of a whole request to the route's mirrors and forgets them; the clusters' circuit breakers bound how many are under way. */
export function sendMirrors(exchange: Exchange, action: ForwardTarget, body: readonly Buffer[]): void {
  const { manager } = exchange;
  for (const mirror of action.mirrors) {
    const cluster = manager.clusters.get(mirror.cluster);
    if (cluster === undefined || (mirror.share < 1 && manager.random() >= mirror.share)) continue;
    if (cluster.activeRequests >= cluster.config.maxRequests) {
      cluster.stats.rqPendingOverflow.inc();
      continue;
    }
    const endpoint = cluster.pick();
    if (endpoint === undefined) continue;
    const message = Buffer.concat([Buffer.from(mirrorHead(exchange, mirror.keepHost), "latin1"), ...body]);
    new MirrorRequest(cluster, endpoint, message, exchange.method === "HEAD", manager.timers, action.timeoutMs).start();
  }
}

/** Envoy tells the mirror's request apart by `-shadow` on the host, before its port. */
function mirrorHead(exchange: Exchange, keepHost: boolean): string {
  const { authority } = exchange;
  if (!keepHost) exchange.authority = authority.replace(/(:\d+)?$/, "-shadow$1");
  const head = upstreamHead(exchange);
  exchange.authority = authority;
  return head;
}

class MirrorRequest implements PendingRequest, ConnectionUser {
  private readonly cluster: Cluster;
  private readonly endpoint: Endpoint;
  private readonly message: Buffer;
  private readonly toHead: boolean;
  private readonly timers: Timers;
  private readonly timer: WheelTimer;
  private readonly timeoutMs: number;
  private connection: UpstreamConnection | undefined = undefined;
  private over = false;

  constructor(
    cluster: Cluster,
    endpoint: Endpoint,
    message: Buffer,
    toHead: boolean,
    timers: Timers,
    timeoutMs: number,
  ) {
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.message = message;
    this.toHead = toHead;
    this.timers = timers;
    // Nobody waits for a mirror, so it never waits for ever.
    this.timeoutMs = timeoutMs === 0 ? 15_000 : timeoutMs;
    this.timer = new WheelTimer(() => this.finish(false));
  }

  start(): void {
    this.endpoint.active++;
    this.cluster.activeRequests++;
    this.timers.arm(this.timer, this.timeoutMs);
    this.cluster.pool.acquire(this.endpoint, this);
  }

  onConnection(connection: UpstreamConnection): void {
    if (this.over) {
      this.cluster.pool.release(connection);
      return;
    }
    this.connection = connection;
    connection.user = this;
    connection.requests++;
    this.cluster.stats.rqTotal.inc();
    connection.parser.toHead = this.toHead;
    connection.parser.ranges = undefined;
    connection.send("", this.message, 0, this.message.length);
  }

  onPoolFailure(): void {
    this.finish(false);
  }

  onUpstreamData(bytes: Buffer, end: number): void {
    const parser = this.connection?.parser;
    if (parser === undefined) return;
    let at = 0;
    for (;;) {
      const event = parser.next(bytes, at, end);
      at = parser.position;
      if (event === ParseEvent.needMore) return;
      if (event === ParseEvent.error) {
        this.finish(false);
        return;
      }
      if (event === ParseEvent.done && parser.head.status >= 200) {
        this.cluster.stats.response(parser.head.status);
        this.finish(at === end && parser.head.keepAlive);
        return;
      }
    }
  }

  onUpstreamClose(): void {
    this.finish(false);
  }

  onUpstreamDrain(): void {}

  private finish(reusable: boolean): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    this.endpoint.active--;
    this.cluster.activeRequests--;
    const { connection } = this;
    if (connection === undefined) {
      this.cluster.pool.cancel(this.endpoint, this);
      return;
    }
    connection.user = undefined;
    if (reusable) this.cluster.pool.release(connection);
    else connection.close("mirror over");
  }
}
