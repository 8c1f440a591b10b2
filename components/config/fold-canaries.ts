import type { Change } from "../../server/contract/index.ts";

export interface HistoryEntry {
  change: Change;
  /** Of a canary's run: what it did before, newest first. */
  earlier: Change[];
}

const ends = new Set(["finished", "promoted", "rollback", "aborted"]);

/** A run of a canary as one entry, where its newest change stands; everything else as it is. Newest first, as they come. */
export function foldCanaries(changes: readonly Change[]): HistoryEntry[] {
  const runs = new Map<string, HistoryEntry>();
  const entries: HistoryEntry[] = [];
  for (const change of changes) {
    const [word] = change.words;
    const canary = word?.code === "canary" ? word : undefined;
    const key = canary && `${change.objects.find(({ kind }) => kind === "Canary")?.namespace}/${canary.canary}`;
    const run = key === undefined ? undefined : runs.get(key);
    // Towards the past, an end belongs to the run before.
    if (run !== undefined && canary !== undefined && !ends.has(canary.event)) {
      run.earlier.push(change);
      continue;
    }
    const entry: HistoryEntry = { change, earlier: [] };
    entries.push(entry);
    if (key !== undefined) runs.set(key, entry);
  }
  return entries;
}
