import type { ConfigChange } from "../../config/store.ts";
import { Wake } from "../../config/wake.ts";

/** What changed of registered workloads, beside the commits of the store: for those who watch. */
export interface ChangeLog {
  add(revision: number, changes: readonly ConfigChange[]): void;
  /** Those since a revision was new, of which the asker may have seen some; undefined: it is not known any more what was. */
  since(revision: number): readonly ConfigChange[] | undefined;
  /** Those from now on, until aborted. */
  follow(signal: AbortSignal): AsyncIterable<readonly ConfigChange[]>;
}

/** Whoever was away for longer lists again. */
const maxEntries = 2_000;
/** How many commits the mesh, by whose revision these are told, may be behind the store, by whose revision is asked. */
const slack = 100;

export function createChangeLog(): ChangeLog {
  const entries: { revision: number; change: ConfigChange }[] = [];
  const wake = new Wake();
  /** Changes at this revision and later are all here. */
  let complete: number | undefined;
  /** How many were taken out at the front. */
  let dropped = 0;
  return {
    add(revision, changes) {
      // What was before the first is not known: an earlier process may have changed it.
      complete ??= revision;
      if (changes.length === 0) return;
      entries.push(...changes.map((change) => ({ revision, change })));
      const excess = entries.length - maxEntries;
      if (excess > 0) {
        const gone = entries.splice(0, excess);
        dropped += excess;
        complete = Math.max(complete, (gone.at(-1)?.revision ?? 0) + 1);
      }
      wake.all();
    },
    since(revision) {
      if (complete === undefined || revision < complete) return undefined;
      return entries.filter((entry) => entry.revision >= revision - slack).map(({ change }) => change);
    },
    async *follow(signal) {
      let next = dropped + entries.length;
      while (!signal.aborted) {
        const from = Math.max(0, next - dropped);
        const changes = entries.slice(from).map(({ change }) => change);
        next = dropped + entries.length;
        if (changes.length > 0) yield changes;
        else await wake.next(signal);
      }
    },
  };
}
