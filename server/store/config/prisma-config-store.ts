import { setImmediate as nextTurn } from "node:timers/promises";
import type { Client } from "@libsql/client";
import { assertReachable, defaultMaxHistory, firstRevision, type StoreOptions } from "../../config/memory-store.ts";
import { type ConfigObject, formatKey, type ResourceKey } from "../../config/object.ts";
import { keysOf, planCommit } from "../../config/plan-commit.ts";
import {
  type Commit,
  type CommitOptions,
  type ConfigStore,
  type HistoryQuery,
  type ListQuery,
  StorageError,
  type Write,
} from "../../config/store.ts";
import { Wake } from "../../config/wake.ts";
import { type Prisma, PrismaClient } from "../../gen/prisma-config/client.ts";
import { systemClock } from "../../lib/clock.ts";
import { applyMigrations } from "../migrate.ts";
import { busyTimeoutMs, openSqlite, renewConnection } from "../sqlite.ts";
import { DataVersion } from "./data-version.ts";
import { ObjectIndex } from "./object-index.ts";
import { OutsideWrites } from "./outside-writes.ts";
import { fromCommitRow, fromObjectText, toChangeRow, toObjectText } from "./rows.ts";
import { SharedClientAdapter } from "./shared-client-adapter.ts";
import { type WriteTransaction, writeTransaction } from "./write-transaction.ts";

export interface PrismaConfigStoreOptions extends StoreOptions {
  /** `file:/path/to/config.db`; made when absent. */
  url: string;
  /** The folder `prisma/config/migrations`. */
  migrations: string;
  /** How long a write waits for another process's, in milliseconds. */
  busyTimeoutMs?: number;
}

/** Opens the config database, brings it to the schema of this version, and reads its revision. Throws `MigrationError`. */
export async function openPrismaConfigStore(options: PrismaConfigStoreOptions): Promise<ConfigStore> {
  const client = await openSqlite(options.url, "FULL", options.busyTimeoutMs);
  try {
    await applyMigrations({ client, directory: options.migrations });
    const adapter = new SharedClientAdapter(client);
    const prisma = new PrismaClient({ adapter });
    await prisma.state.upsert({ where: { id: 1 }, create: { id: 1, revision: firstRevision }, update: {} });
    const { revision } = await prisma.state.findUniqueOrThrow({ where: { id: 1 } });
    return new PrismaConfigStore({ client, adapter, prisma }, revision, options);
  } catch (error) {
    client.close();
    throw error;
  }
}

/** What rolls a transaction back on purpose: a dry run, or a commit in which nothing changes. */
class Unwritten extends Error {
  readonly commit: Commit;
  constructor(commit: Commit) {
    super("not written");
    this.commit = commit;
  }
}

/** Rows of one statement: databases bound its parameters, of which each row has seven. */
const changesAtOnce = 500;

/** How many commits a watcher reads at once, and how many are kept parsed for those who are up to date. */
const watchBatch = 64;
const maxRecent = 256;

/** One connection, on three levels: the driver's, the adapter's and Prisma's. */
interface Database {
  client: Client;
  adapter: SharedClientAdapter;
  prisma: PrismaClient;
}

class PrismaConfigStore implements ConfigStore {
  readonly #client: Client;
  readonly #adapter: SharedClientAdapter;
  readonly #prisma: PrismaClient;
  readonly #clock: NonNullable<StoreOptions["clock"]>;
  readonly #maxHistory: number;
  readonly #busyTimeoutMs: number;
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

  constructor({ client, adapter, prisma }: Database, revision: number, options: PrismaConfigStoreOptions) {
    this.#client = client;
    this.#adapter = adapter;
    this.#prisma = prisma;
    this.#revision = revision;
    this.#clock = options.clock ?? systemClock;
    this.#maxHistory = options.maxHistory ?? defaultMaxHistory;
    this.#busyTimeoutMs = options.busyTimeoutMs ?? busyTimeoutMs;
    this.#others = new DataVersion(client);
    this.#outside = new OutsideWrites({
      version: this.#others,
      clock: this.#clock,
      onWrite: () => this.#noticeOthers(),
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
    const version = await this.#others.read();
    const isKnown = version !== undefined && version === this.#seenOthers;
    if (isKnown && this.#index.revision >= this.#revision) return this.#index;
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
    if (this.#closed) throw new Error("the config store is closed");
    let commit: Commit;
    try {
      commit = await writeTransaction(this.#adapter, (transaction) =>
        this.#write(transaction, writes, author, options),
      );
    } catch (error) {
      if (error instanceof Unwritten) return error.commit;
      const why = sqliteReason(error);
      if (why === undefined) throw error;
      if (why.startsWith("SQLITE_BUSY")) await this.#renewConnection();
      throw new StorageError(`the config database can't be written (${why}); nothing was changed`, { cause: error });
    }
    this.#publish(commit);
    // Whoever watches goes first: what the commit sends to the proxies leaves within this turn of the event loop.
    await nextTurn();
    return commit;
  }

  async #renewConnection(): Promise<void> {
    this.#seenOthers = undefined; // data_version is the connection's own
    await renewConnection(this.#client, "FULL", this.#busyTimeoutMs).catch(() => undefined); // closed meanwhile
  }

  async #write(
    transaction: WriteTransaction,
    writes: readonly Write[],
    author: string,
    options: CommitOptions,
  ): Promise<Commit> {
    // A write comes first, so that SQLite's lock is taken before anything is read: nobody else can commit in between.
    const revision = await nextRevision(transaction);
    // Nobody has committed since the index was made: with the lock held it is what is stored.
    const isIndexed = this.#index.revision === revision - 1;
    const read = isIndexed ? undefined : await readAll(transaction, keysOf(writes));
    const stored = (key: ResourceKey) => (read ? read.get(formatKey(key)) : this.#index.get(key));
    const at = this.#clock.now();
    const changes = planCommit(stored, writes, revision, at);
    const commit: Commit = { revision, at, author, changes };
    if (options.reason !== undefined) commit.reason = options.reason;
    if (options.dryRun || changes.length === 0) throw new Unwritten({ ...commit, revision: revision - 1 });
    await writeChanges(transaction, commit);
    await this.#compact(transaction, revision);
    return commit;
  }

  /** Bounds the history, a few revisions at a time so that a commit rarely pays for it. */
  async #compact(transaction: WriteTransaction, revision: number): Promise<void> {
    const step = Math.max(1, Math.min(100, Math.floor(this.#maxHistory / 10)));
    if (revision % step !== 0) return;
    await transaction.execute(`DELETE FROM "commit" WHERE "revision" <= ?`, revision - this.#maxHistory);
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
    while (!signal.aborted && !this.#closed) {
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
    throw error;
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

  async history({ sinceMs, key, limit }: HistoryQuery): Promise<Commit[]> {
    const where: Prisma.CommitWhereInput = {};
    if (sinceMs !== undefined) where.at = { gte: BigInt(Math.ceil(sinceMs)) };
    if (key !== undefined) where.changes = { some: { kind: key.kind, namespace: key.namespace, name: key.name } };
    const rows = await this.#prisma.commit.findMany({
      where,
      include: { changes: { orderBy: { ordinal: "asc" } } },
      orderBy: { revision: "desc" },
      take: Math.max(0, limit),
    });
    return rows.map(fromCommitRow);
  }

  async revision(): Promise<number> {
    return (await this.#state()).revision;
  }

  #state() {
    return this.#prisma.state.findUniqueOrThrow({ where: { id: 1 } });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake.all();
    // Whoever copies the one file of a mesh that is stopped has everything.
    await this.#client.execute("PRAGMA wal_checkpoint(TRUNCATE)").catch(() => undefined);
    await this.#prisma.$disconnect();
    this.#client.close();
  }
}

/** SQLite's own words on why it refused, such as `SQLITE_FULL: database or disk is full`; undefined when it wasn't SQLite. */
function sqliteReason(error: unknown): string | undefined {
  for (let at: unknown = error; typeof at === "object" && at !== null; at = "cause" in at ? at.cause : undefined) {
    // An adapter's error has the driver's words in its cause, which is no Error.
    const words = "originalMessage" in at ? at.originalMessage : at instanceof Error ? at.message : "";
    const found = /SQLITE_[A-Z_]+: [^:\n]*/.exec(String(words));
    if (found) return found[0];
  }
  return undefined;
}

const isKey = `"namespace" = ? AND "name" = ? AND "kind" = ?`;
const valuesOf = ({ namespace, name, kind }: ResourceKey): [string, string, string] => [namespace, name, kind];

async function readAll(transaction: WriteTransaction, keys: ResourceKey[]): Promise<Map<string, ConfigObject>> {
  const found = new Map<string, ConfigObject>();
  for (const key of keys) {
    const [row] = await transaction.query(`SELECT "object" FROM "resource" WHERE ${isKey}`, ...valuesOf(key));
    if (row) found.set(formatKey(key), fromObjectText(String(row[0])));
  }
  return found;
}

/** Takes the next revision, and SQLite's write lock with it. */
async function nextRevision(transaction: WriteTransaction): Promise<number> {
  const sql = `UPDATE "state" SET "revision" = "revision" + 1 WHERE "id" = 1 RETURNING "revision"`;
  const [row] = await transaction.query(sql);
  if (row === undefined) throw new Error("the config database has no revision: its table `state` is empty");
  return Number(row[0]);
}

async function writeChanges(transaction: WriteTransaction, commit: Commit): Promise<void> {
  const { revision, at, author, reason, changes } = commit;
  await transaction.execute(
    `INSERT INTO "commit" ("revision", "at", "author", "reason") VALUES (?, ?, ?, ?)`,
    ...[revision, BigInt(at), author, reason ?? null],
  );
  for (let from = 0; from < changes.length; from += changesAtOnce) {
    const rows = changes
      .slice(from, from + changesAtOnce)
      .map((change, index) => toChangeRow(change, revision, from + index));
    await transaction.execute(
      `INSERT INTO "change" ("revision", "ordinal", "namespace", "name", "kind", "before", "after")
       VALUES ${rows.map(() => "(?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
      ...rows.flatMap((row) => [
        ...[row.revision, row.ordinal, row.namespace, row.name, row.kind],
        ...[row.before ?? null, row.after ?? null],
      ]),
    );
  }
  for (const { key, after } of changes) {
    if (after === undefined) {
      await transaction.execute(`DELETE FROM "resource" WHERE ${isKey}`, ...valuesOf(key));
    } else {
      await transaction.execute(
        `INSERT INTO "resource" ("namespace", "name", "kind", "object") VALUES (?, ?, ?, ?)
         ON CONFLICT ("namespace", "name", "kind") DO UPDATE SET "object" = "excluded"."object"`,
        ...[...valuesOf(key), toObjectText(after)],
      );
    }
  }
}
