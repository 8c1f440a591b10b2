import type { Socket } from "node:net";
import type { ListeningSocket } from "../../lib/succession.ts";
import type { CommonTls } from "../tls/common-tls.ts";
import type { ChainTable } from "./chain-table.ts";
import type { DiscoveredPlace } from "./discovered-filter.ts";
import type { ListenAddress } from "./listen-address.ts";
import { type DrainOptions, Listener, type ListenerIo } from "./listener.ts";

export interface ListenerOptions {
  readonly backlog: number;
  /** Of the proxy's own affairs: the limit on connections is not for it. */
  readonly unlimited: boolean;
  /** Connections come from inside the process, and nothing is bound. */
  readonly internal: boolean;
}

/** All listeners: warming ones wait for routes and clusters, active ones are bound, replaced ones drain. */
export class ListenerSet {
  private readonly entries = new Map<string, Entry>();
  private readonly io: ListenerIo;
  private readonly clustersReady: () => boolean;
  private readonly drainingOld = new Set<Listener>();
  private waiters: (() => void)[] = [];

  constructor(io: ListenerIo, clustersReady: () => boolean) {
    this.io = io;
    this.clustersReady = clustersReady;
  }

  /** New chains on an old address take over the socket and its connections; a new address is bound before the old one drains. */
  put(name: string, address: ListenAddress, table: ChainTable, options: ListenerOptions): void {
    const entry = this.entries.get(name);
    const active = entry?.active;
    this.entries.set(name, { ...options, address, table, active, failures: 0, waiting: false });
    this.warm();
  }

  remove(name: string): void {
    const entry = this.entries.get(name);
    this.entries.delete(name);
    if (entry?.active !== undefined) this.retire(entry.active);
    this.wake();
  }

  tlsContexts(): CommonTls[] {
    return [...this.entries.values()].flatMap(({ active }) => active?.tlsContexts ?? []);
  }

  /** Of the chains in force, and of those to come. */
  requiredSecrets(): string[] {
    return [...this.entries.values()].flatMap(({ active, table }) => [
      ...table.secretNames,
      ...(active?.secretNames ?? []),
    ]);
  }

  /** Filters by discovery: of the chains in force, of those to come, and of listeners that still drain. */
  discovered(): Set<DiscoveredPlace> {
    const current = [...this.entries.values()].flatMap(({ active, table }) => [
      ...table.discovered,
      ...(active?.discovered ?? []),
    ]);
    return new Set([...current, ...[...this.drainingOld].flatMap(({ discovered }) => discovered)]);
  }

  /** Brings into force what has its routes and secrets. Called whenever routes, secrets or clusters change. */
  warm(): void {
    for (const [name, entry] of this.entries) {
      if (this.clustersReady()) entry.table.begin(() => this.warm());
      if (!entry.table.ready) continue;
      if (entry.active !== undefined && sameAddress(entry.active.address, entry.address)) {
        entry.active.use(entry.table);
      } else if (this.clustersReady() && !entry.waiting) {
        this.bind(name, entry);
      }
    }
    this.wake();
  }

  get ready(): boolean {
    for (const entry of this.entries.values()) {
      const { active, address, failures } = entry;
      // One port that somebody else has must not keep the others from being ready, as in Envoy, where such a listener is refused.
      if (failures >= failuresUntilGivenUp) continue;
      if (active?.bound !== true || !sameAddress(active.address, address)) return false;
    }
    return true;
  }

  whenListening(): Promise<void> {
    if (this.ready) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  bound(): { name: string; address: string; port: number }[] {
    return [...this.entries].flatMap(([name, { active }]) =>
      active?.bound !== true ? [] : [{ name, address: active.address.address, port: active.port }],
    );
  }

  /** Gives the listener of that address a connection from inside the process. @returns whether there is one that takes it */
  take(address: ListenAddress, socket: Socket): boolean {
    for (const { active, internal } of this.entries.values()) {
      if (internal && active !== undefined && sameAddress(active.address, address)) return active.take(socket);
    }
    return false;
  }

  addresses(): { name: string; address: ListenAddress }[] {
    return [...this.entries].map(([name, { address }]) => ({ name, address }));
  }

  /** For a successor. */
  sockets(): ListeningSocket[] {
    return [...this.entries.values()].flatMap(({ active }) => active?.socket ?? []);
  }

  async drain(options: DrainOptions): Promise<void> {
    const active = [...this.entries.values()].flatMap(({ active }) => (active === undefined ? [] : [active]));
    await Promise.all([...active, ...this.drainingOld].map((listener) => listener.drain(options)));
  }

  close(): void {
    for (const { active } of this.entries.values()) active?.destroy();
    for (const listener of this.drainingOld) listener.destroy();
    this.entries.clear();
    this.wake();
  }

  private bind(name: string, entry: Entry): void {
    const old = entry.active;
    const { internal } = entry;
    const io = entry.unlimited || internal ? { ...this.io, limit: undefined, internal } : this.io;
    const listener = new Listener(name, entry.address, entry.table, io, entry.backlog);
    entry.active = listener;
    listener.listening.then(
      () => {
        entry.failures = 0;
        if (old !== undefined) this.retire(old);
        this.wake();
      },
      (error: NodeJS.ErrnoException) => {
        const current = this.entries.get(name);
        if (current?.active === listener) current.active = old;
        entry.failures += permanent.has(error.code ?? "") ? failuresUntilGivenUp : 1;
        const againInMs = Math.min(maxRetryMs, retryMs * 2 ** Math.max(0, entry.failures - failuresUntilGivenUp));
        this.io.logger.error({ listener: name, error: error.message, againInMs }, "cannot listen; will try again");
        entry.waiting = true;
        setTimeout(() => {
          entry.waiting = false;
          this.warm();
        }, againInMs).unref();
        this.wake();
      },
    );
  }

  private retire(listener: Listener): void {
    this.drainingOld.add(listener);
    void listener.drain({ ms: drainMs, acceptMs: 0 }).then(() => this.drainingOld.delete(listener));
  }

  private wake(): void {
    if (!this.ready) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}

interface Entry extends ListenerOptions {
  readonly address: ListenAddress;
  readonly table: ChainTable;
  active: Listener | undefined;
  /** To bind it, in a row. */
  failures: number;
  /** Until the next try. */
  waiting: boolean;
}

/** Replaced and removed listeners let their requests end for this long. */
const drainMs = 30_000;
/** Another process may hold the port a moment longer. */
const retryMs = 250;
const maxRetryMs = 30_000;
/** With the pause between them: five seconds, as long as a predecessor takes to go. */
const failuresUntilGivenUp = 20;
/** The port is below 1024 and we are not root, or the address is not this machine's: no waiting helps. */
const permanent = new Set(["EACCES", "EADDRNOTAVAIL"]);

const sameAddress = (a: ListenAddress, b: ListenAddress): boolean => a.address === b.address && a.port === b.port;
