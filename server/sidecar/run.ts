import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  BuildVersionSchema,
  type Node,
  NodeSchema,
  TrafficDirection,
} from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { ClusterStatsSchema } from "../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import type { Secret } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { LoadStatsResponseSchema } from "../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import { systemClock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { formatFieldErrors, unwrap } from "../lib/result.ts";
import type { ListeningSocket } from "../lib/succession.ts";
import { type AdsClient, createAdsClient } from "../xds/client/ads-client.ts";
import type { ReceivedResource } from "../xds/client/delta-state.ts";
import type { TypeUrl } from "../xds/types.ts";
import { AccessLoggers } from "./access-log/access-loggers.ts";
import { IstioMetrics } from "./access-log/istio-metrics.ts";
import type { FlushOptions } from "./access-log/log-file.ts";
import { carryCounts, type ProxyCounts, proxyCounts } from "./access-log/proxy-counts.ts";
import { AdminServer } from "./admin/admin-server.ts";
import { certsViews, clusterViews } from "./admin/data-plane-views.ts";
import type { AdminSources, GatheredSources } from "./admin/handlers.ts";
import type { ClusterView } from "./admin/views.ts";
import { maxConnections } from "./bootstrap/connection-limit.ts";
import { localProxy } from "./bootstrap/local-proxy.ts";
import {
  interpret,
  type NodeOverrides,
  readBootstrap,
  readBootstrapFile,
  type SidecarBootstrap,
} from "./bootstrap/read-bootstrap.ts";
import { type LayerSources, readLayers } from "./bootstrap/runtime-layers.ts";
import { DataPlane } from "./data-plane.ts";
import { GrpcChannels, isGrpcOnly, serverNameOption } from "./grpc/grpc-channels.ts";
import { InheritedSockets } from "./listener/inherited-sockets.ts";
import type { ListenAddress } from "./listener/listener.ts";
import { measureLoopDelay } from "./loop-delay.ts";
import { MetricsSink } from "./metrics-sink.ts";
import type { AccessLogger } from "./record.ts";
import { Runtime, runtimeValues } from "./runtime.ts";
import { refreshServerStats } from "./server-stats.ts";
import { Stats } from "./stats.ts";
import { statsSnapshot } from "./stats-snapshot.ts";
import { Tracers } from "./tracing/tracers.ts";
import { Fleet } from "./workers/fleet.ts";
import type { WorkerReport } from "./workers/messages.ts";
import type { WorkerLink } from "./workers/worker-link.ts";
import type { WorkerPoolOptions } from "./workers/worker-pool.ts";
import { ConfigState } from "./xds/config-state.ts";
import type { ServerState } from "./xds/initialization.ts";
import { Initialization } from "./xds/initialization.ts";
import { LoadReporter } from "./xds/load-reporter.ts";
import { LocalLoads } from "./xds/local-loads.ts";
import { OwnSecrets } from "./xds/own-secrets.ts";
import { XdsResources } from "./xds/resources.ts";

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

/** Runs one proxy. Rejects with one sentence that names what is wrong with the bootstrap, or the port that is taken. */
export async function runSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  const sidecar = new Sidecar(options, readBootstrap(options.configPath, options));
  try {
    await sidecar.start();
  } catch (error) {
    await sidecar.release();
    throw error;
  }
  return sidecar;
}

/** Runs one proxy within an application, by a bootstrap that is no file. Rejects likewise. */
export async function embedSidecar(
  options: Omit<SidecarOptions, "configPath">,
  config: SidecarBootstrap,
  embedding: Embedding,
): Promise<EmbeddedSidecar> {
  const sidecar = new Sidecar({ ...options, configPath: "" }, config, true, embedding);
  try {
    await sidecar.start();
  } catch (error) {
    await sidecar.release();
    throw error;
  }
  return sidecar;
}

/** All that is wrong with a bootstrap and the resources in it, as `path: what`. Nothing is bound or called. */
export async function validateSidecar(options: SidecarOptions): Promise<string[]> {
  const read = readBootstrapFile(options.configPath, options);
  if (!read.ok) return read.errors.map((error) => formatFieldErrors([error]));
  const bootstrap = read.value;
  const whole = interpret(bootstrap);
  const errors = whole.ok ? [] : whole.errors.map((error) => formatFieldErrors([error]));
  const node = bootstrap.node ?? create(NodeSchema);
  const bare = { bootstrap, node, admin: undefined, ads: undefined, loadReports: undefined, statsSinks: [] };
  try {
    const sidecar = new Sidecar(options, bare, false);
    errors.push(...sidecar.addStatics());
    await sidecar.release();
  } catch (error) {
    errors.push(error instanceof Error ? error.message : String(error));
  }
  return errors;
}

/** The proxy, composed: every part and what it is given. */
class Sidecar implements EmbeddedSidecar {
  readonly stopped: Promise<ProxyCounts>;
  readonly #options: SidecarOptions;
  readonly #config: SidecarBootstrap;
  readonly #stats = new Stats();
  readonly #state: ConfigState;
  readonly #channels = new GrpcChannels();
  readonly #runtime = new Runtime();
  readonly #layers: LayerSources;
  readonly #loggers: AccessLoggers;
  readonly #tracers: Tracers;
  readonly #istio: IstioMetrics;
  readonly #inherited: InheritedSockets;
  readonly #plane: DataPlane;
  readonly #resources: XdsResources;
  readonly #embedding: Embedding | undefined;
  readonly #ownSecrets: OwnSecrets | undefined;
  readonly #resolveStopped: (counts: ProxyCounts) => void;
  /** What the admin shows: of this process, or of all workers. */
  readonly #fleet: Fleet | undefined;
  #initialization: Initialization | undefined;
  #client: AdsClient | undefined;
  #loads: LoadReporter | undefined;
  #sinks: MetricsSink[] = [];
  #stopMeasuring: () => void = () => {};
  #admin: AdminServer | undefined;
  /** Told to by the admin: load balancers in front shall send no more. */
  #healthFails = false;
  #draining: Promise<void> | undefined;

  /** @param listens false: only to see whether it could */
  constructor(options: SidecarOptions, config: SidecarBootstrap, listens = true, embedding?: Embedding) {
    this.#options = options;
    this.#embedding = embedding;
    this.#ownSecrets = embedding && new OwnSecrets(embedding.secrets);
    this.#config = config;
    const { node } = config;
    const runtime = this.#runtime;
    const layers = readLayers(config.bootstrap, runtime, (layer, error) => {
      this.#stats.counter(`runtime.${error === undefined ? "load_success" : "load_error"}`).inc();
      if (error !== undefined) options.logger.warn({ layer, error }, "a layer of the runtime cannot be read");
    });
    this.#layers = layers;
    identify(node, options.version, embedding?.userAgent);
    this.#state = new ConfigState(config.bootstrap, clock.now);
    const { promise, resolve } = Promise.withResolvers<ProxyCounts>();
    this.stopped = promise;
    this.#resolveStopped = resolve;

    // The few streams that the proxy itself opens go to static clusters of the bootstrap.
    const channels = this.#channels;
    for (const cluster of staticClusters(config)) channels.add(cluster);

    // What a finished request leaves behind: log entries, Istio's metrics, spans.
    const { workers, link, logger } = options;
    this.#inherited = new InheritedSockets(options.inherited ?? []);
    this.#fleet =
      workers &&
      new Fleet(
        { ...workers, node, logger, stats: this.#stats, onChange: () => this.#initialization?.check() },
        this.#inherited,
        options.reusePort,
      );
    // A process that only reads configuration has nothing to count of requests.
    const stats = this.#fleet === undefined ? this.#stats : new Stats();
    this.#loggers = new AccessLoggers({
      node,
      channels,
      stats,
      clock,
      runtime,
      flush: options.fileFlush,
      writes: listens,
    });
    this.#tracers = new Tracers({ node, channels, stats, clock });
    this.#istio = new IstioMetrics(node);
    this.#plane = new DataPlane({
      maxConnections: maxConnections(config.bootstrap),
      stats,
      logger,
      runtime,
      local: { ...localProxy(config.bootstrap), healthCheckFails: () => this.#healthFails },
      reusePort: options.reusePort,
      inherited: this.#inherited,
      acquire: link && ((name, address) => link.acquire(name, address)),
      listens: listens && this.#fleet === undefined,
      isInternal: embedding && (({ trafficDirection }) => trafficDirection !== TrafficDirection.INBOUND),
      accessLogger: (configs, direction) =>
        both(this.#istio.logger(direction), unwrap(this.#loggers.loggerFor(configs))),
      lines: (path) => this.#loggers.lines(path),
      connectionLogger: (configs) => unwrap(this.#loggers.loggerFor(configs)) ?? silent,
      tracer: (tracing) => unwrap(this.#tracers.tracerFor(tracing)),
    });

    // Discovery feeds the data path; readiness follows from what it has answered.
    this.#resources = new XdsResources({
      plane: this.#plane,
      state: this.#state,
      // Of what comes by discovery, the process that has the stream counts.
      stats: link === undefined ? this.#stats : new Stats(),
      clock,
      followers: this.#fleet,
      ownSecrets: this.#ownSecrets,
      runtime: {
        layers: layers.discovered,
        set: (name, values) => runtime.setLayer(name, runtimeValues(values)),
      },
      fetchTimeoutMs: config.ads?.initialFetchTimeoutMs ?? 0,
      onUpdate: (typeUrl) => {
        this.#fleet?.retain(this.#plane.listenAddresses());
        this.#initialization?.onUpdate(typeUrl);
        this.#checkWhenListening();
      },
    });
  }

  get admin(): RunningSidecar["admin"] {
    return this.#admin?.address;
  }

  state(): ServerState {
    if (this.#draining !== undefined || this.#healthFails) return "DRAINING";
    // Nobody serves until the first worker is back.
    if (this.#fleet?.live === 0 && this.#initialization?.state === "LIVE") return "INITIALIZING";
    return this.#initialization?.state ?? "PRE_INITIALIZING";
  }

  async start(): Promise<void> {
    this.carry(this.#options.carried);
    for (const layer of this.#layers.disk) layer.start();
    const errors = this.addStatics();
    if (errors.length > 0) throw new Error(errors.join("; "));
    await this.#startAdmin();
    const { ads } = this.#config;
    this.#initialization = new Initialization({
      clock,
      clusters: ads?.clusters ?? false,
      listeners: ads?.listeners ?? false,
      timeoutMs: ads?.initialFetchTimeoutMs ?? 0,
      pending: () => this.#resources.pending + (this.#fleet?.awaited ?? (this.#plane.ready ? 0 : 1)),
      onLive: () => {
        this.#inherited.close();
        this.#options.logger.info({}, "live");
        this.#options.link?.say({ kind: "live" });
        this.#embedding?.onLive();
      },
    });
    this.#checkWhenListening();
    this.#fleet?.start();
    const { link } = this.#options;
    if (link !== undefined) this.#follow(link, ads);
    else if (ads) this.#startDiscovery(ads);
    if (link === undefined) this.#startLoadReports();
    this.#startStatsSinks();
  }

  get connected(): boolean {
    return this.#stats.gauge("control_plane.connected_state").value === 1;
  }

  take(address: ListenAddress, socket: Socket): boolean {
    return this.#plane.take(address, socket);
  }

  identify(secrets: readonly Secret[], clusters: readonly Cluster[]): void {
    for (const cluster of clusters) this.#channels.add(cluster);
    this.#ownSecrets?.replace(secrets, this.#plane);
  }

  reopenLogs(): void {
    this.#loggers.reopen();
    this.#fleet?.tell({ kind: "reopen logs" });
  }

  sockets(): ListeningSocket[] {
    const { admin } = this.#config;
    const own = admin === undefined ? undefined : this.#admin?.socket(admin);
    return [...(this.#fleet?.sockets() ?? this.#plane.sockets()), ...(own === undefined ? [] : [own])];
  }

  async counts(): Promise<ProxyCounts> {
    await this.#fleet?.gather();
    return this.#counts();
  }

  carry(counts: unknown): void {
    if (this.#fleet === undefined) carryCounts(counts, this.#stats, this.#istio);
    else this.#fleet.carry(counts);
  }

  #counts(): ProxyCounts {
    return this.#fleet?.counts() ?? proxyCounts(this.#stats, this.#istio);
  }

  /** Puts the bootstrap's own resources in. @returns all that is wrong with them */
  addStatics(): string[] {
    const { clusters = [], listeners = [] } = this.#config.bootstrap.staticResources ?? {};
    const errors = [
      ...clusters.flatMap((cluster) => {
        const refused = this.#plane.setCluster(cluster);
        // What serves the proxy's own streams need not serve requests: a route to it then finds none.
        return isGrpcOnly(cluster) ? [] : refused;
      }),
      ...listeners.flatMap((listener) => this.#plane.setListener(listener)),
    ];
    return errors.map((error) => `static_resources: ${error}`);
  }

  stop(handedOver = false): Promise<void> {
    this.#draining ??= this.#drain(handedOver);
    return this.#draining;
  }

  /** Frees everything, whatever was started. */
  async release(): Promise<void> {
    await this.#fleet?.stop(false, 0);
    for (const layer of this.#layers.disk) layer.close();
    this.#client?.stop();
    this.#loads?.stop();
    this.#resources.close();
    this.#initialization?.close();
    this.#plane.close();
    this.#inherited.close();
    this.#stopMeasuring();
    await Promise.all([this.#loggers.close(), this.#tracers.close(), ...this.#sinks.map((sink) => sink.close())]);
    this.#channels.close();
    await this.#admin?.close();
  }

  async #drain(handedOver: boolean): Promise<void> {
    const { drainTimeMs, logger } = this.#options;
    logger.info({ drainTimeMs, handedOver }, "draining");
    this.#client?.stop();
    // The admin is the successor's at once, as Envoy's is.
    if (handedOver) await this.#admin?.close();
    if (this.#fleet === undefined) await this.#plane.drain(drainTimeMs, handedOver ? 0 : drainTimeMs / 2);
    else await this.#fleet.stop(handedOver, drainTimeMs + graceMs);
    await this.#options.link?.sayLast({ kind: "report", report: this.#report(false) });
    const counts = this.#counts();
    await this.release();
    logger.info({}, "stopped");
    this.#resolveStopped(counts);
  }

  #checkWhenListening(): void {
    void this.#plane.whenListening().then(() => this.#initialization?.check());
  }

  #startLoadReports(): void {
    const { loadReports: cluster, node } = this.#config;
    if (cluster === undefined) return;
    const channel = () => this.#channels.channel(cluster);
    const loads = this.#fleet?.loads ?? new LocalLoads(this.#plane.clusterMap);
    this.#loads = new LoadReporter({ node, channel, loads, stats: this.#stats, clock });
    this.#loads.start();
  }

  /** Each process measures its own loop; the one that has the admin tells of all. */
  #startStatsSinks(): void {
    const { statsSinks, node } = this.#config;
    if (statsSinks.length === 0) return;
    if (this.#fleet === undefined) this.#stopMeasuring = measureLoopDelay(this.#stats, clock);
    if (this.#options.link !== undefined) return;
    const { stats, refreshStats, gather } = this.#gatheredSources();
    const refresh = async () => {
      await gather?.();
      refreshStats();
    };
    this.#sinks = statsSinks.map(({ cluster, flushIntervalMs }) => {
      const channel = () => this.#channels.channel(cluster);
      return new MetricsSink({ node, channel, stats, refresh, flushIntervalMs, clock });
    });
    for (const sink of this.#sinks) sink.start();
  }

  #startDiscovery(ads: NonNullable<SidecarBootstrap["ads"]>): void {
    const connected = this.#stats.gauge("control_plane.connected_state");
    // The stream has one connection of its own, beside the cluster's pool.
    const connections = this.#stats.gauge(`cluster.${ads.cluster}.upstream_cx_active`);
    this.#client = createAdsClient({
      target: ads.target.address,
      ...(ads.target.tls && {
        credentials: () => this.#channels.credentials(ads.cluster),
        channelOptions: serverNameOption(ads.target),
      }),
      node: this.#config.node,
      logger: this.#options.logger,
      clock,
      handlers: this.#resources.handlers,
      onConnection: ({ state }) => {
        connected.set(state === "connected" ? 1 : 0);
        connections.set(state === "connected" ? 1 : 0);
      },
    });
    this.#resources.attach(this.#client, ads);
    this.#client.start();
  }

  /** A worker hears from the main process what that has from discovery and from the admin. */
  #follow(link: WorkerLink, ads: SidecarBootstrap["ads"]): void {
    if (ads) this.#resources.attach({ subscribe() {}, unsubscribe() {} }, ads);
    const loads = new LocalLoads(this.#plane.clusterMap);
    link.start(
      {
        resources: ({ typeUrl, added, removed }) => this.#take(typeUrl, added, removed),
        report: ({ id, pages }) => link.say({ kind: "report", id, report: this.#report(pages) }),
        loads: ({ id, asked, what }) => {
          const message = fromBinary(LoadStatsResponseSchema, asked);
          if (what !== "report") loads.track(message, what === "begin");
          const told = what === "report" ? loads.report(message) : [];
          link.say({ kind: "loads", id, loads: told.map((load) => toBinary(ClusterStatsSchema, load)) });
        },
        runtime: ({ name, values }) => this.#runtime.setLayer(name, values),
        "health checks": ({ fail }) => {
          this.#healthFails = fail;
        },
        "log level": ({ level }) => void this.#options.logLevel.set(level),
        "drain listeners": () => void this.#plane.drain(this.#options.drainTimeMs),
        "reopen logs": () => this.reopenLogs(),
        "reset counters": () => this.#resetCounters(),
        drain: ({ handedOver }) => void this.stop(handedOver),
      },
      () => void this.stop(),
    );
  }

  #take(typeUrl: TypeUrl, added: ReceivedResource[], removed: string[]): void {
    const refused = this.#resources.handlers[typeUrl]?.apply({ added, removed, full: false });
    for (const [name, error] of refused ?? []) {
      this.#options.logger.error({ typeUrl, name, error }, "a worker cannot take what the main process has taken");
    }
  }

  #report(pages: boolean): WorkerReport {
    refreshServerStats(this.#stats, this.#plane, this.state());
    const counts = { stats: statsSnapshot(this.#stats), istio: this.#istio.snapshot() };
    return pages ? { ...counts, clusters: this.#clusterViews(), listeners: this.#plane.boundListeners() } : counts;
  }

  #clusterViews(): ClusterView[] {
    const statics = new Set(staticClusters(this.#config).map(({ name }) => name));
    return clusterViews(this.#plane, (name) => statics.has(name));
  }

  #resetCounters(): void {
    for (const counter of this.#stats.counters.values()) counter.value = 0;
    this.#istio.reset();
    this.#fleet?.reset();
  }

  async #startAdmin(): Promise<void> {
    const { adminAddressPath, logger, reusePort } = this.#options;
    const { admin } = this.#config;
    if (admin === undefined || this.#options.link !== undefined) return;
    const inherited = this.#inherited.take(admin.host, admin.port);
    this.#admin = await AdminServer.listen(admin, this.#adminSources(), { reusePort, inherited });
    const { host, port } = this.#admin.address;
    if (adminAddressPath) writeFileSync(adminAddressPath, `${host}:${port}`);
    logger.info({ host, port }, "admin listens");
  }

  #adminSources(): AdminSources {
    const { configPath, drainTimeMs, logLevel, version, workers } = this.#options;
    const fleet = this.#fleet;
    return {
      node: this.#config.node,
      config: this.#state,
      version,
      options: { configPath, concurrency: workers?.count ?? 1 },
      certs: () => certsViews([...this.#channels.tlsContexts(), ...this.#plane.tlsContexts()]),
      state: () => this.state(),
      logLevel: fleet === undefined ? logLevel : fleet.logLevel(logLevel),
      drainListeners: () => {
        if (fleet === undefined) void this.#plane.drain(drainTimeMs);
        else fleet.tell({ kind: "drain listeners" });
      },
      failHealthChecks: (fail) => {
        this.#healthFails = fail;
        fleet?.establish("health checks", { kind: "health checks", fail });
      },
      runtime: {
        values: this.#runtime,
        adminLayer: this.#layers.admin,
        modified: (name, values) => fleet?.establish(`runtime ${name}`, { kind: "runtime", name, values }),
      },
      resetCounters: () => this.#resetCounters(),
      reopenLogs: () => this.reopenLogs(),
      quit: () => void this.stop(),
      ...this.#gatheredSources(),
    };
  }

  /** What the admin shows of this process, or of all that serve. */
  #gatheredSources(): GatheredSources {
    const refreshStats = () => refreshServerStats(this.#stats, this.#plane, this.state(), this.#options.workers?.count);
    if (this.#fleet !== undefined) return this.#fleet.sources(refreshStats);
    return {
      stats: () => this.#stats,
      istio: () => this.#istio,
      clusters: () => this.#clusterViews(),
      listeners: () => this.#plane.boundListeners(),
      refreshStats,
    };
  }
}

const clock = systemClock;

/** Beyond the time to drain, for what is left to be sent. */
const graceMs = 3_000;

const staticClusters = ({ bootstrap }: SidecarBootstrap) => bootstrap.staticResources?.clusters ?? [];

/** Tells the control plane which proxy this is; the rest of the node is the bootstrap's. */
function identify(node: Node, version: string, userAgent = "limpid-sidecar"): void {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  node.userAgentName = userAgent;
  node.userAgentVersionType = {
    case: "userAgentBuildVersion",
    value: create(BuildVersionSchema, { version: { majorNumber: major, minorNumber: minor, patch } }),
  };
  node.metadata = { ...node.metadata, LIMPID_VERSION: version };
}

const silent: AccessLogger = { log: () => {} };

function both(first: AccessLogger, second: AccessLogger | undefined): AccessLogger {
  if (second === undefined) return first;
  return {
    log(record) {
      first.log(record);
      second.log(record);
    },
  };
}
