import { memo, remembered } from "./memo.ts";

interface Step<Owner, Change> {
  readonly from: Owner;
  readonly change: Change;
}

/**
 * Which value was made of which, and by what change: whoever derived something of the one can make it of the other from the change alone, and pays for
 * what was touched. Of each value only what it came of is remembered, not what that came of, so that a line of them never grows.
 */
export class Lineage<Owner extends object, Change> {
  readonly #steps = new WeakMap<Owner, Step<Owner, Change>>();

  /** `next`, of which it is known from here on that it came of `from`. */
  record(next: Owner, from: Owner, change: Change): Owner {
    if (next === from) return next;
    this.#steps.delete(from);
    this.#steps.set(next, { from, change });
    return next;
  }

  /** Undefined: nothing is known of what it came of. */
  cameOf(next: Owner): Step<Owner, Change> | undefined {
    return this.#steps.get(next);
  }

  /** What `next` differs from `from` by; undefined: it did not come of it. */
  between(from: Owner | undefined, next: Owner): Change | undefined {
    const step = this.#steps.get(next);
    return step !== undefined && step.from === from ? step.change : undefined;
  }

  /**
   * As `memo`, where `amend` makes the value of that of the owner before it, if one was made with the same deps; undefined: it can't, and it is made
   * whole. Both must come to equal values.
   */
  memo<T>(
    owner: Owner,
    key: string,
    deps: readonly unknown[],
    make: () => T,
    amend: (before: T, step: Step<Owner, Change>) => T | undefined,
  ): T {
    return memo(owner, key, deps, () => {
      const step = this.#steps.get(owner);
      const before = step && remembered<T>(step.from, key, deps);
      return (step && before && amend(before.value, step)) ?? make();
    });
  }
}

type NamedMap<V = unknown> = ReadonlyMap<string, V>;

/** Maps that came of others: which keys have another value, or are in one of the two only. */
export const mapSteps = new Lineage<NamedMap, ReadonlySet<string>>();

/** A copy in which some keys have other values, in their old place; new ones come last, and undefined takes one out. The map itself where all that is so. */
export function withEntries<V>(
  map: NamedMap<V>,
  entries: Iterable<readonly [string, V | undefined]>,
): ReadonlyMap<string, V> {
  let next: Map<string, V> | undefined;
  const changed = new Set<string>();
  for (const [key, value] of entries) {
    if ((next ?? map).get(key) === value) continue;
    next ??= new Map(map);
    changed.add(key);
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  if (next === undefined) return map;
  mapSteps.record(next, map, changed);
  return next;
}

/** Each value as `make` makes it, under the same key or `rename`'s; of a map that came of another only what changed is made. `make` must be pure. */
export function mappedEntries<V, W>(
  map: NamedMap<V>,
  key: string,
  make: (value: V, name: string) => W,
  rename: (name: string) => string = (name) => name,
): ReadonlyMap<string, W> {
  return mapSteps.memo<ReadonlyMap<string, W>>(
    map,
    key,
    [],
    () => new Map(Array.from(map, ([name, value]) => [rename(name), make(value, name)] as const)),
    (before, { from, change }) => {
      if (!isInPlace(from, map, change)) return undefined;
      return withEntries(
        before,
        Array.from(change, (name) => [rename(name), make(map.get(name) as V, name)] as const),
      );
    },
  );
}

/** Whether a map has other values than the one that it came of, and the same keys in the same order. */
export const isInPlace = (from: NamedMap, to: NamedMap, change: Iterable<string>): boolean => {
  for (const name of change) if (!from.has(name) || !to.has(name)) return false;
  return true;
};
