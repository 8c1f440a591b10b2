import type { MessageInitShape } from "@bufbuild/protobuf";
import { Cluster_LbPolicy, type ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { LoadBalancerSettings } from "../model/specs.ts";
import { duration } from "./duration.ts";

type ClusterInit = MessageInitShape<typeof ClusterSchema>;
type Balancing = Pick<ClusterInit, "lbPolicy" | "lbConfig">;

/** Least requests unless told otherwise. https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings */
export function loadBalancer(settings: LoadBalancerSettings | undefined): Balancing {
  if (settings?.consistentHash) return consistentHash(settings.consistentHash);
  switch (settings?.simple) {
    case "RANDOM":
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case "ROUND_ROBIN":
      return withSlowStart(Cluster_LbPolicy.ROUND_ROBIN, "roundRobinLbConfig", settings);
    default:
      return withSlowStart(Cluster_LbPolicy.LEAST_REQUEST, "leastRequestLbConfig", settings);
  }
}

function withSlowStart(
  lbPolicy: Cluster_LbPolicy,
  config: "roundRobinLbConfig" | "leastRequestLbConfig",
  settings: LoadBalancerSettings | undefined,
): Balancing {
  const warmup = settings?.warmup;
  if (!warmup && !settings?.warmupDurationSecs) return { lbPolicy };
  const slowStartConfig = {
    slowStartWindow: duration(warmup?.duration ?? settings?.warmupDurationSecs ?? "0s"),
    ...(warmup && {
      aggression: { defaultValue: warmup.aggression ?? 1, runtimeKey: "limpid.slow_start.aggression" },
      minWeightPercent: { value: warmup.minimumPercent ?? 10 },
    }),
  };
  return { lbPolicy, lbConfig: { case: config, value: { slowStartConfig } } };
}

function consistentHash(hash: NonNullable<LoadBalancerSettings["consistentHash"]>): Balancing {
  if (hash.maglev) {
    const { tableSize } = hash.maglev;
    return {
      lbPolicy: Cluster_LbPolicy.MAGLEV,
      ...(tableSize && { lbConfig: { case: "maglevLbConfig", value: { tableSize: BigInt(tableSize) } } }),
    };
  }
  const minimum = hash.ringHash?.minimumRingSize || hash.minimumRingSize || 1024;
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize: BigInt(minimum) } },
  };
}
