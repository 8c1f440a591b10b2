import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Cluster } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { Secret } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { ListeningSocket } from "../../lib/succession.ts";
import type { AdsClient } from "../../xds/client/ads-client.ts";
import type { ProxyCounts } from "../access-log/proxy-counts.ts";
import { AdminServer } from "../admin/admin-server.ts";
import type { SidecarBootstrap } from "../bootstrap/read-bootstrap.ts";
import { isGrpcOnly } from "../grpc/grpc-channels.ts";
import type { ListenAddress } from "../listener/listen-address.ts";
import type { ReadinessProbe } from "../probe/readiness-probe.ts";
import type { ServerState } from "../xds/initialization.ts";
import { adminSources } from "./admin-sources.ts";
import { carry, countsOf, workerReport } from "./counts.ts";
import { isConnected, startDiscovery } from "./discovery.ts";
import { followMain } from "./follow-main.ts";
import { assemble, type Parts, staticClusters } from "./parts.ts";
import { Reports } from "./reports.ts";
import type { EmbeddedSidecar, Embedding, RunningSidecar, SidecarOptions } from "./running-sidecar.ts";
import { startWorkloadProbe } from "./workload-health.ts";

/** The life of a proxy: in which order its parts begin, and in which they end. */
export class Sidecar implements EmbeddedSidecar {
  readonly stopped: Promise<ProxyCounts>;
  readonly #parts: Parts;
  readonly #embedding: Embedding | undefined;
  readonly #reports: Reports;
  readonly #resolveStopped: (counts: ProxyCounts) => void;
  #client: AdsClient | undefined;
  #workloadProbe: ReadinessProbe | undefined;
  #admin: AdminServer | undefined;
  #draining: Promise<void> | undefined;

  /** @param listens false: only to see whether it could */
  constructor(options: SidecarOptions, config: SidecarBootstrap, listens = true, embedding?: Embedding) {
    this.#parts = assemble(options, config, listens, embedding);
    this.#embedding = embedding;
    this.#reports = new Reports(this.#parts);
    const { promise, resolve } = Promise.withResolvers<ProxyCounts>();
    this.stopped = promise;
    this.#resolveStopped = resolve;
  }

  async start(): Promise<void> {
    const { config, options, layers, fleet } = this.#parts;
    this.carry(options.carried);
    for (const layer of layers.disk) layer.start();
    const errors = this.addStatics();
    if (errors.length > 0) throw new Error(errors.join("; "));
    await this.#startAdmin();
    this.#awaitLive();
    fleet?.start();
    if (options.link !== undefined) {
      followMain(this.#parts, options.link, {
        reopenLogs: () => this.reopenLogs(),
        stop: (handedOver) => void this.stop(handedOver),
      });
    } else if (config.ads) {
      this.#client = startDiscovery(this.#parts, config.ads);
      this.#workloadProbe = startWorkloadProbe(this.#parts, this.#client);
    }
    this.#reports.start();
  }

  stop(handedOver = false): Promise<void> {
    this.#draining ??= this.#drain(handedOver);
    return this.#draining;
  }

  async #drain(handedOver: boolean): Promise<void> {
    const { options, fleet, plane, readiness } = this.#parts;
    const { drainTimeMs, logger, link } = options;
    readiness.draining = true;
    logger.info({ drainTimeMs, handedOver }, "draining");
    this.#workloadProbe?.stop();
    this.#client?.stop();
    // The admin is the successor's at once, as Envoy's is.
    if (handedOver) await this.#admin?.close();
    if (fleet === undefined) await plane.drain(drainTimeMs, handedOver ? 0 : drainTimeMs / 2);
    else await fleet.stop(handedOver, drainTimeMs + graceMs);
    await link?.sayLast({ kind: "report", report: workerReport(this.#parts, false) });
    const counts = countsOf(this.#parts);
    await this.release();
    logger.info({}, "stopped");
    this.#resolveStopped(counts);
  }

  /** Frees everything, whatever was started. */
  async release(): Promise<void> {
    const { fleet, layers, resources, readiness, plane, inherited, telemetry, channels } = this.#parts;
    await fleet?.stop(false, 0);
    for (const layer of layers.disk) layer.close();
    this.#workloadProbe?.stop();
    this.#client?.stop();
    resources.close();
    readiness.close();
    plane.close();
    inherited.close();
    await Promise.all([telemetry.close(), this.#reports.close()]);
    channels.close();
    await this.#admin?.close();
  }

  /** Puts the bootstrap's own resources in. @returns all that is wrong with them */
  addStatics(): string[] {
    const { config, plane } = this.#parts;
    const errors = [
      ...staticClusters(config).flatMap((cluster) => {
        const refused = plane.setCluster(cluster);
        // What serves the proxy's own streams need not serve requests: a route to it then finds none.
        return isGrpcOnly(cluster) ? [] : refused;
      }),
      ...(config.bootstrap.staticResources?.listeners ?? []).flatMap((listener) => plane.setListener(listener)),
    ];
    return errors.map((error) => `static_resources: ${error}`);
  }

  async #startAdmin(): Promise<void> {
    const { config, options, inherited } = this.#parts;
    const { adminAddressPath, logger, reusePort, link } = options;
    const { admin } = config;
    if (admin === undefined || link !== undefined) return;
    const sources = adminSources(this.#parts, {
      reopenLogs: () => this.reopenLogs(),
      quit: () => void this.stop(),
    });
    const socket = inherited.take(admin.host, admin.port);
    this.#admin = await AdminServer.listen(admin, sources, { reusePort, inherited: socket });
    const { host, port } = this.#admin.address;
    if (adminAddressPath) writeFileSync(adminAddressPath, `${host}:${port}`);
    logger.info({ host, port }, "admin listens");
  }

  #awaitLive(): void {
    const { config, options, readiness, resources, fleet, plane, inherited } = this.#parts;
    const pending = () => resources.pending + (fleet?.awaited ?? (plane.ready ? 0 : 1));
    readiness.begin(config.ads, pending, () => {
      inherited.close();
      options.logger.info({}, "live");
      options.link?.say({ kind: "live" });
      this.#embedding?.onLive();
    });
    void plane.whenListening().then(() => readiness.check());
  }

  get admin(): RunningSidecar["admin"] {
    return this.#admin?.address;
  }

  state(): ServerState {
    return this.#parts.readiness.state;
  }

  async counts(): Promise<ProxyCounts> {
    await this.#parts.fleet?.gather();
    return countsOf(this.#parts);
  }

  carry(counts: unknown): void {
    carry(this.#parts, counts);
  }

  reopenLogs(): void {
    this.#parts.telemetry.reopenLogs();
    this.#parts.fleet?.tell({ kind: "reopen logs" });
  }

  sockets(): ListeningSocket[] {
    const { config, fleet, plane } = this.#parts;
    const own = config.admin === undefined ? undefined : this.#admin?.socket(config.admin);
    return [...(fleet?.sockets() ?? plane.sockets()), ...(own === undefined ? [] : [own])];
  }

  get connected(): boolean {
    return isConnected(this.#parts);
  }

  take(address: ListenAddress, socket: Socket): boolean {
    return this.#parts.plane.take(address, socket);
  }

  identify(secrets: readonly Secret[], clusters: readonly Cluster[]): void {
    for (const cluster of clusters) this.#parts.channels.add(cluster);
    this.#parts.ownSecrets?.replace(secrets, this.#parts.plane);
  }
}

/** Beyond the time to drain, for what is left to be sent. */
const graceMs = 3_000;
