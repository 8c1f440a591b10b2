import { type Any, anyUnpack, type Duration } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_LbPolicy as LbPolicy,
  Cluster_RingHashLbConfig_HashFunction as LegacyHash,
  type LoadBalancingPolicy,
} from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { LocalityLbConfig } from "../../gen/proto/envoy/extensions/load_balancing_policies/common/v3/common_pb.js";
import { LeastRequestSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/least_request/v3/least_request_pb.js";
import { MaglevSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/maglev/v3/maglev_pb.js";
import { RandomSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/random/v3/random_pb.js";
import {
  RingHash_HashFunction as RingHashFunction,
  RingHashSchema,
} from "../../gen/proto/envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash_pb.js";
import { RoundRobinSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/round_robin/v3/round_robin_pb.js";
import { SubsetSchema } from "../../gen/proto/envoy/extensions/load_balancing_policies/subset/v3/subset_pb.js";
import { at } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { compileSubsets, type SubsetConfig } from "./subset/subset-config.ts";

export type BalancerConfig = PlainBalancerConfig | HashBalancerConfig;

export interface PlainBalancerConfig {
  readonly kind: "round_robin" | "least_request" | "random";
  readonly choiceCount: number;
  readonly activeRequestBias: number;
  /** Undefined: endpoints get their whole share from the beginning. */
  readonly slowStart: SlowStart | undefined;
}

/** How an endpoint that has just come is let in. */
export interface SlowStart {
  readonly windowMs: number;
  /** 1: evenly; more: faster in the beginning. */
  readonly aggression: number;
  /** Of its weight, 0–1. */
  readonly minimum: number;
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
  /** In percent: what an endpoint may have of its even share of requests in flight; 0: any number. */
  readonly balanceFactor: number;
}

export interface MaglevConfig {
  readonly kind: "maglev";
  /** A prime. */
  readonly tableSize: number;
  readonly byHostname: boolean;
  readonly balanceFactor: number;
}

/** How hosts are placed and bounded, whatever the table. */
type Placing = Pick<RingHashConfig, "byHostname" | "balanceFactor">;

export const usesHash = (config: BalancerConfig): config is HashBalancerConfig =>
  config.kind === "ring_hash" || config.kind === "maglev";

/** How one cluster balances. */
export interface Balancing {
  readonly balancer: BalancerConfig;
  /** Load is shared among localities by their weights, before it is balanced within one. */
  readonly localityWeighted: boolean;
  /** Undefined: the cluster is not split by its endpoints' metadata. */
  readonly subsets: SubsetConfig | undefined;
}

/** Throws an Error naming the field. */
export function compileBalancing(config: Cluster): Balancing {
  if (config.loadBalancingPolicy !== undefined) {
    return at("load_balancing_policy", () => typedBalancing(config.loadBalancingPolicy));
  }
  const specifier = config.commonLbConfig?.localityConfigSpecifier;
  const subsets = at("lb_subset_config", () => compileSubsets(config.lbSubsetConfig));
  if (subsets !== undefined && config.lbPolicy === LbPolicy.CLUSTER_PROVIDED) {
    throw new Error("lb_policy: CLUSTER_PROVIDED cannot be combined with lb_subset_config");
  }
  return {
    balancer: legacyBalancer(config),
    localityWeighted: specifier?.case === "localityWeightedLbConfig",
    subsets,
  };
}

function legacyBalancer({ lbConfig, commonLbConfig, lbPolicy }: Cluster): BalancerConfig {
  const placing = at("common_lb_config.consistent_hashing_lb_config", () =>
    placingOf(commonLbConfig?.consistentHashingLbConfig),
  );
  switch (lbPolicy) {
    case LbPolicy.ROUND_ROBIN: {
      const slow = lbConfig.case === "roundRobinLbConfig" ? lbConfig.value.slowStartConfig : undefined;
      return at("round_robin_lb_config", () => roundRobin(slow));
    }
    case LbPolicy.RANDOM:
      return random;
    case LbPolicy.LEAST_REQUEST:
      return at("least_request_lb_config", () =>
        leastRequest(lbConfig.case === "leastRequestLbConfig" ? lbConfig.value : {}),
      );
    case LbPolicy.RING_HASH: {
      const ring = lbConfig.case === "ringHashLbConfig" ? lbConfig.value : undefined;
      const murmur = ring?.hashFunction === LegacyHash.MURMUR_HASH_2;
      return at("ring_hash_lb_config", () => ringHash(ring, murmur, placing));
    }
    case LbPolicy.MAGLEV: {
      const size = lbConfig.case === "maglevLbConfig" ? lbConfig.value.tableSize : undefined;
      return at("maglev_lb_config", () => maglev(size, placing));
    }
    case LbPolicy.CLUSTER_PROVIDED:
      // Whoever finds the hosts picks them, too.
      return random;
    default:
      throw new Error(`lb_policy: ${LbPolicy[lbPolicy]} is not supported`);
  }
}

/** The first policy that we know, as the field's definition has it. */
function typedBalancing(config: LoadBalancingPolicy | undefined): Balancing {
  for (const [index, policy] of (config?.policies ?? []).entries()) {
    const any = policy.typedExtensionConfig?.typedConfig;
    if (any === undefined) continue;
    const path = `policies[${index}].typed_extension_config.typed_config`;
    const found = at(path, () => typedPlain(any) ?? typedHash(any) ?? typedSubset(any));
    if (found !== undefined) return found;
  }
  throw new Error("policies: none of them is supported");
}

function typedPlain(any: Any): Balancing | undefined {
  const round = anyUnpack(any, RoundRobinSchema);
  if (round !== undefined) return plain(roundRobin(round.slowStartConfig), round.localityLbConfig);
  const uniform = anyUnpack(any, RandomSchema);
  if (uniform !== undefined) return plain(random, uniform.localityLbConfig);
  const least = anyUnpack(any, LeastRequestSchema);
  return least && plain(leastRequest(least), least.localityLbConfig);
}

const plain = (balancer: BalancerConfig, locality: LocalityLbConfig | undefined): Balancing => ({
  balancer,
  localityWeighted: locality?.localityConfigSpecifier.case === "localityWeightedLbConfig",
  subsets: undefined,
});

function typedHash(any: Any): Balancing | undefined {
  const ring = anyUnpack(any, RingHashSchema);
  if (ring !== undefined) {
    const old = { useHostnameForHashing: ring.useHostnameForHashing, hashBalanceFactor: ring.hashBalanceFactor };
    const placing = placingOf(ring.consistentHashingLbConfig ?? old);
    const balancer = ringHash(ring, ring.hashFunction === RingHashFunction.MURMUR_HASH_2, placing);
    return { balancer, localityWeighted: ring.localityWeightedLbConfig !== undefined, subsets: undefined };
  }
  const table = anyUnpack(any, MaglevSchema);
  if (table === undefined) return undefined;
  const balancer = maglev(table.tableSize, placingOf(table.consistentHashingLbConfig));
  return { balancer, localityWeighted: table.localityWeightedLbConfig !== undefined, subsets: undefined };
}

/** Subsets, each balanced by a policy of its own. */
function typedSubset(any: Any): Balancing | undefined {
  const config = anyUnpack(any, SubsetSchema);
  if (config === undefined) return undefined;
  const inner = at("subset_lb_policy", () => typedBalancing(config.subsetLbPolicy));
  if (inner.subsets !== undefined) throw new Error("subset_lb_policy: subsets of subsets are not supported");
  return { ...inner, subsets: compileSubsets(config) };
}

const random: PlainBalancerConfig = { kind: "random", choiceCount: 0, activeRequestBias: 1, slowStart: undefined };

const roundRobin = (slow: SlowStartFields | undefined): PlainBalancerConfig => ({
  ...random,
  kind: "round_robin",
  slowStart: slowStartOf(slow),
});

interface LeastRequestFields {
  readonly choiceCount?: number | undefined;
  readonly activeRequestBias?: { readonly defaultValue: number } | undefined;
  readonly slowStartConfig?: SlowStartFields | undefined;
}

function leastRequest({
  choiceCount = 2,
  activeRequestBias,
  slowStartConfig,
}: LeastRequestFields): PlainBalancerConfig {
  if (choiceCount < 2) throw new Error(`choice_count: ${choiceCount} must be at least 2`);
  const bias = activeRequestBias?.defaultValue ?? 1;
  return { kind: "least_request", choiceCount, activeRequestBias: bias, slowStart: slowStartOf(slowStartConfig) };
}

interface SlowStartFields {
  readonly slowStartWindow?: Duration | undefined;
  readonly aggression?: { readonly defaultValue: number } | undefined;
  readonly minWeightPercent?: { readonly value: number } | undefined;
}

function slowStartOf(fields: SlowStartFields | undefined): SlowStart | undefined {
  const windowMs = durationMs(fields?.slowStartWindow) ?? 0;
  if (windowMs <= 0) return undefined;
  const aggression = fields?.aggression?.defaultValue ?? 1;
  if (aggression <= 0) throw new Error(`slow_start_config.aggression: ${aggression} must be more than 0`);
  return { windowMs, aggression, minimum: (fields?.minWeightPercent?.value ?? 10) / 100 };
}

interface PlacingFields {
  readonly useHostnameForHashing: boolean;
  readonly hashBalanceFactor?: number | undefined;
}

function placingOf(fields: PlacingFields | undefined): Placing {
  const balanceFactor = fields?.hashBalanceFactor ?? 0;
  if (fields?.hashBalanceFactor !== undefined && balanceFactor < 100) {
    throw new Error(`hash_balance_factor: ${balanceFactor} must be at least 100`);
  }
  return { byHostname: fields?.useHostnameForHashing ?? false, balanceFactor };
}

interface RingSizes {
  readonly minimumRingSize?: bigint | undefined;
  readonly maximumRingSize?: bigint | undefined;
}

/** Limits and defaults are those of Envoy's fields. */
function ringHash(sizes: RingSizes | undefined, murmur: boolean, placing: Placing): RingHashConfig {
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
    ...placing,
  };
}

function maglev(size: bigint | undefined, placing: Placing): MaglevConfig {
  const tableSize = sized("table_size", size ?? 65_537n, largestTable);
  if (!isPrime(tableSize)) throw new Error(`table_size: ${tableSize} is not a prime number`);
  return { kind: "maglev", tableSize, ...placing };
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
