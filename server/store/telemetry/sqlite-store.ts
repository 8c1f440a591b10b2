import type { MetricState } from "../../telemetry/metric-record.ts";
import type { CompactionPass, TelemetryBatch, TelemetryStore } from "../../telemetry/store.ts";
import { BatchWriter } from "./batch-writer.ts";
import { compactPass } from "./compaction.ts";
import {
  fileIdentity,
  forgetJournal,
  isDamaged,
  isLocked,
  journalIdentity,
  openTelemetryFile,
  putAside,
  reconnect,
  type TelemetryDatabase,
  type TelemetryFile,
} from "./database.ts";
import { readMetricStates } from "./metric-states.ts";

export interface SqliteStoreOptions extends TelemetryFile {
  maxEdges?: number;
  /** Told when the file was found gone, broken or locked, and another one begun. */
  onReplaced?: (why: string) => void;
}

/**
 * The write side of the telemetry file: one transaction per batch, past the ORM for speed. One writer at a time.
 * Telemetry can be thrown away, at any time: a file that was deleted is made again, one that is broken is put aside as `*.damaged`.
 * One that another process keeps locked for longer than is waited at the start is put aside as `*.locked`, with its log: whoever reads an
 * emptied file holds a lock that lets nobody make it a database again.
 */
export async function openSqliteTelemetryStore(options: SqliteStoreOptions): Promise<TelemetryStore> {
  return new SqliteTelemetryStore(options, await openOrReplace(options));
}

async function openOrReplace(options: SqliteStoreOptions): Promise<TelemetryDatabase> {
  try {
    return await openTelemetryFile(options);
  } catch (error) {
    if (!isDamaged(error) && !isLocked(error)) throw error;
    putAside(options.path, isLocked(error) ? "locked" : "damaged");
    options.onReplaced?.(error instanceof Error ? error.message : String(error));
    return openTelemetryFile(options);
  }
}

/** A connection and what is known of the file it goes to. */
interface Connection {
  database: TelemetryDatabase;
  writer: BatchWriter;
  identity: string | undefined;
  journal: string | undefined;
}

const defaultMaxEdges = 50_000;
const pruneEveryMs = 600_000;

class SqliteTelemetryStore implements TelemetryStore {
  readonly #options: SqliteStoreOptions;
  /** Undefined after a failure, until the next work. */
  #connection: Connection | undefined;
  #prunedAtMs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SqliteStoreOptions, database: TelemetryDatabase) {
    this.#options = options;
    this.#connection = this.#connected(database);
  }

  write(batch: TelemetryBatch): Promise<void> {
    return this.#sound(({ database, writer }) => {
      try {
        database.transaction(() => writer.write(batch));
      } catch (error) {
        writer.forget();
        throw error;
      }
    });
  }

  compact(pass: CompactionPass): Promise<{ more: boolean }> {
    return this.#sound(async ({ database, writer }) => {
      const { more } = await compactPass(database.compacted(), pass);
      // Rows that nothing refers to any more make room for new names; looking for them reads the whole roll-up, so seldom.
      if (!more && writer.edges.crowded && pass.nowMs - this.#prunedAtMs > pruneEveryMs) {
        this.#prunedAtMs = pass.nowMs;
        await writer.edges.prune();
      }
      return { more };
    });
  }

  senders(): Promise<ReadonlyMap<string, number>> {
    return this.#sound(({ database }) => {
      const rows = database.all("SELECT id, last_batch FROM log_sender ORDER BY seen_at");
      return new Map(rows.map(({ id, last_batch }) => [String(id), Number(last_batch)]));
    });
  }

  metricStates(ids: readonly string[]): Promise<ReadonlyMap<string, MetricState>> {
    return this.#sound(({ database }) => readMetricStates(database.compacted(), ids));
  }

  lastWriteMs(collector: string): Promise<number | undefined> {
    return this.#sound(({ database }) => {
      const row = database.get("SELECT flushed_at FROM collector WHERE id = ?", collector);
      return row === undefined ? undefined : Number(row.flushed_at);
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#disconnect();
  }

  /**
   * Writes go to the file that has the name now; a broken one is replaced, and what failed is tried again by the caller, on a connection of its
   * own: one that was opened while the disk was full or the file read-only would stay as it was. One after the other, as compaction waits within its
   * transactions.
   */
  #sound<T>(work: (connection: Connection) => T | Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#work(work));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #work<T>(work: (connection: Connection) => T | Promise<T>): Promise<T> {
    const { path } = this.#options;
    if (fileIdentity(path) !== this.#connection?.identity && this.#connection !== undefined) {
      if (fileIdentity(path) === undefined) forgetJournal(path);
      await this.#replace("it was deleted");
    } else if (this.#connection !== undefined && journalIdentity(path) !== this.#connection.journal) {
      // Its log was deleted: others would not see what is written, nor would the next start. What is in it goes into the file first.
      this.#connection.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#disconnect();
    }
    try {
      this.#connection ??= fileIdentity(path) === undefined ? await this.#anew() : this.#connected(reconnect(path));
      return await work(this.#connection);
    } catch (error) {
      this.#disconnect();
      if (isDamaged(error)) {
        putAside(path, "damaged");
        await this.#replace(error instanceof Error ? error.message : String(error));
      }
      throw error;
    }
  }

  async #replace(why: string): Promise<void> {
    this.#disconnect();
    this.#connection = await this.#anew();
    this.#options.onReplaced?.(why);
  }

  async #anew(): Promise<Connection> {
    return this.#connected(await openOrReplace(this.#options));
  }

  #connected(database: TelemetryDatabase): Connection {
    const writer = new BatchWriter(database, this.#options.maxEdges ?? defaultMaxEdges);
    const { path } = this.#options;
    return { database, writer, identity: fileIdentity(path), journal: journalIdentity(path) };
  }

  #disconnect(): void {
    this.#connection?.database.close();
    this.#connection = undefined;
  }
}
