import type { Patch } from "./patch-set.ts";

/**
 * A list after one patch of its items, MERGE and what is for other lists left out: the same array where nothing changes.
 * @param names whether the patch names an item of its kind: without, INSERT_BEFORE is at the begin, INSERT_AFTER at the end.
 */
export function editList<T>(
  list: readonly T[],
  { operation, value }: Patch<T>,
  names: boolean,
  matches: (item: T) => boolean,
): readonly T[] {
  if (operation === "REMOVE") return list.some(matches) ? list.filter((item) => !matches(item)) : list;
  if (value === undefined) return list;
  const at = list.findIndex(matches);
  switch (operation) {
    case "ADD":
      return [...list, value];
    case "INSERT_FIRST":
      return [value, ...list];
    case "INSERT_BEFORE":
      if (!names) return [value, ...list];
      return at < 0 ? list : list.toSpliced(at, 0, value);
    case "INSERT_AFTER":
      if (!names) return [...list, value];
      return at < 0 ? list : list.toSpliced(at + 1, 0, value);
    case "REPLACE":
      return at < 0 ? list : list.with(at, value);
    default:
      return list;
  }
}

/** Each item after `change`; the same array where none changes. Undefined: the item is removed. */
export function mapList<T>(list: readonly T[], change: (item: T) => T | undefined): readonly T[] {
  let changed = false;
  const result = list.flatMap((item) => {
    const next = change(item);
    changed ||= next !== item;
    return next === undefined ? [] : [next];
  });
  return changed ? result : list;
}
