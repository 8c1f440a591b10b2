import { HealthStatus } from "../../gen/proto/envoy/config/core/v3/health_check_pb.js";
import type {
  Endpoint,
  LbEndpoint,
  LocalityLbEndpoints,
} from "../../gen/proto/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type {
  ClusterLoadAssignment,
  ClusterLoadAssignment_Policy_DropOverload,
} from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { each } from "../config/problems.ts";
import type { Metadata } from "../record.ts";
import { fraction, perOf } from "../runtime.ts";
import type { EndpointCheck, EndpointConfig } from "./endpoint.ts";
import { HealthFlag } from "./health-flags.ts";
import { defaultPriorityPolicy, type PriorityPolicy } from "./priority-load.ts";

export interface Assignment {
  /** Of all localities and priorities. */
  readonly endpoints: readonly EndpointConfig[];
  readonly policy: PriorityPolicy;
  /** Which share of requests is answered and goes no further, between 0 and 1. */
  readonly dropped: number;
}

/** Throws an Error naming the field. */
export function compileAssignment(assignment: ClusterLoadAssignment): Assignment {
  const { policy } = assignment;
  return {
    endpoints: each("endpoints", assignment.endpoints, compileLocality).flat(),
    policy: {
      overprovisioning: policy?.overprovisioningFactor ?? defaultPriorityPolicy.overprovisioning,
      weightedHealth: policy?.weightedPriorityHealth ?? false,
    },
    dropped: droppedShare(policy?.dropOverloads ?? []),
  };
}

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/endpoint/v3/endpoint.proto#envoy-v3-api-msg-config-endpoint-v3-clusterloadassignment-policy-dropoverload */
function droppedShare(drops: readonly ClusterLoadAssignment_Policy_DropOverload[]): number {
  const [drop] = drops;
  if (drops.length > 1) throw new Error(`policy.drop_overloads: at most one is supported, not ${drops.length}`);
  const { numerator = 0 } = drop?.dropPercentage ?? {};
  if (numerator > perOf(drop?.dropPercentage))
    throw new Error("policy.drop_overloads[0].drop_percentage: more than all");
  return fraction(drop?.dropPercentage, 0);
}

function compileLocality(entry: LocalityLbEndpoints): EndpointConfig[] {
  const locality = {
    region: entry.locality?.region ?? "",
    zone: entry.locality?.zone ?? "",
    subZone: entry.locality?.subZone ?? "",
    weight: entry.loadBalancingWeight ?? 0,
  };
  return each("lb_endpoints", entry.lbEndpoints, (endpoint) => ({
    ...compileEndpoint(endpoint),
    priority: entry.priority,
    locality,
  }));
}

function compileEndpoint(entry: LbEndpoint): Omit<EndpointConfig, "priority" | "locality"> {
  const endpoint = entry.hostIdentifier.case === "endpoint" ? entry.hostIdentifier.value : undefined;
  const { address, port } = socketAddress(endpoint, "endpoint.address");
  return {
    address,
    port,
    hostname: endpoint?.hostname ?? "",
    weight: entry.loadBalancingWeight ?? 1,
    healthFlag: healthFlags[entry.healthStatus] ?? 0,
    metadata: entry.metadata?.filterMetadata as Metadata | undefined,
    check: checkOf(endpoint),
  };
}

function socketAddress(endpoint: Pick<Endpoint, "address"> | undefined, path: string) {
  const address = endpoint?.address?.address;
  if (address?.case !== "socketAddress") throw new Error(`${path}: only socket_address is supported`);
  if (address.value.portSpecifier.case !== "portValue") throw new Error(`${path}.port_value: required`);
  const port = address.value.portSpecifier.value;
  // Node throws on such a port when it is called, which would be at a client's connection.
  if (port > 65_535) throw new Error(`${path}.port_value: must be at most 65535`);
  return { address: address.value.address, port };
}

function checkOf(endpoint: Endpoint | undefined): EndpointCheck | undefined {
  const config = endpoint?.healthCheckConfig;
  if (config === undefined) return undefined;
  const at = config.address === undefined ? undefined : socketAddress(config, "endpoint.health_check_config.address");
  if (config.portValue > 65_535) throw new Error("endpoint.health_check_config.port_value: must be at most 65535");
  return {
    address: at?.address ?? "",
    port: at?.port ?? config.portValue,
    hostname: config.hostname,
    disabled: config.disableActiveHealthCheck,
  };
}

/** As Envoy reads them: who timed out elsewhere is not healthy here. */
const healthFlags: Partial<Record<HealthStatus, number>> = {
  [HealthStatus.UNHEALTHY]: HealthFlag.failedEdsHealth,
  [HealthStatus.TIMEOUT]: HealthFlag.failedEdsHealth,
  [HealthStatus.DRAINING]: HealthFlag.edsDraining,
  [HealthStatus.DEGRADED]: HealthFlag.degradedEdsHealth,
};
