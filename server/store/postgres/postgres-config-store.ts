import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Client, Pool, type PoolClient } from "pg";
import { assertReachable, defaultMaxHistory, firstRevision, type StoreOptions } from "../../config/memory-store.ts";
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
import { systemClock } from "../../lib/clock.ts";
import { nextRevision } from "../config/commit-sql.ts";
import { ObjectIndex } from "../config/object-index.ts";
import { fromCommitRow, fromObjectText } from "../config/rows.ts";
import { WriteCheck } from "../config/write-check.ts";
import { unlessUnwritten, writeCommit } from "../config/write-commit.ts";
import type { WriteTransaction } from "../config/write-transaction.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { applyMigrations } from "../migrate.ts";
import { ChannelListener } from "./listener.ts";
import { migrationClient, postgresDialect } from "./migration-client.ts";
import { placeOf, postgresTransaction, reasonOf, unreadable, unwritable } from "./sql.ts";

export interface PostgresConfigStoreOptions extends StoreOptions {
  /** `postgres://user:password@host:5432/database`. */
  url: string;
  /** The folder `prisma/config-postgres/migrations`. */
  migrations: string;
  /** The mesh that was kept there before; another one, or none, is refused. */
  mesh?: string;
  /** Told which mesh it is. */
  onMesh?(mesh: string): void;
}

const channel = "limpid_config";
/** Connections for writes and reads of this process; one more listens. */
const maxConnections = 4;
const connectTimeoutMs = 10_000;
const statementTimeoutMs = 30_000;
const watchBatch = 32;

/**
 * The config store on a PostgreSQL server, which several control planes may share: commits take turns by the lock on one row, and whoever watches
 * hears of them by NOTIFY. Throws `UnusableDatabaseError` when it can't be reached or is of another mesh, and `MigrationError`.
 */
export async function openPostgresConfigStore(options: PostgresConfigStoreOptions): Promise<ConfigStore> {
  const place = placeOf(options.url);
  const mesh = await prepare(options, place);
  options.onMesh?.(mesh);
  const store = new PostgresConfigStore(options, place, mesh);
  try {
    await store.start();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The schema of this version, and whose database it is. */
async function prepare(options: PostgresConfigStoreOptions, place: string): Promise<string> {
  const client = new Client({ connectionString: options.url, connectionTimeoutMillis: connectTimeoutMs });
  client.on("error", () => undefined); // told by the next statement
  try {
    await client.connect();
  } catch (error) {
    throw new UnusableDatabaseError(`the config database ${place} can't be used: ${reasonOf(error)}`, { cause: error });
  }
  try {
    await applyMigrations({ client: migrationClient(client), directory: options.migrations, dialect: postgresDialect });
    const known = await client.query('SELECT "identity" FROM "state" WHERE "id" = 1');
    if (known.rows.length === 0 && options.mesh !== undefined) {
      throw new UnusableDatabaseError(
        `the config database ${place} is empty, and a mesh was kept in it (${options.mesh})`,
      );
    }
    await client.query(
      `INSERT INTO "state" ("id", "revision", "identity") VALUES (1, $1, $2) ON CONFLICT ("id") DO NOTHING`,
      [firstRevision, randomUUID()],
    );
    const { rows } = await client.query('SELECT "identity" FROM "state" WHERE "id" = 1');
    const mesh = String(rows[0]?.identity);
    if (options.mesh === undefined || options.mesh === mesh) return mesh;
    throw new UnusableDatabaseError(
      `the config database ${place} is of another mesh (${mesh}) than before (${options.mesh})`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

class PostgresConfigStore implements ConfigStore {
  readonly #pool: Pool;
  readonly #listener: ChannelListener;
  readonly #place: string;
  readonly #mesh: string;
  readonly #clock: NonNullable<StoreOptions["clock"]>;
  readonly #maxHistory: number;
  readonly #wake = new Wake();
  readonly #index = new ObjectIndex();
  #filling: Promise<void> | undefined;
  readonly #check: WriteCheck;
  #closed = false;

  constructor(options: PostgresConfigStoreOptions, place: string, mesh: string) {
    this.#place = place;
    this.#mesh = mesh;
    this.#clock = options.clock ?? systemClock;
    this.#maxHistory = options.maxHistory ?? defaultMaxHistory;
    this.#pool = new Pool({
      connectionString: options.url,
      max: maxConnections,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      keepAlive: true,
    });
    this.#pool.on("error", () => undefined); // an idle connection was lost: the next one is new
    const touch = `UPDATE "state" SET "checkedAt" = ? WHERE "id" = 1`;
    this.#check = new WriteCheck(this.#clock, (at) => this.#transact((transaction) => transaction.execute(touch, at)));
    const wake = () => this.#wake.all();
    // Some process has committed, or may have while this one did not listen.
    this.#listener = new ChannelListener({ url: options.url, channel, onNotice: wake, onConnected: wake });
  }

  async start(): Promise<void> {
    await this.#listener.start();
    await this.#upToDate();
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
    let revision = await this.revision();
    // A commit of this process may have been faster than the look; what is behind twice is a backup that was put back.
    if (revision < this.#index.revision) revision = await this.revision();
    if (revision < this.#index.revision) this.#index.clear();
    while (this.#index.revision < revision) {
      this.#filling ??= this.#fill().finally(() => {
        this.#filling = undefined;
      });
      await this.#filling;
    }
    return this.#index;
  }

  /** A few commits are taken from the history; more than it has, or than is worth it, begin anew. */
  async #fill(): Promise<void> {
    if (this.#index.revision > 0) {
      const commits = await this.#readAfter(this.#index.revision).catch((error: unknown) => {
        if (error instanceof CompactedError) return undefined;
        throw error;
      });
      for (const commit of commits ?? []) this.#index.apply(commit);
      if (commits !== undefined && commits.length < watchBatch) return;
      this.#index.clear();
    }
    // One snapshot: the objects are those of exactly this revision.
    const rows = await this.#read(
      `SELECT "state"."revision", "resource"."object" FROM "state" LEFT JOIN "resource" ON true WHERE "state"."id" = 1`,
    );
    const objects = rows.flatMap(({ object }) => (typeof object === "string" ? [fromObjectText(object)] : []));
    this.#index.fill(objects, Number(rows[0]?.revision));
  }

  async commit(writes: readonly Write[], author: string, options: CommitOptions = {}): Promise<Commit> {
    const { commit, isWritten } = await unlessUnwritten(() =>
      this.#transact((transaction) => this.#write(transaction, writes, author, options)),
    );
    if (!isWritten) return commit;
    this.#index.apply(commit);
    this.#wake.all();
    // Whoever watches goes first: what the commit sends to the proxies leaves before its author is answered.
    await nextTurn();
    return commit;
  }

  async #write(
    transaction: WriteTransaction,
    writes: readonly Write[],
    author: string,
    options: CommitOptions,
  ): Promise<Commit> {
    // A write comes first: the lock on its row keeps everybody else from committing in between.
    const revision = await nextRevision(transaction);
    const [[mesh] = []] = await transaction.query(`SELECT "identity" FROM "state" WHERE "id" = 1`);
    if (mesh !== this.#mesh)
      throw new StorageError(`the config database ${this.#place} is of another mesh; nothing was changed`);
    const [index, clock, maxHistory] = [this.#index, this.#clock, this.#maxHistory];
    const commit = await writeCommit(transaction, { revision, index, writes, author, options, clock, maxHistory });
    await transaction.query("SELECT pg_notify(?, ?)", channel, String(revision));
    return commit;
  }

  async #transact<T>(work: (transaction: WriteTransaction) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StorageError("the config store is closed");
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw unwritable(this.#place, error);
    }
    let failure: unknown;
    try {
      return await postgresTransaction(client, this.#place, work);
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      client.release(failure instanceof StorageError); // a connection that failed is not used again
    }
  }

  async *watch(revision: number, signal: AbortSignal): AsyncIterable<Commit> {
    let seen = revision;
    while (!signal.aborted && !this.#closed) {
      const woken = this.#wake.next(signal); // before the look: what is committed between the two wakes, too
      const commits = await this.#readAfter(seen).catch((error: unknown) => {
        if (this.#closed) return [];
        throw error;
      });
      for (const commit of commits) {
        if (signal.aborted || this.#closed) return;
        seen = commit.revision;
        yield commit;
      }
      if (commits.length === 0) await woken;
    }
  }

  async #readAfter(seen: number): Promise<Commit[]> {
    const current = await this.revision(); // and that it is still this mesh
    const commits = await this.#commits(`WHERE "revision" > ? ORDER BY "revision" ASC LIMIT ?`, [seen, watchBatch]);
    const first = commits[0]?.revision;
    assertReachable(seen, first ?? seen + 1, Math.max(current, first ?? 0));
    return commits;
  }

  async history({ sinceMs, key, before, limit }: HistoryQuery): Promise<Commit[]> {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const add = (condition: string, ...given: (string | number)[]): void => {
      conditions.push(condition);
      values.push(...given);
    };
    if (before !== undefined) add(`"revision" < ?`, before);
    if (sinceMs !== undefined) add(`"at" >= ?`, Math.ceil(sinceMs));
    if (key !== undefined) {
      const ofKey = `SELECT "revision" FROM "change" WHERE "kind" = ? AND "namespace" = ? AND "name" = ?`;
      add(`"revision" IN (${ofKey})`, key.kind, key.namespace, key.name);
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
    return this.#commits(`${where} ORDER BY "revision" DESC LIMIT ?`, [...values, Math.max(0, limit)]);
  }

  async #commits(clause: string, values: readonly (string | number)[]): Promise<Commit[]> {
    const commits = await this.#read(`SELECT "revision", "at", "author", "reason" FROM "commit" ${clause}`, values);
    if (commits.length === 0) return [];
    const revisions = commits.map(({ revision }) => Number(revision));
    const places = revisions.map(() => "?").join(", ");
    const changes = await this.#read(
      `SELECT * FROM "change" WHERE "revision" IN (${places}) ORDER BY "revision", "ordinal"`,
      revisions,
    );
    const byRevision = Map.groupBy(changes, ({ revision }) => Number(revision));
    return commits.map((row) =>
      fromCommitRow({ ...row, changes: byRevision.get(Number(row.revision)) ?? [] } as Parameters<
        typeof fromCommitRow
      >[0]),
    );
  }

  async revision(): Promise<number> {
    const [row] = await this.#read(`SELECT "revision", "identity" FROM "state" WHERE "id" = 1`);
    if (row?.identity === this.#mesh) return Number(row.revision);
    const why = row === undefined ? "was emptied" : `is of another mesh (${row.identity}) than before (${this.#mesh})`;
    throw new StorageError(`the config database ${this.#place} ${why}, while it is in use`);
  }

  async #read(sql: string, values: readonly (string | number)[] = []): Promise<Record<string, unknown>[]> {
    let count = 0;
    try {
      const text = sql.replace(/\?/g, () => `$${++count}`);
      return (await this.#pool.query<Record<string, unknown>>(text, [...values])).rows;
    } catch (error) {
      throw unreadable(this.#place, error);
    }
  }

  check(): Promise<void> {
    return this.#check.run();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake.all();
    await this.#listener.close();
    await this.#pool.end().catch(() => undefined);
  }
}
