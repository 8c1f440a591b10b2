import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Cluster, ClusterSchema } from "../../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { HealthStatus } from "../../../gen/proto/envoy/config/core/v3/health_check_pb.js";
import { HttpProtocolOptionsSchema } from "../../../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import {
  type ClusterEndpointsHealth,
  ClusterEndpointsHealthSchema,
  type ClusterHealthCheck,
} from "../../../gen/proto/envoy/service/health/v3/hds_pb.js";
import { at, together } from "../../config/problems.ts";
import { Stats } from "../../stats.ts";
import type { Secrets } from "../../tls/secrets.ts";
import type { ClusterIo } from "../cluster.ts";
import { type ClusterConfig, compileCluster } from "../cluster-config.ts";
import { Endpoint, type EndpointConfig, type EndpointLocality, endpointKey } from "../endpoint.ts";
import { HealthFlag } from "../health-flags.ts";
import { compileAssignment } from "../load-assignment.ts";
import { keepIdentity } from "../transport.ts";
import type { HealthCheckConfig } from "./check-config.ts";
import { HealthChecker } from "./health-checker.ts";

/** What is to be probed, as the cluster that it would be if requests went there: so it is read and refused like one. */
export const clusterOf = (asked: ClusterHealthCheck): Cluster =>
  create(ClusterSchema, {
    name: asked.clusterName,
    // Envoy's for such clusters.
    connectTimeout: { seconds: 1n },
    healthChecks: asked.healthChecks,
    transportSocketMatches: asked.transportSocketMatches,
    ...(asked.upstreamBindConfig && { upstreamBindConfig: asked.upstreamBindConfig }),
    loadAssignment: {
      clusterName: asked.clusterName,
      endpoints: asked.localityEndpoints.map(({ locality, endpoints }) => ({
        ...(locality && { locality }),
        lbEndpoints: endpoints.map((value) => ({ hostIdentifier: { case: "endpoint" as const, value } })),
      })),
    },
    // Only checks by gRPC depend on it: others say themselves what they speak.
    typedExtensionProtocolOptions: { [optionsName]: http2 },
  });

const optionsName = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const http2 = anyPack(
  HttpProtocolOptionsSchema,
  create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
    },
  }),
);

interface ProbedConfig {
  readonly cluster: ClusterConfig;
  readonly check: HealthCheckConfig;
  /** Without those that are not to be probed. */
  readonly endpoints: readonly EndpointConfig[];
}

/** Throws an Error naming the field. Unsupported fields were refused before. */
export function compileProbed(proto: Cluster, secrets: Secrets): ProbedConfig {
  const { loadAssignment } = proto;
  const { cluster, endpoints } = together<Pick<ProbedConfig, "cluster" | "endpoints">>({
    cluster: () => compileCluster(proto, secrets),
    endpoints: () =>
      loadAssignment === undefined ? [] : at("load_assignment", () => compileAssignment(loadAssignment).endpoints),
  });
  const { healthCheck: check } = cluster;
  if (check === undefined) throw new Error("health_checks: one is required");
  return { cluster, check, endpoints: endpoints.filter((it) => it.check?.disabled !== true) };
}

/** Endpoints that are probed for somebody else, and get no requests. */
export class ProbedCluster {
  private readonly io: ClusterIo;
  private config: ProbedConfig;
  private endpoints = new Map<string, Endpoint>();
  private checker: HealthChecker;

  constructor(config: ProbedConfig, io: ClusterIo) {
    this.config = config;
    this.io = io;
    this.checker = this.newChecker();
    this.follow();
  }

  get size(): number {
    return this.endpoints.size;
  }

  get transports(): ClusterConfig {
    return this.config.cluster;
  }

  /** Goes on with other settings and endpoints. What is known of an endpoint stays until a check says otherwise. */
  update(config: ProbedConfig): void {
    const before = this.config;
    this.config = { ...config, cluster: keepIdentity(before.cluster, config.cluster) };
    if (before.check.key !== config.check.key) {
      this.checker.close();
      this.checker = this.newChecker();
    }
    this.follow();
  }

  /** What was found so far; nothing of endpoints that are not known yet. */
  report(): ClusterEndpointsHealth {
    const localities = new Map<EndpointLocality, Endpoint[]>();
    for (const endpoint of this.endpoints.values()) {
      if (!this.checker.knows(endpoint)) continue;
      const { locality } = endpoint.config;
      const others = localities.get(locality);
      if (others === undefined) localities.set(locality, [endpoint]);
      else others.push(endpoint);
    }
    return create(ClusterEndpointsHealthSchema, {
      clusterName: this.config.cluster.name,
      localityEndpointsHealth: [...localities].map(([{ region, zone, subZone }, endpoints]) => ({
        locality: { region, zone, subZone },
        endpointsHealth: endpoints.map((endpoint) => ({
          endpoint: { address: addressOf(endpoint.config) },
          healthStatus: statusOf(endpoint),
        })),
      })),
    });
  }

  close(): void {
    this.checker.close();
  }

  private follow(): void {
    const next = new Map<string, Endpoint>();
    for (const config of this.config.endpoints) {
      const key = endpointKey(config);
      const known = this.endpoints.get(key);
      known?.update(config);
      next.set(key, known ?? suspect(config));
    }
    this.endpoints = next;
    this.checker.follow([...next.values()]);
  }

  private newChecker(): HealthChecker {
    const { timers, now, random } = this.io;
    return new HealthChecker(this.config.check, {
      // What is probed for others is no cluster of the proxy's own.
      stats: new Stats(),
      prefix: "",
      timers,
      now,
      random,
      config: () => this.config.cluster,
      // As for Envoy: nobody but checks ever goes there.
      hasTraffic: () => false,
      onChecked: () => {},
    });
  }
}

/** An endpoint is not well until it has answered. */
function suspect(config: EndpointConfig): Endpoint {
  const endpoint = new Endpoint(config);
  endpoint.health.set(HealthFlag.failedActiveCheck);
  return endpoint;
}

const addressOf = ({ address, port }: EndpointConfig) => ({
  address: {
    case: "socketAddress" as const,
    value: { address, portSpecifier: { case: "portValue" as const, value: port } },
  },
});

function statusOf({ health }: Endpoint): HealthStatus {
  if (health.has(HealthFlag.activeCheckTimeout)) return HealthStatus.TIMEOUT;
  if (health.has(HealthFlag.failedActiveCheck)) return HealthStatus.UNHEALTHY;
  return health.has(HealthFlag.degradedActiveCheck) ? HealthStatus.DEGRADED : HealthStatus.HEALTHY;
}
