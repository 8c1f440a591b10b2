import type { ResourceMap } from "./types.ts";

const known = new WeakMap<ResourceMap, { from: WeakRef<ResourceMap>; names: readonly string[] }>();

/**
 * Names whose resource is another one, or only in one of the two maps. Reckoned once for all streams that go from the one to the other, which
 * after a change are nearly all.
 */
export function namesThatDiffer(from: ResourceMap, to: ResourceMap): readonly string[] {
  const before = known.get(to);
  if (before?.from.deref() === from) return before.names;
  const names: string[] = [];
  for (const [name, resource] of to) if (from.get(name) !== resource) names.push(name);
  for (const name of from.keys()) if (!to.has(name)) names.push(name);
  known.set(to, { from: new WeakRef(from), names });
  return names;
}
