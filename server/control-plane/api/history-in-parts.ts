import type { Commit, ConfigStore, HistoryQuery } from "../../config/store.ts";

/** A commit has its objects whole, before and after: a thousand of them at once would be more memory than there is. */
const atOnce = 16;

/** Past commits, newest first, read a few at a time. */
export async function* historyInParts(
  store: Pick<ConfigStore, "history">,
  query: HistoryQuery,
): AsyncGenerator<Commit> {
  let left = query.limit;
  let { before } = query;
  while (left > 0) {
    const limit = Math.min(left, atOnce);
    const part = await store.history({ ...query, ...(before === undefined ? {} : { before }), limit });
    yield* part;
    if (part.length < limit) return;
    left -= part.length;
    before = part.at(-1)?.revision;
  }
}
