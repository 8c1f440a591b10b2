import { TrafficDirection } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { systemClock } from "../../lib/clock.ts";
import { maxConnections } from "../bootstrap/connection-limit.ts";
import { localProxy } from "../bootstrap/local-proxy.ts";
import type { SidecarBootstrap } from "../bootstrap/read-bootstrap.ts";
import { type LayerSources, readLayers } from "../bootstrap/runtime-layers.ts";
import { DataPlane } from "../data-plane.ts";
import { GrpcChannels } from "../grpc/grpc-channels.ts";
import { InheritedSockets } from "../listener/inherited-sockets.ts";
import { Runtime, runtimeValues } from "../runtime.ts";
import { Stats } from "../stats.ts";
import { Fleet } from "../workers/fleet.ts";
import { ConfigState } from "../xds/config-state.ts";
import { OwnSecrets } from "../xds/own-secrets.ts";
import { XdsResources } from "../xds/resources.ts";
import { identify } from "./node-identity.ts";
import { Readiness } from "./readiness.ts";
import { RequestTelemetry } from "./request-telemetry.ts";
import type { Embedding, SidecarOptions } from "./running-sidecar.ts";

/** What a proxy consists of. */
export interface Parts {
  readonly options: SidecarOptions;
  readonly config: SidecarBootstrap;
  readonly stats: Stats;
  readonly runtime: Runtime;
  readonly layers: LayerSources;
  readonly state: ConfigState;
  readonly channels: GrpcChannels;
  readonly readiness: Readiness;
  readonly inherited: InheritedSockets;
  /** Processes that serve in the place of this one; undefined: this one serves. */
  readonly fleet: Fleet | undefined;
  readonly telemetry: RequestTelemetry;
  readonly plane: DataPlane;
  readonly ownSecrets: OwnSecrets | undefined;
  readonly resources: XdsResources;
}

/** Every part and what it is given; none of them has begun. @param listens false: only to see whether it could */
export function assemble(
  options: SidecarOptions,
  config: SidecarBootstrap,
  listens: boolean,
  embedding: Embedding | undefined,
): Parts {
  const { workers, link, logger, reusePort } = options;
  const { node, bootstrap } = config;
  const stats = new Stats();
  const runtime = new Runtime();
  const layers = readLayers(bootstrap, runtime, (layer, error) => {
    stats.counter(`runtime.${error === undefined ? "load_success" : "load_error"}`).inc();
    if (error !== undefined) logger.warn({ layer, error }, "a layer of the runtime cannot be read");
  });
  identify(node, options.version, embedding?.userAgent);
  const state = new ConfigState(bootstrap, systemClock.now);

  // The few streams that the proxy itself opens go to static clusters of the bootstrap.
  const channels = new GrpcChannels();
  for (const cluster of staticClusters(config)) channels.add(cluster);

  const readiness = new Readiness(() => fleet?.live !== 0);
  const inherited = new InheritedSockets(options.inherited ?? []);
  const onChange = () => readiness.check();
  const fleet = workers && new Fleet({ ...workers, node, logger, stats, onChange }, inherited, reusePort);

  // A process that only reads configuration has nothing to count of requests.
  const requestStats = fleet === undefined ? stats : new Stats();
  const flush = options.fileFlush;
  const telemetry = new RequestTelemetry({
    node,
    channels,
    clusters: () => plane.clusterMap,
    stats: requestStats,
    runtime,
    logger,
    flush,
    writes: listens,
  });
  const plane: DataPlane = new DataPlane({
    maxConnections: maxConnections(bootstrap),
    stats: requestStats,
    logger,
    runtime,
    local: { ...localProxy(bootstrap), healthCheckFails: () => readiness.healthFails },
    reusePort,
    inherited,
    acquire: link && ((name, address) => link.acquire(name, address)),
    listens: listens && fleet === undefined,
    isInternal: embedding && (({ trafficDirection }) => trafficDirection !== TrafficDirection.INBOUND),
    accessLogger: (configs, direction) => telemetry.accessLogger(configs, direction),
    lines: (path) => telemetry.lines(path),
    connectionLogger: (configs) => telemetry.connectionLogger(configs),
    tracer: (tracing) => telemetry.tracer(tracing),
  });

  // Discovery feeds the data path; readiness follows from what it has answered.
  const ownSecrets = embedding && new OwnSecrets(embedding.secrets);
  const resources = new XdsResources({
    plane,
    state,
    // Of what comes by discovery, the process that has the stream counts.
    stats: link === undefined ? stats : new Stats(),
    clock: systemClock,
    followers: fleet,
    ownSecrets,
    runtime: {
      layers: layers.discovered,
      set: (name, values) => runtime.setLayer(name, runtimeValues(values)),
    },
    fetchTimeoutMs: config.ads?.initialFetchTimeoutMs ?? 0,
    onUpdate: (typeUrl) => {
      fleet?.retain(plane.listenAddresses());
      readiness.onUpdate(typeUrl);
      void plane.whenListening().then(() => readiness.check());
    },
  });
  return {
    options,
    config,
    stats,
    runtime,
    layers,
    state,
    channels,
    readiness,
    inherited,
    fleet,
    telemetry,
    plane,
    ownSecrets,
    resources,
  };
}

export const staticClusters = ({ bootstrap }: SidecarBootstrap) => bootstrap.staticResources?.clusters ?? [];
