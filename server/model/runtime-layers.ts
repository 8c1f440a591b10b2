import type { ConfigObject } from "../config/object.ts";
import { parseGoDuration } from "../lib/go-duration.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import { olderFirst } from "./service.ts";
import type { RuntimeLayerSpec } from "./specs.ts";

/** Oldest first. */
export type RuntimeLayerIndex = readonly RuntimeLayer[];

interface RuntimeLayer {
  readonly namespace: string;
  /** Undefined: for all of the namespace. */
  readonly selector: Labels | undefined;
  readonly layer: string;
  readonly values: RuntimeLayerSpec["values"];
  /** How long a proxy keeps it without hearing from the control plane, in milliseconds. */
  readonly ttlMs: number | undefined;
}

/** What several RuntimeLayers add up to. */
export interface MergedLayer {
  readonly values: RuntimeLayerSpec["values"];
  /** The shortest of theirs. */
  readonly ttlMs: number | undefined;
}

export const indexRuntimeLayers = (objects: Iterable<ConfigObject>): RuntimeLayerIndex =>
  [...objects].sort(olderFirst).map((object) => {
    const { selector, layer = "limpid", values, ttl } = object.spec as RuntimeLayerSpec;
    const labels = selector?.matchLabels ?? {};
    const { namespace } = object.metadata;
    return {
      namespace,
      selector: Object.keys(labels).length > 0 ? labels : undefined,
      layer,
      values,
      ttlMs: ttl === undefined ? undefined : parseGoDuration(ttl),
    };
  });

/**
 * The layers of a workload, by name. Of values for one key the most particular counts: of a selector, then of the namespace, then of the mesh (the
 * root namespace); among equals the oldest, so that a newcomer changes nothing unasked.
 */
export function runtimeLayersOf(
  index: RuntimeLayerIndex,
  rootNamespace: string,
  workload: { namespace: string; labels: Labels },
): ReadonlyMap<string, MergedLayer> {
  const applies = ({ namespace, selector }: RuntimeLayer) =>
    (namespace === workload.namespace || namespace === rootNamespace) &&
    (selector === undefined || matchesLabels(selector, workload.labels));
  const rank = ({ namespace, selector }: RuntimeLayer) =>
    (namespace === workload.namespace ? 2 : 0) + (selector === undefined ? 0 : 1);
  const layers = new Map<string, MergedLayer>();
  // Later ones win when they are spread: the least particular and youngest first.
  for (const one of index
    .filter(applies)
    .reverse()
    .sort((a, b) => rank(a) - rank(b))) {
    const before = layers.get(one.layer);
    const ttls = [before?.ttlMs, one.ttlMs].filter((ttl) => ttl !== undefined);
    layers.set(one.layer, {
      values: { ...before?.values, ...one.values },
      ttlMs: ttls.length > 0 ? Math.min(...ttls) : undefined,
    });
  }
  return layers;
}
