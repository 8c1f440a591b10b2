import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_LbPolicy as LbPolicy,
  Cluster_RingHashLbConfig_HashFunction as LegacyHash,
} from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { LeastRequestSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import {
  type RingHash,
  RingHash_HashFunction as RingHashFunction,
  RingHashSchema,
} from "../../gen/proto/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { at } from "../config/problems.ts";

export type BalancerConfig = PlainBalancerConfig | HashBalancerConfig;

export interface PlainBalancerConfig {
  readonly kind: "round_robin" | "least_request" | "random";
  readonly choiceCount: number;
  readonly activeRequestBias: number;
}

/** Balancers that keep callers at their hosts. */
export type HashBalancerConfig = RingHashConfig | MaglevConfig;

export interface RingHashConfig {
  readonly kind: "ring_hash";
  /** Places in the ring. */
  readonly minimumSize: number;
  readonly maximumSize: number;
  readonly hashFunction: "xx_hash" | "murmur_hash_2";
  /** Hosts are placed by name instead of address. */
  readonly byHostname: boolean;
}

export interface MaglevConfig {
  readonly kind: "maglev";
  /** A prime. */
  readonly tableSize: number;
  readonly byHostname: boolean;
}

export const usesHash = (config: BalancerConfig): config is HashBalancerConfig =>
  config.kind === "ring_hash" || config.kind === "maglev";

/** Throws an Error naming the field. */
export function compileBalancer(config: Cluster): BalancerConfig {
  if (config.loadBalancingPolicy !== undefined) return typedBalancer(config);
  const { lbConfig, commonLbConfig } = config;
  const byHostname = commonLbConfig?.consistentHashingLbConfig?.useHostnameForHashing ?? false;
  switch (config.lbPolicy) {
    case LbPolicy.ROUND_ROBIN:
      return roundRobin;
    case LbPolicy.RANDOM:
      return { ...roundRobin, kind: "random" };
    case LbPolicy.LEAST_REQUEST: {
      const least = lbConfig.case === "leastRequestLbConfig" ? lbConfig.value : undefined;
      return leastRequest(least?.choiceCount, least?.activeRequestBias?.defaultValue);
    }
    case LbPolicy.RING_HASH: {
      const ring = lbConfig.case === "ringHashLbConfig" ? lbConfig.value : undefined;
      const murmur = ring?.hashFunction === LegacyHash.MURMUR_HASH_2;
      return at("ring_hash_lb_config", () => ringHash(ring, murmur, byHostname));
    }
    case LbPolicy.MAGLEV: {
      const size = lbConfig.case === "maglevLbConfig" ? lbConfig.value.tableSize : undefined;
      return at("maglev_lb_config", () => maglev(size, byHostname));
    }
    default:
      throw new Error(`lb_policy: ${LbPolicy[config.lbPolicy]} is not supported`);
  }
}

/** The first policy that we know, as the field's definition has it. */
function typedBalancer(config: Cluster): BalancerConfig {
  for (const [index, policy] of (config.loadBalancingPolicy?.policies ?? []).entries()) {
    const any = policy.typedExtensionConfig?.typedConfig;
    if (any === undefined) continue;
    if (anyUnpack(any, RoundRobinSchema) !== undefined) return roundRobin;
    if (anyUnpack(any, RandomSchema) !== undefined) return { ...roundRobin, kind: "random" };
    const least = anyUnpack(any, LeastRequestSchema);
    if (least !== undefined) return leastRequest(least.choiceCount, least.activeRequestBias?.defaultValue);
    const path = `load_balancing_policy.policies[${index}].typed_extension_config.typed_config`;
    const ring = anyUnpack(any, RingHashSchema);
    if (ring !== undefined) return at(path, () => typedRing(ring));
    const table = anyUnpack(any, MaglevSchema);
    if (table !== undefined) {
      const byHostname = table.consistentHashingLbConfig?.useHostnameForHashing ?? false;
      return at(path, () => maglev(table.tableSize, byHostname));
    }
  }
  throw new Error("load_balancing_policy: none of the policies is supported");
}

function typedRing(ring: RingHash): RingHashConfig {
  const byHostname = ring.consistentHashingLbConfig?.useHostnameForHashing ?? ring.useHostnameForHashing;
  return ringHash(ring, ring.hashFunction === RingHashFunction.MURMUR_HASH_2, byHostname);
}

const roundRobin: PlainBalancerConfig = { kind: "round_robin", choiceCount: 0, activeRequestBias: 1 };

const leastRequest = (choiceCount = 2, activeRequestBias = 1): PlainBalancerConfig => ({
  kind: "least_request",
  choiceCount,
  activeRequestBias,
});

interface RingSizes {
  readonly minimumRingSize?: bigint | undefined;
  readonly maximumRingSize?: bigint | undefined;
}

/** Limits and defaults are those of Envoy's fields. */
function ringHash(sizes: RingSizes | undefined, murmur: boolean, byHostname: boolean): RingHashConfig {
  const minimumSize = sized("minimum_ring_size", sizes?.minimumRingSize ?? 1024n, largestRing);
  const maximumSize = sized("maximum_ring_size", sizes?.maximumRingSize ?? BigInt(largestRing), largestRing);
  if (minimumSize > maximumSize) {
    throw new Error(`minimum_ring_size: ${minimumSize} is more than maximum_ring_size, ${maximumSize}`);
  }
  return {
    kind: "ring_hash",
    minimumSize,
    maximumSize,
    hashFunction: murmur ? "murmur_hash_2" : "xx_hash",
    byHostname,
  };
}

function maglev(size: bigint | undefined, byHostname: boolean): MaglevConfig {
  const tableSize = sized("table_size", size ?? 65_537n, largestTable);
  if (!isPrime(tableSize)) throw new Error(`table_size: ${tableSize} is not a prime number`);
  return { kind: "maglev", tableSize, byHostname };
}

const largestRing = 8_388_608;
const largestTable = 5_000_011;

function sized(field: string, value: bigint, most: number): number {
  if (value < 1n || value > BigInt(most)) throw new Error(`${field}: ${value} must be between 1 and ${most}`);
  return Number(value);
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let factor = 2; factor * factor <= value; factor++) if (value % factor === 0) return false;
  return true;
}
