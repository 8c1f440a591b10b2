import { createServer, type Server } from "node:net";
import { statName } from "../cluster/cluster-stats.ts";
import type { Counter, Gauge, Stats } from "../stats.ts";
import { type ConnectionHost, DownstreamConnection } from "./downstream-connection.ts";
import type { HttpManager } from "./manager.ts";

export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** A bound socket with its connections. Filter chains change underneath it; a new address is a new listener. */
export class Listener implements ConnectionHost {
  readonly name: string;
  readonly address: ListenAddress;
  manager: HttpManager;
  /** Resolves when bound, rejects when it cannot be. */
  readonly listening: Promise<void>;
  bound = false;
  private readonly server: Server;
  private readonly connections = new Set<DownstreamConnection>();
  private readonly cxTotal: Counter;
  private readonly cxActive: Gauge;
  private readonly cxDestroy: Counter;

  constructor(name: string, address: ListenAddress, manager: HttpManager, stats: Stats, backlog: number) {
    this.name = name;
    this.address = address;
    this.manager = manager;
    const prefix = `listener.${statName(`${address.address}:${address.port}`)}.`;
    this.cxTotal = stats.counter(`${prefix}downstream_cx_total`);
    this.cxActive = stats.gauge(`${prefix}downstream_cx_active`);
    this.cxDestroy = stats.counter(`${prefix}downstream_cx_destroy`);
    this.server = createServer({ noDelay: true }, (socket) => {
      this.cxTotal.inc();
      this.cxActive.add(1);
      this.connections.add(new DownstreamConnection(socket, this));
    });
    this.listening = new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ host: address.address, port: address.port, backlog }, () => {
        this.server.off("error", reject);
        // An accept that fails (too many open files) must not end the process.
        this.server.on("error", () => {});
        this.bound = true;
        resolve();
      });
    });
  }

  /** The port bound, when the config says 0. */
  get port(): number {
    const bound = this.server.address();
    return typeof bound === "object" && bound !== null ? bound.port : this.address.port;
  }

  onConnectionClosed(connection: DownstreamConnection): void {
    if (!this.connections.delete(connection)) return;
    this.cxActive.add(-1);
    this.cxDestroy.inc();
  }

  /** Stops accepting; open connections close after their current request, or when `ms` are over. */
  async drain(ms: number): Promise<void> {
    this.server.close();
    for (const connection of [...this.connections]) connection.drain();
    const deadline = performance.now() + ms;
    while (this.connections.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, ms)));
    }
    this.destroy();
  }

  destroy(): void {
    this.server.close();
    for (const connection of [...this.connections]) connection.destroy();
  }
}
