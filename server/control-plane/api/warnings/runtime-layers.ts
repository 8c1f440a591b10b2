import type { RuntimeLayerSpec } from "../../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { olderFirst } from "../../../model/service.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Keys that another object sets for the same workloads in the same layer: the oldest counts. */
export function* rivalRuntimeLayers(object: ConfigObject, facts: Facts): Generator<Finding> {
  const spec = object.spec as RuntimeLayerSpec;
  const own = placeOf(object);
  for (const other of facts.objects("RuntimeLayer")) {
    if (formatKey(keyOf(other)) === formatKey(keyOf(object)) || placeOf(other) !== own) continue;
    const theirs = (other.spec as RuntimeLayerSpec).values;
    const winner = olderFirst(other, object) < 0 ? "that" : "this";
    for (const key of Object.keys(spec.values)) {
      if (!Object.hasOwn(theirs, key)) continue;
      const rival = { object: `${other.metadata.namespace}/${other.metadata.name}` };
      yield { path: `spec.values[${JSON.stringify(key)}]`, ...told(`layer-${winner}`, rival) };
    }
  }
}

function placeOf({ metadata, spec }: ConfigObject): string {
  const { selector, layer = "limpid" } = spec as RuntimeLayerSpec;
  const labels = Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([metadata.namespace, layer, labels]);
}
