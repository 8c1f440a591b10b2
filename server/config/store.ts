import { type Told, told } from "../contract/index.ts";
import type { ConfigObject, ResourceKey } from "./object.ts";

/** Where a mesh comes from: all of it at one revision, and from there on each change. The control plane needs no more. */
export interface ConfigSource {
  /** Objects of a kind (or of all), ordered by namespace and name, and the revision they were read at. */
  list(query?: ListQuery): Promise<{ items: ConfigObject[]; revision: number }>;
  /** Every commit after `revision`, in order, without gaps, then live ones, until aborted. Throws `CompactedError` when the history no longer reaches back. */
  watch(revision: number, signal: AbortSignal): AsyncIterable<Commit>;
}

/**
 * Where mesh resources live and are written. Implementations: memory, SQLite through Prisma, and PostgreSQL; one contract suite holds them all.
 * A revision is a positive integer that grows by one with each commit; `resourceVersion` is the revision of an object's last write.
 */
export interface ConfigStore extends ConfigSource {
  get(key: ResourceKey): Promise<ConfigObject | undefined>;
  /**
   * Writes all or nothing. Throws `ConflictError` when a precondition fails, `NotFoundError` when a delete's target is gone.
   * A put that changes nothing keeps the object's resourceVersion; a commit in which nothing changes makes no revision.
   */
  commit(writes: readonly Write[], author: string, options?: CommitOptions): Promise<Commit>;
  /** Past commits, newest first. */
  history(query: HistoryQuery): Promise<Commit[]>;
  revision(): Promise<number>;
  /** Tries whether a commit would be stored now. Rejects with a `StorageError` that says why not. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface ListQuery {
  kind?: string;
  namespace?: string;
}

export type Write =
  | {
      op: "put";
      object: ConfigObject;
      /** Refuse unless the stored object has exactly this version; "absent" refuses an existing one. Unset: no precondition. */
      expect?: string | "absent";
    }
  | { op: "delete"; key: ResourceKey; expect?: string };

export interface CommitOptions {
  /** Check and return what would be stored, store nothing. */
  dryRun?: boolean;
  /** Why, in a few words, for the history: "shift reviews 80/20/0 → 70/20/10". */
  reason?: string;
}

export interface Commit {
  revision: number;
  /** Unix milliseconds. */
  at: number;
  author: string;
  reason?: string;
  changes: ConfigChange[];
}

export interface ConfigChange {
  type: "ADDED" | "MODIFIED" | "DELETED";
  key: ResourceKey;
  before?: ConfigObject;
  after?: ConfigObject;
}

export interface HistoryQuery {
  /** Unix milliseconds, inclusive. */
  sinceMs?: number;
  key?: ResourceKey;
  /** Only revisions below this one. */
  before?: number;
  limit: number;
}

export class ConflictError extends Error {
  readonly code = "CONFLICT";
  readonly key: ResourceKey;
  readonly current: ConfigObject | undefined;
  readonly told: Told;
  constructor(key: ResourceKey, current: ConfigObject | undefined, told: Told) {
    super(told.message);
    this.key = key;
    this.current = current;
    this.told = told;
  }
}

export class NotFoundError extends Error {
  readonly code = "NOT_FOUND";
  readonly key: ResourceKey;
  constructor(key: ResourceKey) {
    super(`${key.kind} ${key.namespace}/${key.name} does not exist`);
    this.key = key;
  }
}

/** The store can't be read or written as it is, such as on a full disk. Nothing was changed. */
export class StorageError extends Error {
  readonly code = "STORAGE";
}

/** The store is kept elsewhere and only read here. */
export class ReadOnlyStoreError extends Error {
  readonly code = "READ_ONLY";
  readonly told: Told;
  /** `folder`: whose files are to be changed instead. */
  constructor(folder: string) {
    const said = told("kept-in-files", { folder });
    super(said.message);
    this.told = said;
  }
}

export class CompactedError extends Error {
  readonly code = "COMPACTED";
}
