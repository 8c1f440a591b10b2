import type { Change, Routing } from "../../server/contract/index.ts";

/** A change of weights that is in force, and what undoing it brings back. */
export interface Written {
  revision: number;
  /** For people: `80/20/0`; null: there was no split, or it goes back further than one change, as a canary's run does. */
  before: string | null;
  after: string;
  /** Who wrote it, when it was found in the history. */
  by?: { author: string; at: number };
}

/** For so long after a change it is offered to take it back; later it is in the history. */
const freshMs = 15 * 60_000;

/**
 * The change that undo would take back: what this page wrote last, or after a reload the last write of the rules, if it was one of
 * weights, and of a moment ago. What somebody wrote on top of it stands in its way. `now` as the changes' times, Unix milliseconds.
 */
export function undoableShift(
  routing: Routing | undefined,
  changes: readonly Change[],
  own: Written | null,
  now: number,
): Written | null {
  const inForce = Number(routing?.virtualService?.resourceVersion ?? 0);
  if (own !== null && own.revision >= inForce) return own;
  const change = changes.find(({ revision, kind }) => revision === inForce && kind === "traffic");
  if (!change?.weights || now - change.at > freshMs) return null;
  const run = change.words.find((word) => word.code === "canary");
  // A run that has gone back is taken back already.
  if (run?.event === "aborted" || run?.event === "rollback") return null;
  const weights = run ? { ...change.weights, before: null } : change.weights;
  return { revision: change.revision, ...weights, by: { author: change.author, at: change.at } };
}

/** Whose write a draft that was made against `base` came too late for: the newest of the rules, since then. */
export function overtakenBy(changes: readonly Change[], routing: Routing, base: string | null): Change | undefined {
  const service = routing.hostname.split(".");
  const { namespace, name } = routing.virtualService ?? { namespace: service[1] ?? "", name: service[0] ?? "" };
  return changes.find(
    ({ revision, objects }) =>
      revision > Number(base ?? 0) &&
      objects.some(
        (object) => object.kind === "VirtualService" && object.namespace === namespace && object.name === name,
      ),
  );
}
