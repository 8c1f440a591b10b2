import { type FSWatcher, watch as watchFiles } from "node:fs";
import { MemoryConfigStore, type StoreOptions } from "../../config/memory-store.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "../../config/object.ts";
import {
  type Commit,
  type CommitOptions,
  type ConfigStore,
  type HistoryQuery,
  type ListQuery,
  ReadOnlyStoreError,
  StorageError,
  type Write,
} from "../../config/store.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { type FolderFiles, gather, readFolder } from "./read-folder.ts";

export interface DirectoryConfigStoreOptions extends StoreOptions {
  folder: string;
  logger: Logger;
  /** How long the folder must be quiet before it is read: editors and `git` write in several steps. */
  quietMs?: number;
  /** How often it is read though nothing was heard: not every file system tells. */
  intervalMs?: number;
}

const author = "files";
/** Namespaces that the mesh can't do without. */
const permanentNamespaces = ["default", "istio-system"];

/**
 * A mesh that is kept in a folder of YAML files, such as a checkout that something else brings up to date. It is read, and read again when a file
 * changes; nothing is ever written there, so the API takes dry runs only. Each reading is one commit. A file with errors keeps its objects of
 * before; a folder that is gone or empty after it had objects is no wish. Throws `UnusableDatabaseError` when the first reading fails.
 */
export async function openDirectoryConfigStore(options: DirectoryConfigStoreOptions): Promise<ConfigStore> {
  const store = new DirectoryConfigStore(options);
  try {
    await store.start();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

class DirectoryConfigStore implements ConfigStore {
  readonly #options: DirectoryConfigStoreOptions;
  readonly #memory: MemoryConfigStore;
  readonly #clock: NonNullable<StoreOptions["clock"]>;
  #files: FolderFiles = new Map();
  #problem: string | undefined;
  #watcher: FSWatcher | undefined;
  #timer: { cancel(): void } | undefined;
  #reading: Promise<void> | undefined;
  #closed = false;

  constructor(options: DirectoryConfigStoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    // Versions grow over restarts, too: clients that come back ask for what follows theirs.
    this.#memory = new MemoryConfigStore({ firstRevision: Math.floor(this.#clock.now() / 1000), ...options });
  }

  async start(): Promise<void> {
    const { folder } = this.#options;
    try {
      this.#files = await readFolder(folder, this.#files);
    } catch (error) {
      throw new UnusableDatabaseError(
        `the folder ${folder} can't be read: ${error instanceof Error ? error.message : error}`,
      );
    }
    const { objects, errors } = gather(this.#files);
    if (errors.length > 0)
      throw new UnusableDatabaseError(`the mesh in ${folder} is not valid:\n  ${errors.join("\n  ")}`);
    await this.#take(objects);
    this.#watch();
    this.#schedule(this.#options.intervalMs ?? 10_000);
  }

  /** Told by the system where it can; a folder that is replaced (`git`, a mounted volume) is heard of by its interval. */
  #watch(): void {
    try {
      this.#watcher = watchFiles(this.#options.folder, { recursive: true }, () =>
        this.#schedule(this.#options.quietMs ?? 100),
      );
      this.#watcher.on("error", () => {
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch {
      this.#watcher = undefined;
    }
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimeout(() => {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
        if (this.#watcher === undefined) this.#watch();
        this.#schedule(this.#options.intervalMs ?? 10_000);
      });
    }, ms);
  }

  async #read(): Promise<void> {
    const { folder, logger } = this.#options;
    const before = this.#problem;
    try {
      const files = await readFolder(folder, this.#files);
      const { objects, errors } = gather(files);
      if (files.size === 0 && this.#files.size > 0) {
        this.#problem = `${folder} is empty, and a mesh was in it: the last one stays in force`;
      } else {
        this.#files = files;
        await this.#take(objects);
        this.#problem = errors.length > 0 ? errors.join("; ") : undefined;
      }
    } catch (error) {
      this.#problem = `${folder} can't be read: ${error instanceof Error ? error.message : error}`;
    }
    if (this.#problem !== undefined && this.#problem !== before)
      logger.error({ problem: this.#problem }, "the mesh's files are not taken as they are");
  }

  /** What the files say, as one commit over what is there. */
  async #take(wanted: ReadonlyMap<string, ConfigObject>): Promise<void> {
    const all = new Map(wanted);
    const namespaces = [...permanentNamespaces, ...[...wanted.values()].map(({ metadata }) => metadata.namespace)];
    for (const name of new Set(namespaces)) {
      const object = { apiVersion: "v1", kind: "Namespace", metadata: { name, namespace: "" }, spec: {} };
      if (name !== "" && !all.has(formatKey(keyOf(object)))) all.set(formatKey(keyOf(object)), object);
    }
    const { items } = await this.#memory.list();
    const writes: Write[] = [...all.values()].map((object) => ({ op: "put", object: unversioned(object) }));
    for (const object of items)
      if (!all.has(formatKey(keyOf(object)))) writes.push({ op: "delete", key: keyOf(object) });
    if (!this.#closed) await this.#memory.commit(writes, author);
  }

  get(key: ResourceKey): Promise<ConfigObject | undefined> {
    return this.#memory.get(key);
  }

  list(query?: ListQuery): Promise<{ items: ConfigObject[]; revision: number }> {
    return this.#memory.list(query);
  }

  /** Dry runs; others are refused with where to make the change. */
  async commit(writes: readonly Write[], by: string, options: CommitOptions = {}): Promise<Commit> {
    const planned = await this.#memory.commit(writes, by, { ...options, dryRun: true });
    if (options.dryRun || planned.changes.length === 0) return planned;
    throw new ReadOnlyStoreError(this.#options.folder);
  }

  watch(revision: number, signal: AbortSignal): AsyncIterable<Commit> {
    return this.#memory.watch(revision, signal);
  }

  history(query: HistoryQuery): Promise<Commit[]> {
    return this.#memory.history(query);
  }

  revision(): Promise<number> {
    return this.#memory.revision();
  }

  /** Whether the mesh is what the files say. */
  async check(): Promise<void> {
    if (this.#problem !== undefined) throw new StorageError(this.#problem);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#watcher?.close();
    await this.#reading;
    await this.#memory.close();
  }
}

/** Versions and ids in a file are of the store that it was taken from. */
function unversioned(object: ConfigObject): ConfigObject {
  const { resourceVersion: _, uid: __, generation: ___, creationTimestamp: ____, ...metadata } = object.metadata;
  return { ...object, metadata };
}
