import { writeFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { BuildVersionSchema, type Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { systemClock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { type AdsClient, createAdsClient } from "../xds/client/ads-client.ts";
import { AccessLoggers } from "./access-log/access-loggers.ts";
import { IstioMetrics } from "./access-log/istio-metrics.ts";
import { AdminServer } from "./admin/admin-server.ts";
import { clusterViews } from "./admin/data-plane-views.ts";
import type { AdminSources } from "./admin/handlers.ts";
import type { ServerState } from "./admin/views.ts";
import { type NodeOverrides, readBootstrap, type SidecarBootstrap } from "./bootstrap/read-bootstrap.ts";
import { DataPlane } from "./data-plane.ts";
import type { AccessLogger } from "./record.ts";
import { refreshServerStats } from "./server-stats.ts";
import { Stats } from "./stats.ts";
import { Tracers } from "./tracing/tracers.ts";
import { ConfigState } from "./xds/config-state.ts";
import { GrpcChannels, isGrpcOnly } from "./xds/grpc-channels.ts";
import { Initialization } from "./xds/initialization.ts";
import { XdsResources } from "./xds/resources.ts";

export interface SidecarOptions extends NodeOverrides {
  configPath: string;
  /** Where the admin's `host:port` is written once it is bound, for a bootstrap that asks for port 0. */
  adminAddressPath?: string;
  /** The longest that stopping waits for requests in flight. */
  drainTimeMs: number;
  /** Of the package, `1.2.3`. */
  version: string;
  logger: Logger;
  logLevel: AdminSources["logLevel"];
}

export interface RunningSidecar {
  readonly admin: { host: string; port: number } | undefined;
  state(): ServerState;
  /** Resolves once stopped, by {@link stop} or over the admin. */
  readonly stopped: Promise<void>;
  /** Stops accepting, lets requests in flight end, sends the last logs and spans, frees everything. */
  stop(): Promise<void>;
}

/** One proxy, composed. Rejects with one sentence that names what is wrong with the bootstrap, or the port that is taken. */
export async function runSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  const { logger } = options;
  const config = readBootstrap(options.configPath, options);
  identify(config.node, options.version);
  const clock = systemClock;
  const stats = new Stats();
  const state = new ConfigState(config.bootstrap, clock.now);

  // The few streams that the proxy itself opens go to static clusters of the bootstrap.
  const channels = new GrpcChannels();
  const statics = config.bootstrap.staticResources?.clusters ?? [];
  for (const cluster of statics) channels.add(cluster);

  // What a finished request leaves behind: log entries, Istio's metrics, spans.
  const loggers = new AccessLoggers({ node: config.node, channels, stats, clock });
  const tracers = new Tracers({ node: config.node, channels, stats, clock });
  const istio = new IstioMetrics(config.node);
  const plane = new DataPlane({
    stats,
    logger,
    accessLogger: (configs, direction) => both(istio.logger(direction), unwrap(loggers.loggerFor(configs))),
    tracer: (tracing) => unwrap(tracers.tracerFor(tracing)),
  });

  // Discovery feeds the data path; readiness follows from what it has answered.
  const { ads } = config;
  const resources = new XdsResources({
    plane,
    state,
    stats,
    clock,
    fetchTimeoutMs: ads?.initialFetchTimeoutMs ?? 0,
    onUpdate(typeUrl) {
      initialization?.onUpdate(typeUrl);
      void plane.whenListening().then(() => initialization?.check());
    },
  });
  let initialization: Initialization | undefined;
  let draining: Promise<void> | undefined;
  const serverState = (): ServerState =>
    draining !== undefined ? "DRAINING" : (initialization?.state ?? "PRE_INITIALIZING");
  let client: AdsClient | undefined;
  let admin: AdminServer | undefined;

  const release = async () => {
    client?.stop();
    resources.close();
    initialization?.close();
    plane.close();
    await Promise.all([loggers.close(), tracers.close()]);
    channels.close();
    await admin?.close();
  };
  const { promise: stopped, resolve: resolveStopped } = Promise.withResolvers<void>();
  const stop = () => {
    draining ??= (async () => {
      logger.info({ drainTimeMs: options.drainTimeMs }, "draining");
      client?.stop();
      await plane.drain(options.drainTimeMs);
      await release();
      logger.info({}, "stopped");
      resolveStopped();
    })();
    return draining;
  };

  try {
    addStatics(plane, config);
    if (config.admin) {
      admin = await AdminServer.listen(config.admin, {
        node: config.node,
        config: state,
        stats,
        istio,
        version: options.version,
        options: { configPath: options.configPath, concurrency: 1 },
        clusters: () => clusterViews(plane, (name) => statics.some((cluster) => cluster.name === name)),
        listeners: () => plane.boundListeners(),
        refreshStats: () => refreshServerStats(stats, plane, serverState()),
        state: serverState,
        logLevel: options.logLevel,
        drainListeners: () => void plane.drain(options.drainTimeMs),
        quit: () => void stop(),
      });
      const { host, port } = admin.address;
      if (options.adminAddressPath) writeFileSync(options.adminAddressPath, `${host}:${port}`);
      logger.info({ host, port }, "admin listens");
    }
    initialization = new Initialization({
      clock,
      clusters: ads?.clusters ?? false,
      listeners: ads?.listeners ?? false,
      timeoutMs: ads?.initialFetchTimeoutMs ?? 0,
      pending: () => resources.pending + (plane.ready ? 0 : 1),
      onLive: () => logger.info({}, "live"),
    });
    void plane.whenListening().then(() => initialization?.check());
    if (ads) {
      const connected = stats.gauge("control_plane.connected_state");
      client = createAdsClient({
        target: ads.target,
        node: config.node,
        logger,
        clock,
        handlers: resources.handlers,
        onConnection: (connection) => connected.set(connection.state === "connected" ? 1 : 0),
      });
      resources.attach(client, ads);
      client.start();
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { admin: admin?.address, state: serverState, stopped, stop };
}

/** Tells the control plane which proxy this is; the rest of the node is the bootstrap's. */
function identify(node: Node, version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  node.userAgentName = "limpid-sidecar";
  node.userAgentVersionType = {
    case: "userAgentBuildVersion",
    value: create(BuildVersionSchema, { version: { majorNumber: major, minorNumber: minor, patch } }),
  };
  node.metadata = { ...node.metadata, LIMPID_VERSION: version };
}

function addStatics(plane: DataPlane, { bootstrap }: SidecarBootstrap): void {
  const { clusters = [], listeners = [] } = bootstrap.staticResources ?? {};
  const errors = [
    // HTTP/2 is for the proxy's own streams; a route to such a cluster finds none.
    ...clusters.flatMap((cluster) => (isGrpcOnly(cluster) ? [] : plane.setCluster(cluster))),
    ...listeners.flatMap((listener) => plane.setListener(listener)),
  ];
  if (errors.length > 0) throw new Error(`static_resources: ${errors.join("; ")}`);
}

function both(first: AccessLogger, second: AccessLogger | undefined): AccessLogger {
  if (second === undefined) return first;
  return {
    log(record) {
      first.log(record);
      second.log(record);
    },
  };
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; errors: string[] }): T {
  if (result.ok) return result.value;
  throw new Error(result.errors.join("; "));
}
