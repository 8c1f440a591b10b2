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
import { type Labels, matchesLabels } from "../model/labels.ts";
import { groupByLocality, type LocalityPolicy, type Whereabouts } from "./locality.ts";
import { istioMetadata, workloadId } from "./metadata.ts";

export interface Assigned {
  clusterName: string;
  /** The labels of the subset's endpoints. */
  subset: Labels;
  locality: LocalityPolicy | undefined;
  /** For whom; labels are those that the policy may compare. */
  client: Whereabouts;
  /** Those to be told apart from the rest by taking mutual TLS. */
  mutualTls: readonly Endpoint[];
  /** Those that probes found to be unhealthy. */
  isUnhealthy(endpoint: Endpoint): boolean;
}

/**
 * Where a cluster's requests go, grouped by locality. Empty is sent too: Envoy waits for an assignment before it serves.
 * `owner` lives as long as the service; the same object while the endpoints with these labels are.
 */
export function loadAssignment(
  owner: object,
  { clusterName, subset, locality: policy, client, mutualTls, isUnhealthy }: Assigned,
  endpoints: readonly Endpoint[],
  clusterId: string,
): ClusterLoadAssignment {
  const members = endpoints.filter(({ ready, labels }) => ready && matchesLabels(subset, labels));
  const unhealthy = members.filter(isUnhealthy);
  const key = `load-assignment ${clusterName} ${clusterId} ${JSON.stringify([subset, policy, policy && client, mutualTls.length > 0, unhealthy.length])}`;
  return memo(owner, key, [...members, ...mutualTls, ...unhealthy], () =>
    create(ClusterLoadAssignmentSchema, {
      clusterName,
      endpoints: groupByLocality(members, policy, client).map((group) => ({
        locality: locality(group.locality),
        lbEndpoints: group.members.map((endpoint) => ({
          ...lbEndpoint(endpoint, clusterId, mutualTls.includes(endpoint)),
          healthStatus: unhealthy.includes(endpoint) ? HealthStatus.UNHEALTHY : HealthStatus.HEALTHY,
        })),
        loadBalancingWeight: group.weight,
        priority: group.priority,
      })),
    }),
  );
}

function locality(name: string): MessageInitShape<typeof LocalitySchema> {
  const [region = "", zone = "", subZone = ""] = name.split("/");
  return { region, zone, subZone };
}

const lbEndpoint = (
  endpoint: Endpoint,
  clusterId: string,
  mutualTls: boolean,
): MessageInitShape<typeof LbEndpointSchema> => ({
  hostIdentifier: {
    case: "endpoint",
    value: { address: socketAddress(endpoint.address, endpoint.port) },
  },
  loadBalancingWeight: endpoint.weight,
  metadata: {
    filterMetadata: {
      ...istioMetadata({ workload: workloadId(endpoint.workload, clusterId) }).filterMetadata,
      ...(mutualTls && { "envoy.transport_socket_match": { tlsMode: "istio" } }),
    },
  },
});

export const socketAddress = (address: string, port: number) => ({
  address: {
    case: "socketAddress" as const,
    value: { address, portSpecifier: { case: "portValue" as const, value: port } },
  },
});
