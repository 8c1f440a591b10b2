import { type Clock, systemClock } from "./clock.ts";
import { Recent } from "./recent.ts";

/** Calls `load` at most once in `ms`; callers meanwhile share its answer. A failure is not remembered. */
export function remember<T>(load: () => Promise<T>, ms: number, clock: Clock = systemClock): () => Promise<T> {
  let held: { at: number; value: Promise<T> } | undefined;
  return () => {
    if (held && clock.now() - held.at < ms) return held.value;
    const entry = { at: clock.now(), value: load() };
    entry.value.catch(() => {
      if (held === entry) held = undefined;
    });
    held = entry;
    return entry.value;
  };
}

/** The same for each of a few keys; the key asked for longest ago goes when there are more than `maxKeys`. */
export function rememberEach<K, T>(
  load: (key: K) => Promise<T>,
  options: { ms: number; maxKeys: number; keyOf(key: K): string; clock?: Clock },
): (key: K) => Promise<T> {
  const held = new Recent<() => Promise<T>>(options.maxKeys);
  return (key) => held.getOr(options.keyOf(key), () => remember(() => load(key), options.ms, options.clock))();
}
