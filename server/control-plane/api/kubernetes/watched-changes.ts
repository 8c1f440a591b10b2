import type { ConfigStore } from "../../../config/store.ts";
import type { ApiContext } from "../context.ts";

/** Changes to tell, and the revision up to which all has been told then. */
export interface Told {
  revision: number;
  changes: Awaited<ReturnType<ConfigStore["commit"]>>["changes"];
}

/**
 * Commits after a revision; for workloads those changes, too, that nobody committed: who registers itself. These have no revision of their own, so that one
 * who comes back is told some again.
 */
export async function* watchedChanges(
  { store, registered }: Pick<ApiContext, "store" | "registered">,
  kind: string,
  revision: number,
  signal: AbortSignal,
): AsyncIterable<Told> {
  if (kind !== "WorkloadEntry" || registered === undefined) {
    yield* store.watch(revision, signal);
    return;
  }
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  let at = revision;
  const commits = store.watch(revision, both)[Symbol.asyncIterator]();
  const others = registered.log.follow(both)[Symbol.asyncIterator]();
  let [commit, other] = [commits.next(), others.next()];
  try {
    for (;;) {
      const first = await Promise.race([
        commit.then((result) => ({ from: "store" as const, result })),
        other.then((result) => ({ from: "registry" as const, result })),
      ]);
      if (first.result.done) return;
      if (first.from === "store") {
        at = first.result.value.revision;
        yield first.result.value;
        commit = commits.next();
      } else {
        yield { revision: at, changes: [...first.result.value] };
        other = others.next();
      }
    }
  } finally {
    ended.abort();
    await Promise.allSettled([commit, other]);
  }
}
