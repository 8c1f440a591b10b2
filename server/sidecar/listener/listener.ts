import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "../../lib/logger.ts";
import type { ListeningSocket, SocketHandle } from "../../lib/succession.ts";
import { statName } from "../cluster/cluster-stats.ts";
import { addressesOf, setProxied } from "../http/addresses.ts";
import type { NetworkConnection } from "../network/network-filter.ts";
import type { HttpManager } from "../request/manager.ts";
import type { Counter, Gauge, Stats } from "../stats.ts";
import type { Hello } from "../tcp/client-hello.ts";
import { type AboutConnection, TcpSession } from "../tcp/tcp-session.ts";
import type { Timers } from "../timers.ts";
import type { CommonTls } from "../tls/common-tls.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import { TlsStats } from "../tls/tls-stats.ts";
import type { Accepted } from "./accepted.ts";
import { Admission } from "./admission.ts";
import type { ChainTable, FilterChain } from "./chain-table.ts";
import type { ConnectionLimit } from "./connection-limit.ts";
import { ConnectionLog } from "./connection-log.ts";
import type { DiscoveredPlace } from "./discovered-filter.ts";
import type { DownstreamTls } from "./downstream-tls.ts";
import { Handshake } from "./handshake.ts";
import { HttpHost } from "./http-host.ts";
import { type InheritedSockets, listeningSocket } from "./inherited-sockets.ts";
import { Inspection } from "./inspection.ts";
import { InspectorStats } from "./inspector-stats.ts";
import { ProxyHeaderReader } from "./proxy-protocol.ts";

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

export interface ListenerIo {
  readonly stats: Stats;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Lets a successor listen on the same ports before this process has stopped. */
  readonly reusePort?: boolean | undefined;
  /** Listening sockets of a predecessor. */
  readonly inherited?: InheritedSockets | undefined;
  /** A socket that others accept on as well; rejects like binding one's own. Absent: one's own. */
  readonly acquire?: ((name: string, address: ListenAddress) => Promise<SocketHandle>) | undefined;
  /** Undefined: only the process's file descriptors bound connections. */
  readonly limit?: ConnectionLimit | undefined;
  /** Nothing is bound: connections come from inside the process, by {@link Listener.take}. */
  readonly internal?: boolean | undefined;
}

/** How draining goes on: see {@link Listener.drain}. */
export interface DrainOptions {
  /** When what is still open is broken off. */
  readonly ms: number;
  /** Goes on accepting for at most so long, while clients still come. */
  readonly acceptMs: number;
}

/** A bound socket with its connections. Filter chains change underneath it; a new address is a new listener. */
export class Listener {
  readonly name: string;
  readonly address: ListenAddress;
  /** Resolves when bound, rejects when it cannot be. */
  readonly listening: Promise<void>;
  bound: boolean;
  private table: ChainTable;
  private readonly hosts = new Map<string, HttpHost>();
  private readonly server: Server;
  /** With the id of their chain; empty while it is not chosen, and once it is gone. */
  private readonly accepted = new Map<Accepted, string>();
  private readonly timers: Timers;
  private readonly inspectorStats: InspectorStats;
  private readonly cxTotal: Counter;
  private readonly cxActive: Gauge;
  private readonly cxDestroy: Counter;
  private readonly noChain: Counter;
  private readonly overflow: Counter;
  private readonly limit: ConnectionLimit | undefined;
  /** Of connections whose listener tells of them. */
  private readonly logs = new WeakMap<Socket, ConnectionLog>();
  private readonly stats: Stats;
  private readonly prefix: string;
  /** Made with the first use: most listeners have no TLS. */
  private tlsStats: TlsStats | undefined = undefined;
  private readonly retirements = new Set<NodeJS.Timeout>();
  private draining = false;
  private shut = false;
  private acceptedAt = 0;
  private onEmpty: (() => void) | undefined = undefined;

  constructor(name: string, address: ListenAddress, table: ChainTable, io: ListenerIo, backlog: number) {
    const { stats, timers, logger, reusePort, limit, inherited, acquire, internal } = io;
    this.name = name;
    this.address = address;
    this.table = table;
    this.timers = timers;
    this.limit = limit;
    const prefix = `listener.${statName(`${address.address}:${address.port}`)}.`;
    this.stats = stats;
    this.prefix = prefix;
    this.inspectorStats = new InspectorStats(stats, prefix);
    this.cxTotal = stats.counter(`${prefix}downstream_cx_total`);
    this.cxActive = stats.gauge(`${prefix}downstream_cx_active`);
    this.cxDestroy = stats.counter(`${prefix}downstream_cx_destroy`);
    this.overflow = stats.counter(`${prefix}downstream_global_cx_overflow`);
    this.noChain = stats.counter(`${prefix}no_filter_chain_match`);
    // TCP sessions keep the other direction open when one has ended; HTTP connections say themselves that they don't.
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.accept(socket));
    this.bound = internal === true;
    this.listening = new Promise((resolve, reject) => {
      if (internal) {
        resolve();
        return;
      }
      this.server.once("error", reject);
      const bind = { host: address.address, port: address.port, reusePort: reusePort === true };
      const listening = () => {
        this.server.off("error", reject);
        // An accept that fails (EMFILE: too many open files) must not end the process, but somebody has to hear of it.
        let toldAt = Number.NEGATIVE_INFINITY;
        this.server.on("error", ({ code, message }: NodeJS.ErrnoException) => {
          stats.counter(`${prefix}downstream_cx_accept_error`).inc();
          if (performance.now() - toldAt < acceptErrorEveryMs) return;
          toldAt = performance.now();
          logger.error({ listener: name, code, error: message }, "cannot accept connections");
        });
        this.bound = true;
        resolve();
      };
      if (acquire === undefined) {
        this.server.listen(inherited?.take(address.address, address.port) ?? bind, backlog, listening);
        return;
      }
      acquire(name, address).then((handle) => {
        if (this.shut) handle.close();
        else this.server.listen(handle, backlog, listening);
      }, reject);
    });
  }

  /** For a successor; undefined while it is not bound. */
  get socket(): ListeningSocket | undefined {
    return listeningSocket(this.server, this.address.address, this.address.port);
  }

  /** Secrets that the chains in force refer to. */
  get secretNames(): string[] {
    return this.table.secretNames;
  }

  get discovered(): DiscoveredPlace[] {
    return this.table.discovered;
  }

  get tlsContexts(): CommonTls[] {
    return this.table.chains.flatMap(({ tls }) => tls?.common ?? []);
  }

  /** The port bound, when the config says 0. */
  get port(): number {
    const bound = this.server.address();
    return typeof bound === "object" && bound !== null ? bound.port : this.address.port;
  }

  /**
   * Brings other chains into force. HTTP connections go on with the manager of the chain that matches as theirs did; TCP sessions keep what
   * they began with, and those of a chain that is gone get Envoy's default drain time to end. https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-drain-time-s
   */
  use(table: ChainTable): void {
    if (table === this.table) return;
    this.table = table;
    const ids = new Set(table.chains.map((chain) => chain.id));
    for (const chain of table.chains) {
      const host = chain.kind === "http" ? this.hosts.get(chain.id) : undefined;
      if (host !== undefined && chain.kind === "http") host.manager = chain.manager;
    }
    for (const id of this.hosts.keys()) if (!ids.has(id)) this.hosts.delete(id);
    const orphans = [...this.accepted].filter(([, id]) => id !== "" && !ids.has(id)).map(([connection]) => connection);
    for (const connection of orphans) {
      this.accepted.set(connection, "");
      connection.drain();
    }
    if (orphans.length === 0) return;
    this.later(quietMs, () => {
      for (const connection of orphans) connection.closeIdle();
    });
    this.later(chainDrainMs, () => {
      for (const connection of orphans) connection.destroy();
    });
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.retirements.delete(timer);
      act();
    }, ms).unref();
    this.retirements.add(timer);
  }

  /**
   * Ends without losing a request. Every answer now says that it is its connection's last, while new connections are still taken, till no request came for a
   * moment or `acceptMs` are over; only then are the port and what is idle closed, since a client may be sending on either. What is busy may finish within `ms`.
   */
  async drain({ ms, acceptMs }: DrainOptions): Promise<void> {
    const deadline = performance.now() + ms;
    this.draining = true;
    for (const connection of this.accepted.keys()) connection.drain();
    if (acceptMs === 0) this.stopAccepting();
    await this.quiet(Math.min(acceptMs === 0 ? ms : acceptMs, ms / 2));
    this.stopAccepting();
    for (const connection of [...this.accepted.keys()]) connection.closeIdle();
    await this.empty(deadline - performance.now());
    this.destroy();
  }

  /** Resolves when no connection and no request has come for a moment. */
  private async quiet(limitMs: number): Promise<void> {
    const began = performance.now();
    for (;;) {
      const last = Math.max(this.acceptedAt, ...[...this.accepted.keys()].map(({ requestedAt }) => requestedAt));
      // Nobody to wait for: what was never asked has nobody who knows it.
      if (this.accepted.size === 0 && last === 0) return;
      const left = Math.min(Math.max(last, began) + quietMs, began + limitMs) - performance.now();
      if (left <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  private async empty(limitMs: number): Promise<void> {
    if (this.accepted.size === 0 || limitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  destroy(): void {
    for (const timer of this.retirements) clearTimeout(timer);
    this.stopAccepting();
    for (const connection of [...this.accepted.keys()]) connection.destroy();
  }

  private stopAccepting(): void {
    this.shut = true;
    this.server.close();
  }

  /** A connection from inside the process. @returns false: it takes no more */
  take(socket: Socket): boolean {
    if (this.shut) return false;
    this.accept(socket);
    return true;
  }

  private accept(socket: Socket): void {
    this.acceptedAt = performance.now();
    if (this.limit?.take() === false) {
      this.overflow.inc();
      socket.destroy();
      return;
    }
    this.cxTotal.inc();
    this.cxActive.add(1);
    if (this.table.incomplete) {
      this.stats.counter(`${this.prefix}extension_config_missing`).inc();
      socket.destroy();
      this.closed();
      return;
    }
    const { proxyProtocol, logs } = this.table;
    if (logs !== undefined) this.logs.set(socket, new ConnectionLog(socket, logs));
    if (proxyProtocol === undefined) {
      this.inspect(socket);
      return;
    }
    const { stats, prefix, timers } = this;
    const io = { stats, timers, listenerPrefix: prefix, timeoutMs: this.table.filtersTimeoutMs };
    const reader = new ProxyHeaderReader(socket, proxyProtocol, io, (ok) => {
      this.accepted.delete(reader);
      if (ok) this.inspect(socket);
      else {
        socket.destroy();
        this.closed();
      }
    });
    this.accepted.set(reader, "");
  }

  private inspect(socket: Socket): void {
    const { inspector } = this.table;
    if (inspector === undefined) {
      this.handOver(socket, undefined);
      return;
    }
    const inspection = new Inspection(socket, inspector, this.timers, this.inspectorStats, (found) => {
      this.accepted.delete(inspection);
      if (found !== undefined) this.handOver(socket, found);
      else {
        socket.destroy();
        this.closed();
      }
    });
    this.accepted.set(inspection, "");
  }

  private handOver(socket: Socket, hello: Hello | undefined): void {
    const chain = this.table.find(() => ({
      ...localOf(socket),
      serverName: hello?.kind === "tls" ? hello.serverName : "",
      transportProtocol: hello?.kind === "tls" ? "tls" : "raw_buffer",
      applicationProtocols: hello?.kind === "tls" ? hello.protocols : none,
    }));
    const log = this.logs.get(socket);
    if (chain === undefined) {
      this.noChain.inc();
      log?.unmatched();
      socket.destroy();
      this.closed();
      return;
    }
    log?.chosen(chain.kind === "http" ? chain.manager.place : chain.proxy.place, addressesOf(socket));
    if (chain.tls === undefined) this.serve(socket, chain, undefined, hello?.kind === "tls" ? hello.serverName : "");
    else this.shakeHands(socket, chain, chain.tls, hello?.kind === "tls" ? hello.protocols : none);
  }

  private shakeHands(raw: Socket, chain: FilterChain, config: DownstreamTls, offered: readonly string[]): void {
    const material = config.common.current();
    if (material === undefined) {
      this.stats.counter(`${this.prefix}server_ssl_socket_factory.downstream_context_secrets_not_ready`).inc();
      raw.destroy();
      this.closed();
      return;
    }
    const common = config.common.protocols.filter((protocol) => offered.includes(protocol));
    const only = chain.kind === "http" ? without[chain.manager.codec] : "";
    const protocols = common.filter((protocol) => protocol !== only);
    this.tlsStats ??= new TlsStats(this.stats, this.prefix);
    const timeouts = this.stats.counter(`${this.prefix}downstream_cx_transport_socket_connect_timeout`);
    const io = { timers: this.timers, stats: this.tlsStats, timeouts };
    const handshake = new Handshake(raw, config, material, protocols, io, (secured) => {
      const id = this.accepted.get(handshake) ?? "";
      this.accepted.delete(handshake);
      if (secured === undefined) {
        this.closed();
        return;
      }
      setProxied(secured.socket, addressesOf(raw).proxied);
      const log = this.logs.get(raw);
      if (log !== undefined) this.logs.set(secured.socket, log);
      this.serve(secured.socket, chain, secured.tls, secured.tls.serverName, {
        orphan: id === "",
        draining: handshake.draining,
      });
    });
    this.accepted.set(handshake, chain.id);
  }

  /** An orphan's chain went while it shook hands. */
  private serve(
    socket: Socket,
    chain: FilterChain,
    tls: TlsConnection | undefined,
    serverName: string,
    { orphan, draining } = settled,
  ): void {
    if (chain.filters.length === 0) {
      this.serveAdmitted(
        socket,
        chain,
        { tls, serverName, refusal: undefined, forwardPort: undefined },
        { orphan, draining },
      );
      return;
    }
    const connection = networkConnection(socket, tls, serverName);
    const admission = new Admission(socket, chain.filters, connection, this.timers, (refusal) => {
      const left = this.accepted.get(admission) === "";
      this.accepted.delete(admission);
      const fate = { orphan: orphan || left, draining: draining || admission.draining };
      this.serveAdmitted(socket, chain, { tls, serverName, refusal, forwardPort: connection.forwardPort }, fate);
    });
    admission.start();
    if (admission.waits) this.accepted.set(admission, orphan ? "" : chain.id);
  }

  private serveAdmitted(
    socket: Socket,
    chain: FilterChain,
    about: AboutConnection,
    { orphan, draining }: typeof settled,
  ): void {
    const { tls, refusal } = about;
    // Its client may have left while others decided.
    if (socket.destroyed) {
      this.closed();
      return;
    }
    const id = orphan ? "" : chain.id;
    if (chain.kind === "tcp") {
      const session = new TcpSession(socket, chain.proxy, about, (ended) => this.onClosed(ended));
      this.logs.get(socket)?.carriedBy(session.record);
      this.accepted.set(session, id);
      return;
    }
    if (refusal !== undefined) {
      this.logs.get(socket)?.refused(refusal.details, refusal.flags);
      socket.destroy();
      this.closed();
      return;
    }
    const host = orphan ? this.newHost(chain.manager) : (this.hosts.get(id) ?? this.newHost(chain.manager));
    if (!orphan) this.hosts.set(id, host);
    const alpn = tls === undefined ? "" : (socket as TLSSocket).alpnProtocol || "";
    const connection = host.serve(socket, tls, alpn);
    if (draining || this.draining) connection.drain();
    this.accepted.set(connection, id);
    if (socket.isPaused()) socket.resume();
  }

  private newHost(manager: HttpManager): HttpHost {
    return new HttpHost(manager, {
      onReplaced: (before, after) => this.onReplaced(before, after),
      onClosed: (accepted) => this.onClosed(accepted),
    });
  }

  private onReplaced(before: Accepted, after: Accepted): void {
    const id = this.accepted.get(before);
    if (id === undefined) return;
    this.accepted.delete(before);
    this.accepted.set(after, id);
    if (this.draining) after.drain();
  }

  private onClosed(connection: Accepted): void {
    if (this.accepted.delete(connection)) this.closed();
  }

  private closed(): void {
    this.limit?.release();
    if (this.accepted.size === 0) this.onEmpty?.();
    this.cxActive.add(-1);
    this.cxDestroy.inc();
  }
}

function localOf(socket: Socket): { localAddress: string; localPort: number } {
  const { localAddress, localPort } = addressesOf(socket);
  return { localAddress, localPort };
}

function networkConnection(socket: Socket, tls: TlsConnection | undefined, serverName: string): NetworkConnection {
  const facts = {
    ...addressesOf(socket),
    tls,
    draining: false,
  };
  const onClose = (act: () => void) => void socket.once("close", act);
  return { facts, serverName, forwardPort: undefined, metadata: {}, onClose };
}

const none: readonly string[] = [];
/** What a chain of one codec doesn't agree on. */
const without = { auto: "", http1: "h2", http2: "http/1.1" } as const;
const settled = { orphan: false, draining: false };
/** Longer than a request is under way to us on a connection that it takes to be idle. */
const quietMs = 250;
const acceptErrorEveryMs = 10_000;
/** Envoy's default --drain-time-s. */
const chainDrainMs = 600_000;
