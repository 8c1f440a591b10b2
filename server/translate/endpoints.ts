import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { LocalitySchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { HealthStatus } from "../gen/proto/envoy/config/core/v3/health_check_pb.js";
import type { LbEndpointSchema } from "../gen/proto/envoy/config/endpoint/v3/endpoint_components_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { memo } from "../lib/memo.ts";
import type { Endpoint } from "../model/endpoints.ts";
import { compare } from "../model/hostname.ts";
import { type Labels, matchesLabels } from "../model/labels.ts";
import { istioMetadata, workloadId } from "./metadata.ts";

/**
 * Where a cluster's requests go, grouped by locality. Empty is sent too: Envoy waits for an assignment before it serves.
 * `owner` lives as long as the service; the same object while the endpoints with these labels are.
 */
export function loadAssignment(
  owner: object,
  clusterName: string,
  endpoints: readonly Endpoint[],
  subset: Labels,
  clusterId: string,
): ClusterLoadAssignment {
  const members = endpoints.filter((endpoint) => matchesLabels(subset, endpoint.labels));
  return memo(owner, `load-assignment ${clusterName} ${clusterId} ${JSON.stringify(subset)}`, members, () => {
    const byLocality = Map.groupBy(members, (endpoint) => endpoint.locality);
    return create(ClusterLoadAssignmentSchema, {
      clusterName,
      endpoints: [...byLocality]
        .sort(([a], [b]) => compare(a, b))
        .map(([name, group]) => ({
          locality: locality(name),
          lbEndpoints: group.map((endpoint) => lbEndpoint(endpoint, clusterId)),
          loadBalancingWeight: group.reduce((sum, endpoint) => sum + endpoint.weight, 0),
        })),
    });
  });
}

function locality(name: string): MessageInitShape<typeof LocalitySchema> {
  const [region = "", zone = "", subZone = ""] = name.split("/");
  return { region, zone, subZone };
}

const lbEndpoint = (endpoint: Endpoint, clusterId: string): MessageInitShape<typeof LbEndpointSchema> => ({
  hostIdentifier: {
    case: "endpoint",
    value: { address: socketAddress(endpoint.address, endpoint.port) },
  },
  healthStatus: HealthStatus.HEALTHY,
  loadBalancingWeight: endpoint.weight,
  metadata: istioMetadata({ workload: workloadId(endpoint.workload, clusterId) }),
});

export const socketAddress = (address: string, port: number) => ({
  address: {
    case: "socketAddress" as const,
    value: { address, portSpecifier: { case: "portValue" as const, value: port } },
  },
});
