import type { JsonObject } from "@bufbuild/protobuf";
import {
  Cluster_LbSubsetConfig_LbSubsetFallbackPolicy as Fallback,
  Cluster_LbSubsetConfig_LbSubsetSelector_LbSubsetSelectorFallbackPolicy as SelectorFallback,
} from "../../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { each } from "../../config/problems.ts";

/** How a cluster's endpoints are split by their metadata, and who is asked when no part is meant. */
export interface SubsetConfig {
  readonly fallback: "none" | "any" | "default";
  readonly defaultSubset: JsonObject;
  readonly selectors: readonly SubsetSelector[];
  readonly localityWeightAware: boolean;
  readonly scaleLocalityWeight: boolean;
  readonly panicModeAny: boolean;
  /** A list among an endpoint's values is any of its members. */
  readonly listAsAny: boolean;
  /** A request may bring a list of what to ask for one after the other. */
  readonly fallbackList: boolean;
  /** Of what a request asks for, those of the selector that has the most of them count. */
  readonly allowRedundantKeys: boolean;
}

export interface SubsetSelector {
  readonly keys: ReadonlySet<string>;
  /** Of the endpoints of one value there is one. */
  readonly single: boolean;
  /** Undefined: the cluster's. */
  readonly fallback: "none" | "any" | "default" | "keys" | undefined;
  readonly fallbackKeys: ReadonlySet<string>;
}

/** Cluster's own and that of the typed policy have the same fields, and the same numbers for their values. */
interface SubsetFields {
  readonly fallbackPolicy: number;
  readonly defaultSubset?: JsonObject | undefined;
  readonly subsetSelectors: readonly SelectorFields[];
  readonly localityWeightAware: boolean;
  readonly scaleLocalityWeight: boolean;
  readonly panicModeAny: boolean;
  readonly listAsAny: boolean;
  readonly metadataFallbackPolicy: number;
  readonly allowRedundantKeys?: boolean;
}

interface SelectorFields {
  readonly keys: readonly string[];
  readonly singleHostPerSubset: boolean;
  readonly fallbackPolicy: number;
  readonly fallbackKeysSubset: readonly string[];
}

/** Throws an Error naming the field. Undefined: without selectors there is nothing to split by, as in Envoy. */
export function compileSubsets(fields: SubsetFields | undefined): SubsetConfig | undefined {
  if (fields === undefined || fields.subsetSelectors.length === 0) return undefined;
  const allowRedundantKeys = fields.allowRedundantKeys ?? false;
  const selectors = each("subset_selectors", fields.subsetSelectors, compileSelector);
  // Then the one that fits with the most keys counts.
  if (allowRedundantKeys) selectors.sort((a, b) => b.keys.size - a.keys.size);
  return {
    fallback: fallbacks[fields.fallbackPolicy as Fallback] ?? "none",
    defaultSubset: fields.defaultSubset ?? {},
    selectors,
    localityWeightAware: fields.localityWeightAware,
    scaleLocalityWeight: fields.scaleLocalityWeight,
    panicModeAny: fields.panicModeAny,
    listAsAny: fields.listAsAny,
    fallbackList: fields.metadataFallbackPolicy === 1,
    allowRedundantKeys,
  };
}

function compileSelector(fields: SelectorFields): SubsetSelector {
  const keys = new Set(fields.keys);
  const fallbackKeys = new Set(fields.fallbackKeysSubset);
  const fallback = selectorFallbacks[fields.fallbackPolicy as SelectorFallback];
  if (keys.size === 0) throw new Error("keys: at least one is required");
  if (fallback === "keys") {
    // As many keys as the selector's own would lead back to it for ever.
    const smaller =
      fallbackKeys.size > 0 && fallbackKeys.size < keys.size && [...fallbackKeys].every((key) => keys.has(key));
    if (!smaller) throw new Error("fallback_keys_subset: must be some of keys, and not all of them");
  } else if (fallbackKeys.size > 0) {
    throw new Error("fallback_keys_subset: needs fallback_policy KEYS_SUBSET");
  }
  return { keys, single: fields.singleHostPerSubset, fallback, fallbackKeys };
}

const fallbacks: Record<Fallback, SubsetConfig["fallback"]> = {
  [Fallback.NO_FALLBACK]: "none",
  [Fallback.ANY_ENDPOINT]: "any",
  [Fallback.DEFAULT_SUBSET]: "default",
};

const selectorFallbacks: Record<SelectorFallback, SubsetSelector["fallback"]> = {
  [SelectorFallback.NOT_DEFINED]: undefined,
  [SelectorFallback.NO_FALLBACK]: "none",
  [SelectorFallback.ANY_ENDPOINT]: "any",
  [SelectorFallback.DEFAULT_SUBSET]: "default",
  [SelectorFallback.KEYS_SUBSET]: "keys",
};
