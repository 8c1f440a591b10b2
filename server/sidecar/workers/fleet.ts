import type { Logger } from "../../lib/logger.ts";
import type { ListeningSocket } from "../../lib/succession.ts";
import type { ReceivedResource } from "../../xds/client/delta-state.ts";
import type { TypeUrl } from "../../xds/types.ts";
import { type ProxyCounts, proxyCounts } from "../access-log/proxy-counts.ts";
import type { AdminSources, GatheredSources } from "../admin/handlers.ts";
import type { InheritedSockets } from "../listener/inherited-sockets.ts";
import type { ListenAddress } from "../listener/listen-address.ts";
import type { Stats } from "../stats.ts";
import type { Followers } from "../xds/resources.ts";
import type { ToWorker } from "./messages.ts";
import { PooledLoads } from "./pooled-loads.ts";
import { PooledViews } from "./pooled-views.ts";
import { ResourceJournal } from "./resource-journal.ts";
import { SharedSockets } from "./shared-sockets.ts";
import { WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";

interface FleetOptions extends Pick<WorkerPoolOptions, "count" | "fork" | "node" | "onChange"> {
  readonly logger: Logger;
  /** Of the main process. */
  readonly stats: Stats;
}

/** Workers as the main process deals with them: what they are told, what they share, and what they have in common to tell. */
export class Fleet implements Followers {
  readonly loads: PooledLoads;
  private readonly journal = new ResourceJournal();
  private readonly shared: SharedSockets;
  private readonly pool: WorkerPool;
  private readonly views: PooledViews;

  constructor(options: FleetOptions, inherited: InheritedSockets, reusePort = false) {
    this.shared = new SharedSockets(inherited, reusePort);
    this.pool = new WorkerPool({ ...options, sockets: this.shared, journal: this.journal });
    this.loads = new PooledLoads(this.pool);
    this.views = new PooledViews(this.pool, options.stats, options.node);
  }

  start(): void {
    this.pool.start();
  }

  get live(): number {
    return this.pool.live;
  }

  /** How many are not live. */
  get awaited(): number {
    return this.pool.slots.length - this.pool.live;
  }

  changed(typeUrl: TypeUrl, added: readonly ReceivedResource[], removed: readonly string[]): void {
    this.pool.tell(this.journal.changed(typeUrl, added, removed));
  }

  forgotten(typeUrl: TypeUrl, names: readonly string[]): void {
    this.journal.forgotten(typeUrl, names);
  }

  /** Closes sockets that none of these listeners has. */
  retain(listeners: readonly { name: string; address: ListenAddress }[]): void {
    this.shared.retain(listeners);
  }

  sockets(): ListeningSocket[] {
    return this.shared.list();
  }

  tell(message: ToWorker): void {
    this.pool.tell(message);
  }

  establish(key: string, message: ToWorker): void {
    this.pool.establish(key, message);
  }

  reset(): void {
    this.pool.reset();
    this.views.reset();
  }

  /** Of all workers, what is known of those that give no answer. */
  async gather(): Promise<void> {
    await this.pool.refresh(false);
  }

  counts(): ProxyCounts {
    this.views.merge();
    return proxyCounts(this.views.stats, this.views.istio);
  }

  /** Adds what a predecessor of all of them has counted. */
  carry(counts: unknown): void {
    this.views.carry(counts);
  }

  logLevel(own: AdminSources["logLevel"]): AdminSources["logLevel"] {
    return {
      get: () => own.get(),
      set: (level) => {
        const done = own.set(level);
        if (done) this.establish("log level", { kind: "log level", level });
        return done;
      },
    };
  }

  sources(refreshOwn: () => void): GatheredSources {
    const { views } = this;
    return {
      stats: () => views.stats,
      istio: () => views.istio,
      clusters: () => views.clusters(),
      listeners: () => views.listeners(),
      gather: () => views.gather(),
      refreshStats() {
        refreshOwn();
        views.merge();
      },
    };
  }

  /** Lets all of them drain; the sockets stay the workers' until each has closed its own. */
  async stop(handedOver: boolean, ms: number): Promise<void> {
    this.shared.close();
    await this.pool.stop(handedOver, ms);
  }
}
