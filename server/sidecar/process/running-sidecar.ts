import type { Socket } from "node:net";
import type { Cluster } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { Secret } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { Logger } from "../../lib/logger.ts";
import type { ListeningSocket } from "../../lib/succession.ts";
import type { FlushOptions } from "../access-log/log-file.ts";
import type { ProxyCounts } from "../access-log/proxy-counts.ts";
import type { AdminSources } from "../admin/handlers.ts";
import type { NodeOverrides } from "../bootstrap/read-bootstrap.ts";
import type { ListenAddress } from "../listener/listen-address.ts";
import type { WorkerLink } from "../workers/worker-link.ts";
import type { WorkerPoolOptions } from "../workers/worker-pool.ts";
import type { ServerState } from "../xds/initialization.ts";

export interface SidecarOptions extends NodeOverrides {
  configPath: string;
  /** Where the admin's `host:port` is written once it is bound, for a bootstrap that asks for port 0. */
  adminAddressPath?: string;
  /** The longest that stopping waits for requests in flight. */
  drainTimeMs: number;
  /** Lets a successor listen on the same ports before this one has stopped. */
  reusePort?: boolean;
  /** When files of access logs are written. */
  fileFlush?: FlushOptions;
  /** Listening sockets of a predecessor; of what is not among them it binds its own. */
  inherited?: readonly ListeningSocket[];
  /** What a predecessor had counted; see {@link RunningSidecar.counts}. */
  carried?: unknown;
  /** Processes that serve, while this one has the admin and the control plane; absent: this one serves. */
  workers?: Pick<WorkerPoolOptions, "count" | "fork"> | undefined;
  /** This is such a process; the other one tells it everything. */
  link?: WorkerLink | undefined;
  /** Of the package, `1.2.3`. */
  version: string;
  logger: Logger;
  logLevel: AdminSources["logLevel"];
}

/** What a proxy is given that is a part of an application. */
export interface Embedding {
  /** How it calls itself. */
  userAgent: string;
  /** Made by the application; the control plane sends none of their names. */
  secrets: readonly Secret[];
  onLive(): void;
}

export interface RunningSidecar {
  readonly admin: { host: string; port: number } | undefined;
  state(): ServerState;
  /** Resolves once stopped, by {@link stop} or over the admin, with all that it had counted. */
  readonly stopped: Promise<ProxyCounts>;
  /** What it has counted so far, for a successor. */
  counts(): Promise<ProxyCounts>;
  /** Adds what a predecessor has counted. */
  carry(counts: unknown): void;
  /** Goes on with log files that have the paths by now. */
  reopenLogs(): void;
  /** For a successor: it may accept on them as well, before and after this one stops. */
  sockets(): ListeningSocket[];
  /**
   * Sends clients away, lets requests in flight end, sends the last logs and spans, frees everything.
   * @param handedOver a successor serves on the same sockets, so that nothing more is accepted here
   */
  stop(handedOver?: boolean): Promise<void>;
}

/** A proxy within an application: its outbound listeners are not bound, and take connections from inside. */
export interface EmbeddedSidecar extends RunningSidecar {
  /** Whether it has a stream to the control plane. */
  readonly connected: boolean;
  /** Breaks everything off. */
  release(): Promise<void>;
  /** @returns whether there is an outbound listener of that address */
  take(address: ListenAddress, socket: Socket): boolean;
  /** Goes on with another identity, for new connections. @param clusters of the bootstrap, which hold it as well */
  identify(secrets: readonly Secret[], clusters: readonly Cluster[]): void;
}
