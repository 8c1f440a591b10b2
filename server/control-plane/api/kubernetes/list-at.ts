import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import type { ConfigStore, ListQuery } from "../../../config/store.ts";
import { historyInParts } from "../history-in-parts.ts";

/** How many commits are taken back, at most, to show a list as it was. */
const maxCommitsBack = 1_000;

/**
 * The list as it was at a past revision: the newest one with every later commit taken back. Undefined when that revision is not of
 * this store, or so long ago that its history is gone.
 */
export async function listAt(
  store: ConfigStore,
  query: ListQuery,
  revision: number,
): Promise<ConfigObject[] | undefined> {
  const { items, revision: newest } = await store.list(query);
  if (revision === newest) return items;
  // What is committed between the two reads is in the history, too, and not in the list.
  const ahead = (await store.revision()) - revision;
  if (revision > newest || ahead > maxCommitsBack) return undefined;
  const objects = new Map(items.map((object) => [formatKey(keyOf(object)), object]));
  let count = 0;
  for await (const { revision: at, changes } of historyInParts(store, {
    before: newest + 1,
    limit: newest - revision,
  })) {
    if (at <= revision) break;
    count++;
    for (const { key, before } of changes) {
      if (query.kind !== undefined && key.kind !== query.kind) continue;
      if (query.namespace !== undefined && key.namespace !== query.namespace) continue;
      if (before) objects.set(formatKey(key), before);
      else objects.delete(formatKey(key));
    }
  }
  if (count !== newest - revision) return undefined;
  return [...objects.values()].sort((a, b) => compareNames(a.metadata, b.metadata));
}

type Named = { namespace: string; name: string };

/** The order of lists: by namespace, then name. */
export const compareNames = (a: Named, b: Named): number =>
  compare(a.namespace, b.namespace) || compare(a.name, b.name);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
