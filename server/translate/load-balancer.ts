import { Cluster_LbPolicy } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { LoadBalancerSettings } from "../model/specs.ts";

/** Least requests unless told otherwise. https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-SimpleLB */
export function loadBalancer(settings: LoadBalancerSettings | undefined): Cluster_LbPolicy {
  switch (settings?.simple) {
    case "RANDOM":
      return Cluster_LbPolicy.RANDOM;
    case "ROUND_ROBIN":
      return Cluster_LbPolicy.ROUND_ROBIN;
    default:
      return Cluster_LbPolicy.LEAST_REQUEST;
  }
}
