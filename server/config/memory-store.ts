import { type Clock, systemClock } from "../lib/clock.ts";
import { type ConfigObject, formatKey, type ResourceKey } from "./object.ts";
import { planCommit } from "./plan-commit.ts";
import {
  type Commit,
  type CommitOptions,
  CompactedError,
  type ConfigStore,
  type HistoryQuery,
  type ListQuery,
  StorageError,
  type Write,
} from "./store.ts";
import { Wake } from "./wake.ts";

export interface StoreOptions {
  clock?: Clock;
  /** How many commits the history keeps; older ones are compacted away. */
  maxHistory?: number;
  /** The revision of the store while it is empty. */
  firstRevision?: number;
}

export const defaultMaxHistory = 10_000;

/** An empty store is at revision 1: Kubernetes' clients take version 0 for "any". */
export const firstRevision = 1;

/** Keeps everything in this process and nothing beyond it. Objects that it returns are frozen and shared. */
export class MemoryConfigStore implements ConfigStore {
  readonly #clock: Clock;
  readonly #maxHistory: number;
  readonly #objects = new Map<string, ConfigObject>();
  /** Consecutive revisions, oldest first. */
  readonly #commits: Commit[] = [];
  readonly #wake = new Wake();
  #revision: number;
  #closed = false;

  constructor(options: StoreOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#maxHistory = options.maxHistory ?? defaultMaxHistory;
    this.#revision = options.firstRevision ?? firstRevision;
  }

  async get(key: ResourceKey): Promise<ConfigObject | undefined> {
    return this.#objects.get(formatKey(key));
  }

  async list(query: ListQuery = {}): Promise<{ items: ConfigObject[]; revision: number }> {
    const items = [...this.#objects.values()].filter((object) => matches(object, query)).sort(byName);
    return { items, revision: this.#revision };
  }

  async commit(writes: readonly Write[], author: string, options: CommitOptions = {}): Promise<Commit> {
    if (this.#closed) throw new Error("the config store is closed");
    const at = this.#clock.now();
    const revision = this.#revision + 1;
    const changes = planCommit((key) => this.#objects.get(formatKey(key)), writes, revision, at);
    const commit: Commit = { revision, at, author, changes };
    if (options.reason !== undefined) commit.reason = options.reason;
    if (options.dryRun || changes.length === 0) return { ...commit, revision: this.#revision };
    for (const { key, after } of changes) {
      if (after === undefined) this.#objects.delete(formatKey(key));
      else this.#objects.set(formatKey(key), after);
    }
    this.#revision = revision;
    this.#commits.push(commit);
    if (this.#commits.length > this.#maxHistory) this.#commits.splice(0, this.#commits.length - this.#maxHistory);
    this.#wake.all();
    return commit;
  }

  async *watch(revision: number, signal: AbortSignal): AsyncIterable<Commit> {
    let seen = revision;
    while (!signal.aborted && !this.#closed) {
      const oldest = this.#commits[0]?.revision ?? this.#revision + 1;
      assertReachable(seen, oldest, this.#revision);
      const next = this.#commits[seen + 1 - oldest];
      if (next === undefined) {
        await this.#wake.next(signal);
        continue;
      }
      seen = next.revision;
      yield next;
    }
  }

  async history(query: HistoryQuery): Promise<Commit[]> {
    const found: Commit[] = [];
    for (let index = this.#commits.length - 1; index >= 0 && found.length < query.limit; index--) {
      const commit = this.#commits[index];
      if (commit !== undefined && isWanted(commit, query)) found.push(commit);
    }
    return found;
  }

  async revision(): Promise<number> {
    return this.#revision;
  }

  async check(): Promise<void> {
    if (this.#closed) throw new StorageError("the config store is closed");
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake.all();
  }
}

/** Throws when commits right after `seen` are no longer, or not yet, known: the reader must list again. */
export function assertReachable(seen: number, oldest: number, current: number): void {
  if (seen + 1 < oldest)
    throw new CompactedError(`revision ${seen} is too old: the history begins after ${oldest - 1}`);
  if (seen > current) throw new CompactedError(`revision ${seen} is not of this store, which is at ${current}`);
}

function isWanted(commit: Commit, { sinceMs, key, before }: HistoryQuery): boolean {
  if (before !== undefined && commit.revision >= before) return false;
  if (sinceMs !== undefined && commit.at < sinceMs) return false;
  return key === undefined || commit.changes.some((change) => formatKey(change.key) === formatKey(key));
}

const matches = (object: ConfigObject, { kind, namespace }: ListQuery) =>
  (kind === undefined || object.kind === kind) && (namespace === undefined || object.metadata.namespace === namespace);

/** By namespace, then name, then kind, in code-unit order, as SQLite's binary order has it for these names. */
function byName(a: ConfigObject, b: ConfigObject): number {
  return (
    compare(a.metadata.namespace, b.metadata.namespace) ||
    compare(a.metadata.name, b.metadata.name) ||
    compare(a.kind, b.kind)
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
