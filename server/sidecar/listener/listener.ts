import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ListeningSocket } from "../../lib/succession.ts";
import type { Timers } from "../../lib/timers.ts";
import { addressesOf, setProxied } from "../http/addresses.ts";
import type { HttpManager } from "../request/manager.ts";
import type { Stats } from "../stats.ts";
import type { Hello } from "../tcp/client-hello.ts";
import { type AboutConnection, TcpSession } from "../tcp/tcp-session.ts";
import type { CommonTls } from "../tls/common-tls.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import type { Accepted } from "./accepted.ts";
import { Admission } from "./admission.ts";
import type { ChainTable, FilterChain } from "./chain-table.ts";
import type { ConnectionLimit } from "./connection-limit.ts";
import { ConnectionLog } from "./connection-log.ts";
import type { DiscoveredPlace } from "./discovered-filter.ts";
import type { DownstreamTls } from "./downstream-tls.ts";
import { Handshake } from "./handshake.ts";
import { HttpHost } from "./http-host.ts";
import { Inspection } from "./inspection.ts";
import type { ListenAddress } from "./listen-address.ts";
import { ListenerStats } from "./listener-stats.ts";
import { Listening, type ListeningIo } from "./listening.ts";
import { networkConnection } from "./network-connection.ts";
import { OpenConnections } from "./open-connections.ts";
import { ProxyHeaderReader } from "./proxy-protocol.ts";

export interface ListenerIo extends ListeningIo {
  readonly stats: Stats;
  readonly timers: Timers;
  /** Undefined: only the process's file descriptors bound connections. */
  readonly limit?: ConnectionLimit | undefined;
}

/** How draining goes on: see {@link Listener.drain}. */
export interface DrainOptions {
  /** When what is still open is broken off. */
  readonly ms: number;
  /** Goes on accepting for at most so long, while clients still come. */
  readonly acceptMs: number;
}

/** A socket with its connections, and how each comes to the filter chain that serves it. Chains change underneath it; a new address is a new listener. */
export class Listener {
  readonly name: string;
  readonly address: ListenAddress;
  private table: ChainTable;
  private readonly hosts = new Map<string, HttpHost>();
  private readonly server: Listening;
  private readonly connections = new OpenConnections();
  private readonly timers: Timers;
  private readonly stats: ListenerStats;
  private readonly limit: ConnectionLimit | undefined;
  /** Of connections whose listener tells of them. */
  private readonly logs = new WeakMap<Socket, ConnectionLog>();

  constructor(name: string, address: ListenAddress, table: ChainTable, io: ListenerIo, backlog: number) {
    this.name = name;
    this.address = address;
    this.table = table;
    this.timers = io.timers;
    this.limit = io.limit;
    this.stats = new ListenerStats(io.stats, address);
    this.server = new Listening(name, address, io, backlog, {
      accept: (socket) => this.accept(socket),
      acceptFailed: () => this.stats.acceptFailed(),
    });
  }

  /** Resolves when bound, rejects when it cannot be. */
  get listening(): Promise<void> {
    return this.server.done;
  }

  get bound(): boolean {
    return this.server.bound;
  }

  /** For a successor; undefined while it is not bound. */
  get socket(): ListeningSocket | undefined {
    return this.server.socket;
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
    return this.server.port;
  }

  /**
   * Brings other chains into force. HTTP connections go on with the manager of the chain that matches as theirs did; TCP sessions keep what
   * they began with, and those of a chain that is gone are given time to end.
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
    this.connections.retain(ids);
  }

  /**
   * Ends without losing a request. Every answer now says that it is its connection's last, while new connections are still taken, till no request came for a
   * moment or `acceptMs` are over; only then are the port and what is idle closed, since a client may be sending on either. What is busy may finish within `ms`.
   */
  async drain({ ms, acceptMs }: DrainOptions): Promise<void> {
    const deadline = performance.now() + ms;
    const { connections } = this;
    connections.drain();
    if (acceptMs === 0) this.server.close();
    await connections.quiet(Math.min(acceptMs === 0 ? ms : acceptMs, ms / 2));
    this.server.close();
    connections.closeIdle();
    await connections.empty(deadline - performance.now());
    this.destroy();
  }

  destroy(): void {
    this.server.close();
    this.connections.destroy();
  }

  /** A connection from inside the process. @returns false: it takes no more */
  take(socket: Socket): boolean {
    if (this.server.closed) return false;
    this.accept(socket);
    return true;
  }

  private accept(socket: Socket): void {
    this.connections.arrived();
    if (this.limit?.take() === false) {
      this.stats.overflow.inc();
      socket.destroy();
      return;
    }
    this.stats.opened();
    if (this.table.incomplete) {
      this.stats.configMissing();
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
    const { stats, prefix } = this.stats;
    const io = { stats, timers: this.timers, listenerPrefix: prefix, timeoutMs: this.table.filtersTimeoutMs };
    const reader = new ProxyHeaderReader(socket, proxyProtocol, io, (ok) => {
      this.connections.take(reader);
      if (ok) this.inspect(socket);
      else {
        socket.destroy();
        this.closed();
      }
    });
    this.connections.put(reader, "");
  }

  private inspect(socket: Socket): void {
    const { inspector } = this.table;
    if (inspector === undefined) {
      this.handOver(socket, undefined);
      return;
    }
    const inspection = new Inspection(socket, inspector, this.timers, this.stats.inspector, (found) => {
      this.connections.take(inspection);
      if (found !== undefined) this.handOver(socket, found);
      else {
        socket.destroy();
        this.closed();
      }
    });
    this.connections.put(inspection, "");
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
      this.stats.noChain.inc();
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
      this.stats.secretsNotReady.inc();
      raw.destroy();
      this.closed();
      return;
    }
    const common = config.common.protocols.filter((protocol) => offered.includes(protocol));
    const only = chain.kind === "http" ? without[chain.manager.codec] : "";
    const protocols = common.filter((protocol) => protocol !== only);
    const { tls: stats, handshakeTimeouts: timeouts } = this.stats;
    const io = { timers: this.timers, stats, timeouts };
    const handshake = new Handshake(raw, config, material, protocols, io, (secured) => {
      const id = this.connections.take(handshake) ?? "";
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
    this.connections.put(handshake, chain.id);
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
      const left = this.connections.take(admission) === "";
      const fate = { orphan: orphan || left, draining: draining || admission.draining };
      this.serveAdmitted(socket, chain, { tls, serverName, refusal, forwardPort: connection.forwardPort }, fate);
    });
    admission.start();
    if (admission.waits) this.connections.put(admission, orphan ? "" : chain.id);
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
      this.connections.put(session, id);
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
    if (draining || this.connections.draining) connection.drain();
    this.connections.put(connection, id);
    if (socket.isPaused()) socket.resume();
  }

  private newHost(manager: HttpManager): HttpHost {
    return new HttpHost(manager, {
      onReplaced: (before, after) => this.connections.replace(before, after),
      onClosed: (accepted) => this.onClosed(accepted),
    });
  }

  private onClosed(connection: Accepted): void {
    if (this.connections.take(connection) !== undefined) this.closed();
  }

  private closed(): void {
    this.limit?.release();
    this.connections.ended();
    this.stats.closed();
  }
}

function localOf(socket: Socket): { localAddress: string; localPort: number } {
  const { localAddress, localPort } = addressesOf(socket);
  return { localAddress, localPort };
}

const none: readonly string[] = [];
/** What a chain of one codec doesn't agree on. */
const without = { auto: "", http1: "h2", http2: "http/1.1" } as const;
const settled = { orphan: false, draining: false };
