import { HealthStatus } from "../../gen/proto/envoy/config/core/v3/health_check_pb.js";
import type {
  LbEndpoint,
  LocalityLbEndpoints,
} from "../../gen/proto/envoy/config/endpoint/v3/endpoint_components_pb.js";
import type { ClusterLoadAssignment } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { each } from "../config/problems.ts";
import type { Metadata } from "../record.ts";
import type { EndpointConfig } from "./endpoint.ts";

/** Endpoints of all localities and priorities. Throws an Error naming the field. */
export function compileAssignment(assignment: ClusterLoadAssignment, localityWeighted: boolean): EndpointConfig[] {
  return each("endpoints", assignment.endpoints, (locality) => compileLocality(locality, localityWeighted)).flat();
}

function compileLocality(locality: LocalityLbEndpoints, localityWeighted: boolean): EndpointConfig[] {
  const total = locality.lbEndpoints.reduce((sum, endpoint) => sum + (endpoint.loadBalancingWeight ?? 1), 0);
  // A locality without a weight gets no load under locality weighting, as the field's definition says.
  if (localityWeighted && (locality.loadBalancingWeight ?? 0) === 0 && locality.lbEndpoints.length > 0) return [];
  const scale = localityWeighted ? (locality.loadBalancingWeight ?? 0) / total : 1;
  return each("lb_endpoints", locality.lbEndpoints, (endpoint) => {
    const config = compileEndpoint(endpoint);
    return { ...config, weight: config.weight * scale, priority: locality.priority };
  });
}

function compileEndpoint(entry: LbEndpoint): EndpointConfig {
  const endpoint = entry.hostIdentifier.case === "endpoint" ? entry.hostIdentifier.value : undefined;
  const path = "endpoint.address";
  const address = endpoint?.address?.address;
  if (address?.case !== "socketAddress") throw new Error(`${path}: only socket_address is supported`);
  if (address.value.portSpecifier.case !== "portValue") throw new Error(`${path}.port_value: required`);
  // Node throws on such a port when it is called, which would be at a client's connection.
  if (address.value.portSpecifier.value > 65_535) throw new Error(`${path}.port_value: must be at most 65535`);
  const healthy = entry.healthStatus === HealthStatus.UNKNOWN || entry.healthStatus === HealthStatus.HEALTHY;
  return {
    address: address.value.address,
    port: address.value.portSpecifier.value,
    hostname: endpoint?.hostname ?? "",
    weight: entry.loadBalancingWeight ?? 1,
    healthy,
    priority: 0,
    metadata: entry.metadata?.filterMetadata as Metadata | undefined,
  };
}
