import type { ResetReason } from "../route/retry-policy.ts";
import type { Cluster } from "./cluster.ts";
import type { Endpoint } from "./endpoint.ts";
import { type ConnectionOwner, UpstreamConnection } from "./upstream-connection.ts";

/** A request that waits for a connection. */
export interface PendingRequest {
  onConnection(connection: UpstreamConnection): void;
  onPoolFailure(reason: ResetReason, detail: string): void;
}

/**
 * The connections of one cluster, kept per endpoint, within the cluster's circuit breakers.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
 */
export class ConnectionPool implements ConnectionOwner {
  private readonly cluster: Cluster;
  private connections = 0;
  private pending = 0;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Answers at once when a connection is ready or a limit is reached, otherwise once one is connected. */
  acquire(endpoint: Endpoint, request: PendingRequest): void {
    const connection = endpoint.idle.pop();
    if (connection !== undefined) {
      request.onConnection(connection);
      return;
    }
    const { config, stats } = this.cluster;
    if (this.pending >= config.maxPendingRequests) {
      stats.rqPendingOverflow.inc();
      request.onPoolFailure("overflow", "");
      return;
    }
    endpoint.pending.push(request);
    this.pending++;
    stats.rqPendingTotal.inc();
    stats.rqPendingActive.set(this.pending);
    if (endpoint.connecting < endpoint.pending.length) this.grow(endpoint);
  }

  /** Takes a waiting request back. */
  cancel(endpoint: Endpoint, request: PendingRequest): void {
    const index = endpoint.pending.indexOf(request);
    if (index === -1) return;
    endpoint.pending.splice(index, 1);
    this.pendingLeft(1);
  }

  /** A request is over and its connection may serve the next one. */
  release(connection: UpstreamConnection): void {
    const { config, stats } = this.cluster;
    connection.user = undefined;
    const spent = config.maxRequestsPerConnection > 0 && connection.requests >= config.maxRequestsPerConnection;
    if (spent) stats.cxMaxRequests.inc();
    const old = config.maxConnectionMs > 0 && performance.now() - connection.createdAt > config.maxConnectionMs;
    const outdated = connection.endpoint.removed || this.cluster.removed || connection.tls !== config.tls;
    if (spent || old || outdated) {
      connection.close("spent");
      return;
    }
    const next = connection.endpoint.pending.shift();
    if (next !== undefined) {
      this.pendingLeft(1);
      next.onConnection(connection);
      return;
    }
    connection.rest();
    connection.endpoint.idle.push(connection);
  }

  /**
   * Counts a connection that its user has whole, as TCP sessions do. False past the limit, which holds for these also where an endpoint
   * has none yet, as in Envoy's TCP proxy. Whoever took one gives it back.
   */
  takeSlot(endpoint: Endpoint): boolean {
    const { config, stats } = this.cluster;
    if (this.connections >= config.maxConnections) {
      stats.cxOverflow.inc();
      return false;
    }
    this.connections++;
    endpoint.totals.connections++;
    stats.cxTotal.inc();
    stats.cxActive.set(this.connections);
    return true;
  }

  freeSlot(): void {
    this.connections--;
    this.cluster.stats.cxActive.set(this.connections);
    this.cluster.stats.cxDestroy.inc();
  }

  /** Closes what is idle now; what is busy closes when it is released. */
  drain(endpoint: Endpoint): void {
    for (const connection of [...endpoint.idle]) connection.close("drained");
  }

  onConnected(connection: UpstreamConnection): void {
    const { endpoint } = connection;
    endpoint.connecting--;
    // Whoever waits is served first, also by an endpoint that has left meanwhile: releasing would close the connection, and open the next one for them without end.
    const next = endpoint.pending.shift();
    if (next === undefined) {
      this.release(connection);
      return;
    }
    this.pendingLeft(1);
    next.onConnection(connection);
  }

  onClosed(connection: UpstreamConnection, reason: string): void {
    const { endpoint } = connection;
    const { stats } = this.cluster;
    this.connections--;
    stats.cxActive.set(this.connections);
    stats.cxDestroy.inc();
    endpoint.connections.delete(connection);
    const index = endpoint.idle.indexOf(connection);
    if (index !== -1) endpoint.idle.splice(index, 1);
    if (connection.connected) {
      if (endpoint.connecting < endpoint.pending.length) this.grow(endpoint);
      return;
    }
    endpoint.connecting--;
    stats.cxConnectFail.inc();
    endpoint.totals.connectFailures++;
    this.failPending(endpoint, connection.timedOut ? "connection_timeout" : "connection_failure", reason);
  }

  /** Opens one more connection if the circuit breaker lets it. An endpoint without any always gets one, as in Envoy. */
  private grow(endpoint: Endpoint): void {
    const { config, stats } = this.cluster;
    if (this.connections >= config.maxConnections && endpoint.connections.size > 0) {
      stats.cxOverflow.inc();
      return;
    }
    if (this.connections >= config.maxConnections) stats.cxOverflow.inc();
    this.connections++;
    stats.cxTotal.inc();
    stats.cxActive.set(this.connections);
    endpoint.connecting++;
    endpoint.totals.connections++;
    endpoint.connections.add(new UpstreamConnection(this.cluster, endpoint, this));
  }

  /** Like Envoy, one failed connect fails all that wait for this endpoint: their retries then see the others. */
  private failPending(endpoint: Endpoint, reason: ResetReason, detail: string): void {
    const waiting = endpoint.pending.splice(0);
    this.pendingLeft(waiting.length);
    this.cluster.stats.rqPendingFailureEject.inc(waiting.length);
    for (const request of waiting) request.onPoolFailure(reason, detail);
  }

  private pendingLeft(count: number): void {
    this.pending -= count;
    this.cluster.stats.rqPendingActive.set(this.pending);
  }
}
