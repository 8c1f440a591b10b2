import { type ConfigObject, formatKey, type ResourceKey } from "../../config/object.ts";
import { keysOf, planCommit } from "../../config/plan-commit.ts";
import type { Commit, CommitOptions, Write } from "../../config/store.ts";
import type { Clock } from "../../lib/clock.ts";
import { readAll, writeChanges } from "./commit-sql.ts";
import type { ObjectIndex } from "./object-index.ts";
import type { WriteTransaction } from "./write-transaction.ts";

/** What rolls a transaction back on purpose: a dry run, or a commit in which nothing changes. */
class Unwritten extends Error {
  readonly commit: Commit;
  constructor(commit: Commit) {
    super("not written");
    this.commit = commit;
  }
}

export interface CommitPlan {
  /** As `nextRevision` took it, with the lock that keeps everybody else from committing in between. */
  revision: number;
  index: ObjectIndex;
  writes: readonly Write[];
  author: string;
  options: CommitOptions;
  clock: Clock;
  maxHistory: number;
}

/** Plans the commit against what is stored, writes it, and bounds the history. Throws what `unlessUnwritten` catches for what is not to be written. */
export async function writeCommit(transaction: WriteTransaction, plan: CommitPlan): Promise<Commit> {
  const { revision, index, writes, author, options, clock, maxHistory } = plan;
  // Nobody has committed since the index was made: with the lock held it is what is stored.
  const isIndexed = index.revision === revision - 1;
  const read = isIndexed ? undefined : await readAll(transaction, keysOf(writes));
  const stored = (key: ResourceKey): ConfigObject | undefined => (read ? read.get(formatKey(key)) : index.get(key));
  const at = clock.now();
  const changes = planCommit(stored, writes, revision, at);
  const commit: Commit = { revision, at, author, changes };
  if (options.reason !== undefined) commit.reason = options.reason;
  if (options.dryRun || changes.length === 0) throw new Unwritten({ ...commit, revision: revision - 1 });
  await writeChanges(transaction, commit);
  await compact(transaction, revision, maxHistory);
  return commit;
}

/** The commit as it was written, or as it would have been. */
export async function unlessUnwritten(write: () => Promise<Commit>): Promise<{ commit: Commit; isWritten: boolean }> {
  try {
    return { commit: await write(), isWritten: true };
  } catch (error) {
    if (error instanceof Unwritten) return { commit: error.commit, isWritten: false };
    throw error;
  }
}

/** A few revisions at a time, so that a commit rarely pays for it. */
async function compact(transaction: WriteTransaction, revision: number, maxHistory: number): Promise<void> {
  const step = Math.max(1, Math.min(100, Math.floor(maxHistory / 10)));
  if (revision % step !== 0) return;
  await transaction.execute(`DELETE FROM "commit" WHERE "revision" <= ?`, revision - maxHistory);
}
