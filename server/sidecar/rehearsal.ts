import { create } from "@bufbuild/protobuf";
import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { TypedExtensionConfig } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { unwrap } from "../lib/result.ts";
import type { XdsType } from "../xds/resource-kinds.ts";
import { AccessLoggers } from "./access-log/access-loggers.ts";
import { DataPlane } from "./data-plane.ts";
import { GrpcChannels } from "./grpc/grpc-channels.ts";
import { Stats } from "./stats.ts";
import { Tracers } from "./tracing/tracers.ts";

/** What a proxy would be sent, by resource name; what it holds already is left out. */
export interface RehearsedResources {
  clusters: ReadonlyMap<string, Cluster>;
  endpoints: ReadonlyMap<string, ClusterLoadAssignment>;
  listeners: ReadonlyMap<string, Listener>;
  routes: ReadonlyMap<string, RouteConfiguration>;
  /** Named `<route configuration>/<virtual host>`. */
  virtualHosts: ReadonlyMap<string, VirtualHost>;
  /** Judged in the listeners that are there, so that these come with them. */
  extensionConfigs: ReadonlyMap<string, TypedExtensionConfig>;
}

export interface RehearsedRefusal {
  type: XdsType;
  name: string;
  /** In the words in which the proxy would refuse it. */
  detail: string;
}

/**
 * What the bundled sidecar would refuse of these resources, found by its own data path, as `--mode validate` finds it: everything is
 * compiled, nothing is bound, opened or called. What stands in files of a proxy's machine is not known here, and not held against it.
 */
export async function rehearse(resources: RehearsedResources): Promise<RehearsedRefusal[]> {
  const [node, stats, channels] = [create(NodeSchema), new Stats(), new GrpcChannels()];
  const deps = { node, stats, channels, clock: systemClock };
  const loggers = new AccessLoggers({ ...deps, writes: false });
  const tracers = new Tracers(deps);
  const plane = new DataPlane({
    stats,
    logger: silentLogger,
    listens: false,
    accessLogger: (configs) => unwrap(loggers.loggerFor(configs)) ?? silent,
    connectionLogger: (configs) => unwrap(loggers.loggerFor(configs)) ?? silent,
    tracer: (tracing) => unwrap(tracers.tracerFor(tracing)),
  });
  try {
    return [...judge(plane, resources)];
  } finally {
    plane.close();
    await Promise.all([loggers.close(), tracers.close()]);
    channels.close();
  }
}

/** In the order in which they are sent: what is pointed at goes first. */
function* judge(plane: DataPlane, resources: RehearsedResources): Generator<RehearsedRefusal> {
  const { clusters, endpoints, listeners, routes, virtualHosts, extensionConfigs } = resources;
  yield* each("CDS", clusters, (cluster) => plane.setCluster(cluster));
  yield* each("EDS", endpoints, (assignment) => plane.setEndpoints(assignment));
  yield* each("LDS", listeners, (listener) => plane.setListener(listener));
  yield* each("RDS", routes, (config) => plane.setRouteConfiguration(config));
  yield* each("VHDS", virtualHosts, (host, name) =>
    plane.setVirtualHost(name.slice(0, Math.max(0, name.indexOf("/"))), host, name),
  );
  yield* each("ECDS", extensionConfigs, (extension) => plane.setExtension(extension));
}

function* each<Message>(
  type: XdsType,
  messages: ReadonlyMap<string, Message>,
  set: (message: Message, name: string) => readonly string[],
): Generator<RehearsedRefusal> {
  for (const [name, message] of messages) {
    const errors = set(message, name).filter((error) => !aboutFile.test(error));
    if (errors.length > 0) yield { type, name, detail: errors.join("; ") };
  }
}

/** A file that is not here may well be where the proxy runs. */
const aboutFile = /\.(filename|path_config_source)\b/;

const silent = { log() {} };
