import { create } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "../../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";

/** A static cluster of one endpoint on 127.0.0.1, as a bootstrap has them. */
export function staticCluster(name: string, port: number): Cluster {
  const socketAddress = { address: "127.0.0.1", portSpecifier: { case: "portValue" as const, value: port } };
  const address = { address: { case: "socketAddress" as const, value: socketAddress } };
  const lbEndpoint = { hostIdentifier: { case: "endpoint" as const, value: { address } } };
  return create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: 0 },
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [lbEndpoint] }] },
  });
}
