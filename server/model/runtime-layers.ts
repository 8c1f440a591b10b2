import type { ConfigObject } from "../config/object.ts";
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
}

export const indexRuntimeLayers = (objects: Iterable<ConfigObject>): RuntimeLayerIndex =>
  [...objects].sort(olderFirst).map((object) => {
    const { selector, layer = "limpid", values } = object.spec as RuntimeLayerSpec;
    const labels = selector?.matchLabels ?? {};
    const { namespace } = object.metadata;
    return { namespace, selector: Object.keys(labels).length > 0 ? labels : undefined, layer, values };
  });

/**
 * The layers of a workload, by name. Of values for one key the most particular counts: of a selector, then of the namespace, then of the mesh (the
 * root namespace); among equals the oldest, so that a newcomer changes nothing unasked.
 */
export function runtimeLayersOf(
  index: RuntimeLayerIndex,
  rootNamespace: string,
  workload: { namespace: string; labels: Labels },
): ReadonlyMap<string, RuntimeLayerSpec["values"]> {
  const applies = ({ namespace, selector }: RuntimeLayer) =>
    (namespace === workload.namespace || namespace === rootNamespace) &&
    (selector === undefined || matchesLabels(selector, workload.labels));
  const rank = ({ namespace, selector }: RuntimeLayer) =>
    (namespace === workload.namespace ? 2 : 0) + (selector === undefined ? 0 : 1);
  const layers = new Map<string, RuntimeLayerSpec["values"]>();
  // Later ones win when they are spread: the least particular and youngest first.
  for (const one of index
    .filter(applies)
    .reverse()
    .sort((a, b) => rank(a) - rank(b))) {
    layers.set(one.layer, { ...layers.get(one.layer), ...one.values });
  }
  return layers;
}
