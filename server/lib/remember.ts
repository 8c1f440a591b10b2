import { type Clock, systemClock } from "./clock.ts";

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
