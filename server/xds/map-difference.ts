import { mapSteps } from "../lib/lineage.ts";
import { type NameList, namesOf } from "./name-list.ts";
import type { ResourceMap } from "./types.ts";

const known = new WeakMap<ResourceMap, WeakMap<ResourceMap, readonly string[]>>();

/**
 * Names whose resource is another one, or only in one of the two maps. Reckoned once for all streams that go from the one to the other, which
 * after a change are nearly all.
 */
export function namesThatDiffer(from: ResourceMap, to: ResourceMap): readonly string[] {
  const before = known.get(to)?.get(from);
  if (before) return before;
  const step = mapSteps.between(from, to);
  const names = step ? [...step].filter((name) => from.get(name) !== to.get(name)) : compared(from, to);
  const all = known.get(to) ?? new WeakMap<ResourceMap, readonly string[]>();
  known.set(to, all.set(from, names));
  return names;
}

function compared(from: ResourceMap, to: ResourceMap): string[] {
  const names: string[] = [];
  for (const [name, resource] of to) if (from.get(name) !== resource) names.push(name);
  for (const name of from.keys()) if (!to.has(name)) names.push(name);
  return names;
}

/** How what a client says it holds compares with a map. */
export interface VersionDifference {
  /** It holds them in another version, or they are not in the map. */
  readonly other: readonly (readonly [name: string, version: string])[];
  /** It lacks them. */
  readonly missing: readonly string[];
}

const resumed = new WeakMap<ReadonlyMap<string, string>, WeakMap<object, WeakMap<NameList, VersionDifference>>>();

/** Over `names`, all of the map's by default. Reckoned once for all clients that come back with the same. */
export function versionsThatDiffer(
  versions: ReadonlyMap<string, string>,
  map: ResourceMap,
  names?: NameList,
): VersionDifference {
  const list = names ?? namesOf(map);
  const byMap = resumed.get(versions) ?? new WeakMap<object, WeakMap<NameList, VersionDifference>>();
  resumed.set(versions, byMap);
  const byNames = byMap.get(map) ?? new WeakMap<NameList, VersionDifference>();
  byMap.set(map, byNames);
  const before = byNames.get(list);
  if (before) return before;
  const covers = (name: string) => names === undefined || names.placeOf(name) >= 0;
  const difference: VersionDifference = {
    other: [...versions].filter(([name, version]) => covers(name) && map.get(name)?.version !== version),
    missing: list.names.filter((name) => !versions.has(name)),
  };
  byNames.set(list, difference);
  return difference;
}
