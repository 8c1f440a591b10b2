import { type ConfigObject, formatKey } from "../../config/object.ts";
import type { Commit, ConfigChange, ConfigStore } from "../../config/store.ts";
import { rollBack } from "./moves.ts";
import { canaryOf, statusOf } from "./world.ts";

/** More than the steps (100) and pauses of a run. */
const maxLookedAt = 200;

/**
 * A commit that moved a canary as all that its run did up to it: a run is one thing, and is taken back as one. Any other commit is itself. Where
 * somebody else wrote an object of it in between, it begins with what they left.
 */
export async function wholeRun(store: Pick<ConfigStore, "history">, commit: Commit): Promise<Commit> {
  const moved = commit.changes.find(isCanaryMove);
  if (moved === undefined) return commit;
  const began = startOf(moved.after);
  let whole = commit;
  for (const earlier of await store.history({ key: moved.key, before: commit.revision, limit: maxLookedAt })) {
    const same = earlier.changes.find(({ key }) => formatKey(key) === formatKey(moved.key));
    if (startOf(same?.after) !== began || !leadsTo(earlier, whole)) break;
    whole = { ...whole, changes: joined(earlier.changes, whole.changes) };
  }
  return whole;
}

/** Of a canary's status, and not of its spec alone. */
export const isCanaryMove = ({ key, before, after }: ConfigChange): boolean =>
  key.kind === "Canary" &&
  after?.status !== undefined &&
  JSON.stringify(before?.status) !== JSON.stringify(after.status);

/**
 * The object of a canary whose run is taken back, over what it is now: its spec stays, and the run is over. With the status from before, the
 * controller would make the very step again.
 */
export function endedRun(current: ConfigObject, now: number): ConfigObject {
  const status = statusOf(canaryOf(current));
  return status ? { ...current, status: { ...rollBack(status, now, "Undone").status } } : current;
}

const startOf = (object: ConfigObject | undefined): string | undefined =>
  object && statusOf(canaryOf(object))?.startedAt;

/** What both wrote, the later one found as the earlier one had left it. */
function leadsTo(earlier: Commit, later: Commit): boolean {
  const left = new Map(earlier.changes.map(({ key, after }) => [formatKey(key), after?.metadata.resourceVersion]));
  return later.changes.every(({ key, before }) => {
    const name = formatKey(key);
    return !left.has(name) || left.get(name) === before?.metadata.resourceVersion;
  });
}

/** Two commits' changes as one's. */
function joined(earlier: readonly ConfigChange[], later: readonly ConfigChange[]): ConfigChange[] {
  const first = new Map(earlier.map((change) => [formatKey(change.key), change]));
  const both = later.map((change): ConfigChange => {
    const name = formatKey(change.key);
    const before = first.get(name);
    first.delete(name);
    if (before === undefined) return change;
    const { before: _, ...rest } = change;
    const type = before.before === undefined ? "ADDED" : change.type === "ADDED" ? "MODIFIED" : change.type;
    return { ...rest, type, ...(before.before && { before: before.before }) };
  });
  return [...first.values(), ...both];
}
