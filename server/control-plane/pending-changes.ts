import { formatKey } from "../config/object.ts";
import type { Commit, ConfigChange } from "../config/store.ts";
import type { TrackedCommit } from "./push-tracker.ts";

/** As many as are ever shown. */
const maxCommits = 200;

/**
 * What the mesh does not have yet: the last change of each object, since a revision that is skipped is never seen by a proxy.
 * So it never grows beyond the config itself.
 */
export class PendingChanges {
  #changes = new Map<string, ConfigChange>();
  #commits: TrackedCommit[] = [];

  add({ revision, at, author, reason, changes }: Commit): void {
    this.#commits.push({ revision, at, author, reason });
    if (this.#commits.length > maxCommits) this.#commits.shift();
    this.#put(changes);
  }

  /** All of it, which stays here. */
  peek(): ConfigChange[] {
    return [...this.#changes.values()];
  }

  /** All of it, and the revision it leads to; undefined when there was no commit. */
  take(): { changes: ConfigChange[]; commits: TrackedCommit[]; revision: number | undefined } {
    const taken = { changes: [...this.#changes.values()], commits: this.#commits };
    this.#changes = new Map();
    this.#commits = [];
    return { ...taken, revision: taken.commits.at(-1)?.revision };
  }

  /** Changes that could not be applied; newer ones of the same objects win. */
  giveBack(changes: readonly ConfigChange[]): void {
    const newer = [...this.#changes.values()];
    this.#changes = new Map();
    this.#put(changes);
    this.#put(newer);
  }

  #put(changes: readonly ConfigChange[]): void {
    for (const change of changes) {
      const key = formatKey(change.key);
      this.#changes.delete(key);
      this.#changes.set(key, change);
    }
  }
}
