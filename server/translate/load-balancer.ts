import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Cluster_LbPolicy,
  type Cluster_SlowStartConfigSchema,
  type ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ConsistentHash, LoadBalancerSettings } from "../model/specs.ts";
import { duration } from "./duration.ts";

type Balancing = Pick<MessageInitShape<typeof ClusterSchema>, "lbPolicy" | "lbConfig">;

/** Least requests unless told otherwise. https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings */
export function loadBalancer(settings: LoadBalancerSettings | undefined): Balancing {
  if (settings?.consistentHash) return hashing(settings.consistentHash);
  const slowStartConfig = slowStart(settings);
  switch (settings?.simple) {
    case "RANDOM":
      return { lbPolicy: Cluster_LbPolicy.RANDOM };
    case "ROUND_ROBIN":
      return {
        lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
        ...(slowStartConfig && { lbConfig: { case: "roundRobinLbConfig", value: { slowStartConfig } } }),
      };
    default:
      return {
        lbPolicy: Cluster_LbPolicy.LEAST_REQUEST,
        ...(slowStartConfig && { lbConfig: { case: "leastRequestLbConfig", value: { slowStartConfig } } }),
      };
  }
}

const defaultRingSize = 1024;

function hashing({ maglev, ringHash, minimumRingSize }: ConsistentHash): Balancing {
  if (maglev) {
    const value = { tableSize: BigInt(maglev.tableSize ?? 0) };
    return {
      lbPolicy: Cluster_LbPolicy.MAGLEV,
      ...(maglev.tableSize && { lbConfig: { case: "maglevLbConfig", value } }),
    };
  }
  const size = ringHash?.minimumRingSize || minimumRingSize || defaultRingSize;
  return {
    lbPolicy: Cluster_LbPolicy.RING_HASH,
    lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize: BigInt(size) } },
  };
}

function slowStart(
  settings: LoadBalancerSettings | undefined,
): MessageInitShape<typeof Cluster_SlowStartConfigSchema> | undefined {
  const { warmup, warmupDurationSecs } = settings ?? {};
  if (warmup) {
    return {
      slowStartWindow: duration(warmup.duration),
      // Envoy wants a runtime key, and there is none.
      aggression: { defaultValue: warmup.aggression ?? 1, runtimeKey: "limpid.none" },
      minWeightPercent: { value: warmup.minimumPercent ?? 10 },
    };
  }
  return warmupDurationSecs ? { slowStartWindow: duration(warmupDurationSecs) } : undefined;
}
