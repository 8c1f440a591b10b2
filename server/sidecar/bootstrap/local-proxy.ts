import type { Bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";

/** What the proxy is to itself: the name of its cluster, and the cluster of all proxies like it, where one is named. */
export const localProxy = ({ node, clusterManager }: Bootstrap) => ({
  cluster: node?.cluster ?? "",
  peers: clusterManager?.localClusterName || undefined,
});
