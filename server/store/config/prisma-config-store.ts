import { setImmediate as nextTurn } from "node:timers/promises";
import { assertReachable, defaultMaxHistory, type StoreOptions } from "../../config/memory-store.ts";
import type { ConfigObject, ResourceKey } from "../../config/object.ts";
import {
  type Commit,
  type CommitOptions,
  CompactedError,
  type ConfigStore,
  type HistoryQuery,
  type ListQuery,
  StorageError,
  type Write,
} from "../../config/store.ts";
import { Wake } from "../../config/wake.ts";
import { type Prisma, PrismaClient } from "../../gen/prisma-config/client.ts";
import { systemClock } from "../../lib/clock.ts";
import { busyTimeoutMs, renewConnection } from "../sqlite.ts";
import { nextRevision } from "./commit-sql.ts";
import { DataVersion } from "./data-version.ts";
import { MeshFile } from "./mesh-file.ts";
import { ObjectIndex } from "./object-index.ts";
import { type DatabaseOptions, explain, type OpenDatabase, openDatabase } from "./open-database.ts";
import { OutsideWrites } from "./outside-writes.ts";
import { fromCommitRow, fromObjectText } from "./rows.ts";
import { SharedClientAdapter } from "./shared-client-adapter.ts";
import { isConnectionStale, sqliteReason } from "./sqlite-reason.ts";
import { WriteCheck } from "./write-check.ts";
import { unlessUnwritten, writeCommit } from "./write-commit.ts";
import { type WriteTransaction, writeTransaction } from "./write-transaction.ts";

/** `busyTimeoutMs`: how long a write waits for another process's. */
export type PrismaConfigStoreOptions = StoreOptions & DatabaseOptions;

/** `openDatabase`, and reads everything that is in force. Throws `UnusableDatabaseError` and `MigrationError`. */
export async function openPrismaConfigStore(options: PrismaConfigStoreOptions): Promise<ConfigStore> {
  const database = await openDatabase(options);
  try {
    const adapter = new SharedClientAdapter(database.client);
    const prisma = new PrismaClient({ adapter });
    const { revision } = await prisma.state.findUniqueOrThrow({ where: { id: 1 } });
    const store = new PrismaConfigStore({ ...database, adapter, prisma }, revision, options);
    await store.list(); // from here on the mesh is in memory, whatever becomes of the file
    return store;
  } catch (error) {
    database.client.close();
    throw explain(error, database.path);
  }
}

/** How many commits a watcher reads at once, and how many are kept parsed for those who are up to date. */
const watchBatch = 64;
const maxRecent = 256;

/** One connection, on three levels: the driver's, the adapter's and Prisma's. */
interface Database extends OpenDatabase {
  adapter: SharedClientAdapter;
  prisma: PrismaClient;
}

class PrismaConfigStore implements ConfigStore {
  readonly #database: Database;
  readonly #prisma: PrismaClient;
  readonly #file: MeshFile;
  readonly #options: PrismaConfigStoreOptions;
  readonly #clock: NonNullable<StoreOptions["clock"]>;
  readonly #maxHistory: number;
  readonly #busyTimeoutMs: number;
  /** Why the file of this name is not the mesh that is in memory; nothing is written then, and what is read is of memory. */
  #lost: string | undefined;
  /** Grows when the history goes on from another file: who follows it must begin anew. */
  #epoch = 0;
  #adopting: Promise<void> | undefined;
  readonly #check: WriteCheck;
  readonly #wake = new Wake();
  readonly #others: DataVersion;
  readonly #outside: OutsideWrites;
  /** The last commits of this process, at consecutive revisions that end with `#revision`. */
  #recent: Commit[] = [];
  #revision: number;
  readonly #index = new ObjectIndex();
  #filling: Promise<void> | undefined;
  /** The `DataVersion` at which `#index` was as new as the database; undefined: unknown. */
  #seenOthers: unknown;
  #closed = false;

  constructor(database: Database, revision: number, options: PrismaConfigStoreOptions) {
    this.#database = database;
    this.#prisma = database.prisma;
    this.#file = new MeshFile(database.path);
    this.#options = options;
    this.#revision = revision;
    this.#clock = options.clock ?? systemClock;
    this.#maxHistory = options.maxHistory ?? defaultMaxHistory;
    this.#busyTimeoutMs = options.busyTimeoutMs ?? busyTimeoutMs;
    const touch = `UPDATE "state" SET "checkedAt" = ? WHERE "id" = 1`;
    this.#check = new WriteCheck(this.#clock, (at) =>
      this.#transact((transaction) => transaction.execute(touch, BigInt(at))),
    );
    this.#others = new DataVersion(database.client);
    this.#outside = new OutsideWrites({
      version: this.#others,
      clock: this.#clock,
      onWrite: () => this.#noticeOthers(),
      onLook: () => this.#lookAtFile(),
    });
  }

  async get(key: ResourceKey): Promise<ConfigObject | undefined> {
    return (await this.#upToDate()).get(key);
  }

  async list(query: ListQuery = {}): Promise<{ items: ConfigObject[]; revision: number }> {
    const index = await this.#upToDate();
    return { items: index.list(query), revision: index.revision };
  }

  /** The objects as of the database's revision, which another process may have moved on. */
  async #upToDate(): Promise<ObjectIndex> {
    if (this.#lost !== undefined && this.#index.revision > 0) return this.#index;
    const version = await this.#others.read();
    const isKnown = version !== undefined && version === this.#seenOthers;
    if (isKnown && this.#index.revision >= this.#revision) return this.#index;
    try {
      return await this.#refresh(version);
    } catch (error) {
      await this.#lookAtFile();
      if (this.#lost !== undefined && this.#index.revision > 0) return this.#index;
      throw this.#unreadable(error);
    }
  }

  async #refresh(version: unknown): Promise<ObjectIndex> {
    const { revision } = await this.#state();
    while (this.#index.revision < revision) {
      this.#filling ??= this.#fill().finally(() => {
        this.#filling = undefined;
      });
      await this.#filling;
    }
    this.#seenOthers = version;
    return this.#index;
  }

  async #fill(): Promise<void> {
    // One transaction: the objects are those of exactly this revision.
    const [state, rows] = await this.#prisma.$transaction([
      this.#prisma.state.findUniqueOrThrow({ where: { id: 1 } }),
      this.#prisma.resource.findMany(),
    ]);
    const objects = rows.map((row) => fromObjectText(row.object));
    this.#index.fill(objects, state.revision);
  }

  async commit(writes: readonly Write[], author: string, options: CommitOptions = {}): Promise<Commit> {
    const { commit, isWritten } = await unlessUnwritten(() =>
      this.#transact((transaction) => this.#write(transaction, writes, author, options)),
    );
    if (!isWritten) return commit;
    this.#publish(commit);
    // Whoever watches goes first: what the commit sends to the proxies leaves within this turn of the event loop.
    await nextTurn();
    return commit;
  }

  /** Rejects with a `StorageError` where the database, or its file, is why. */
  async #transact<T>(work: (transaction: WriteTransaction) => Promise<T>, tries = 2): Promise<T> {
    if (this.#closed) throw new StorageError("the config store is closed");
    await this.#lookAtFile();
    if (this.#lost !== undefined) throw new StorageError(`${this.#lost}; nothing was changed`);
    try {
      return await writeTransaction(this.#database.adapter, work);
    } catch (error) {
      const why = sqliteReason(error);
      if (why === undefined) throw error;
      if (isConnectionStale(why)) await this.#renewConnection();
      // The file may be writable by now, and was not when it was opened.
      if (why.startsWith("SQLITE_READONLY") && tries > 1) return this.#transact(work, tries - 1);
      throw new StorageError(`the config database ${this.#file.path} can't be written (${why}); nothing was changed`, {
        cause: error,
      });
    }
  }

  async #renewConnection(): Promise<void> {
    this.#seenOthers = undefined; // data_version is the connection's own
    await renewConnection(this.#database.client, "FULL", this.#busyTimeoutMs).catch(() => undefined); // closed meanwhile
  }

  #unreadable(error: unknown): unknown {
    const why = sqliteReason(error);
    if (why === undefined) return error;
    return new StorageError(`the config database ${this.#file.path} can't be read (${why})`, { cause: error });
  }

  /** Notices a file that is gone, empty or another's; takes one that holds the same mesh, such as a backup that was put in place. */
  async #lookAtFile(): Promise<void> {
    const look = this.#file.look();
    if (look === "refused") return;
    if (look === "same") this.#lost = undefined;
    else if (look !== "replaced") this.#lost = `the config database ${this.#file.path} ${look.why} while it is in use`;
    else {
      this.#adopting ??= this.#adopt().finally(() => {
        this.#adopting = undefined;
      });
      await this.#adopting;
    }
  }

  async #adopt(): Promise<void> {
    const { path } = this.#file;
    this.#lost = `the config database ${path} was replaced while it is in use`;
    let found: OpenDatabase | undefined;
    try {
      found = await openDatabase(this.#options);
      if (found.mesh !== this.#database.mesh) throw new Error(`it is of another mesh (${found.mesh})`);
      await this.#renewConnection();
      const { revision } = await this.#state();
      this.#file.reopened();
      this.#recent = [];
      this.#index.clear();
      this.#revision = revision;
      this.#epoch++;
      this.#lost = undefined;
      this.#wake.all();
    } catch (error) {
      this.#lost += `: ${error instanceof Error ? error.message : error}`;
      this.#file.refused();
    } finally {
      found?.client.close();
    }
  }

  check(): Promise<void> {
    return this.#check.run();
  }

  async #write(
    transaction: WriteTransaction,
    writes: readonly Write[],
    author: string,
    options: CommitOptions,
  ): Promise<Commit> {
    // A write comes first, so that SQLite's lock is taken before anything is read: nobody else can commit in between.
    const revision = await nextRevision(transaction);
    const [index, clock, maxHistory] = [this.#index, this.#clock, this.#maxHistory];
    return writeCommit(transaction, { revision, index, writes, author, options, clock, maxHistory });
  }

  #publish(commit: Commit): void {
    // Two commits of this process may return in another order than they were written; watchers then read the database.
    if (commit.revision !== this.#revision + 1) this.#recent = [];
    this.#revision = Math.max(this.#revision, commit.revision);
    this.#index.apply(commit);
    if (commit.revision === this.#revision) this.#recent.push(commit);
    if (this.#recent.length > Math.min(maxRecent, this.#maxHistory)) this.#recent.shift();
    this.#wake.all();
  }

  /** Another process has committed: watchers read the database, which has its commits. */
  async #noticeOthers(): Promise<void> {
    const { revision } = await this.#state();
    if (revision <= this.#revision) return;
    this.#recent = [];
    this.#revision = revision;
    this.#wake.all();
  }

  async *watch(revision: number, signal: AbortSignal): AsyncIterable<Commit> {
    const ignoreOthers = this.#outside.observe();
    try {
      yield* this.#follow(revision, signal);
    } finally {
      ignoreOthers();
    }
  }

  async *#follow(revision: number, signal: AbortSignal): AsyncIterable<Commit> {
    let seen = revision;
    let isCaughtUp = false;
    const epoch = this.#epoch;
    while (!signal.aborted && !this.#closed) {
      if (this.#epoch !== epoch) throw new CompactedError("the history goes on from another file");
      if (isCaughtUp && seen >= this.#revision) {
        await this.#wake.next(signal);
        continue;
      }
      const recent = this.#recentAfter(seen);
      const commits = recent ?? (await this.#readAfter(seen).catch((error) => this.#unlessClosed(error)));
      // The recent ones end with the last that this process knows of; what is read may be cut off.
      isCaughtUp = recent !== undefined || commits.length === 0;
      for (const commit of commits) {
        if (signal.aborted || this.#closed) return;
        seen = commit.revision;
        yield commit;
      }
    }
  }

  /** The database is closed under a watch that is reading it: its end, and no error. */
  #unlessClosed(error: unknown): Commit[] {
    if (this.#closed) return [];
    throw this.#unreadable(error);
  }

  #recentAfter(seen: number): Commit[] | undefined {
    const first = this.#recent[0]?.revision;
    return first !== undefined && first <= seen + 1 && seen < this.#revision
      ? this.#recent.slice(seen + 1 - first)
      : undefined;
  }

  async #readAfter(seen: number): Promise<Commit[]> {
    const rows = await this.#prisma.commit.findMany({
      where: { revision: { gt: seen } },
      include: { changes: { orderBy: { ordinal: "asc" } } },
      orderBy: { revision: "asc" },
      take: watchBatch,
    });
    const first = rows[0]?.revision;
    if (first !== undefined) assertReachable(seen, first, Math.max(this.#revision, first));
    else assertReachable(seen, seen + 1, (await this.#state()).revision);
    return rows.map(fromCommitRow);
  }

  async history({ sinceMs, key, before, limit }: HistoryQuery): Promise<Commit[]> {
    const where: Prisma.CommitWhereInput = {};
    if (before !== undefined) where.revision = { lt: before };
    if (sinceMs !== undefined) where.at = { gte: BigInt(Math.ceil(sinceMs)) };
    if (key !== undefined) where.changes = { some: { kind: key.kind, namespace: key.namespace, name: key.name } };
    const include = { changes: { orderBy: { ordinal: "asc" } } } as const;
    try {
      const query = { where, include, orderBy: { revision: "desc" }, take: Math.max(0, limit) } as const;
      return (await this.#prisma.commit.findMany(query)).map(fromCommitRow);
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  async revision(): Promise<number> {
    if (this.#lost !== undefined) return this.#revision;
    try {
      return (await this.#state()).revision;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  #state() {
    return this.#prisma.state.findUniqueOrThrow({ where: { id: 1 } });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake.all();
    // Whoever copies the one file of a mesh that is stopped has everything.
    if (this.#lost === undefined) {
      await this.#database.client.execute("PRAGMA wal_checkpoint(TRUNCATE)").catch(() => undefined);
    }
    await this.#prisma.$disconnect();
    this.#database.client.close();
  }
}
