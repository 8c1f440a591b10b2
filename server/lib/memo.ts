interface Entry {
  deps: readonly unknown[];
  value: unknown;
}

const caches = new WeakMap<object, Map<string, Entry>>();
/** Per owner; an owner with more keys than this has churned through scopes that no longer exist, so all of them go. */
const maxKeys = 4096;

/**
 * The value made for `owner` and `key` the last time, as long as every dep is the same (`Object.is`); otherwise made anew.
 * Lives as long as the owner does. `make` must be pure, and everything it reads must be the owner, in the key or among the deps.
 */
export function memo<T>(owner: object, key: string, deps: readonly unknown[], make: () => T): T {
  let entries = caches.get(owner);
  if (!entries) {
    entries = new Map();
    caches.set(owner, entries);
  }
  const found = entries.get(key);
  if (found && sameItems(found.deps, deps)) return found.value as T;
  const value = make();
  if (entries.size >= maxKeys) entries.clear();
  entries.set(key, { deps, value });
  return value;
}

/** What `memo` would give without making it; undefined: it would make it. */
export function remembered<T>(owner: object, key: string, deps: readonly unknown[]): { readonly value: T } | undefined {
  const found = caches.get(owner)?.get(key);
  return found && sameItems(found.deps, deps) ? (found as { readonly value: T }) : undefined;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!Object.is(a[index], b[index])) return false;
  return true;
}

/** `previous` when it holds the same values under the same keys in the same order, else `next`: keeps a map's identity. */
export function keepMap<K, V>(previous: ReadonlyMap<K, V>, next: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  if (previous === next || previous.size !== next.size) return next;
  const old = previous.entries();
  for (const [key, value] of next) {
    const entry = old.next().value;
    if (!entry || !Object.is(entry[0], key) || !Object.is(entry[1], value)) return next;
  }
  return previous;
}
