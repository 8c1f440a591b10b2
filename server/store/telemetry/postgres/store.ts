import type { Client, ClientBase } from "pg";
import type { MetricState } from "../../../telemetry/metric-record.ts";
import type { CompactionPass, TelemetryBatch, TelemetryStore } from "../../../telemetry/store.ts";
import { defaultRetention, type Retention } from "../../../wire/retention.ts";
import { placeOf, reasonOf } from "../../postgres/sql.ts";
import { compactPass } from "../compaction.ts";
import { readMetricStates } from "../metric-states.ts";
import type { CompactedSql } from "../sql.ts";
import { PostgresBatchWriter } from "./batch-writer.ts";
import { connectTelemetry, isLasting, PostgresSql, type TelemetryServer } from "./database.ts";
import { pruneEdges } from "./edges.ts";
import { KeptTraces } from "./kept-traces.ts";
import { Forgetting, isLockTimeout, isPartitioned, makePartitions } from "./partitions.ts";

export interface PostgresStoreOptions extends TelemetryServer {
  /** Of all collectors together. */
  maxEdges?: number;
  /** Told when the server could not be reached at the start; it is tried again with every batch. */
  onUnreachable?: (error: Error) => void;
}

const defaultMaxEdges = 50_000;
/** Writers take turns by this lock; the numbers are nobody else's. */
const writersTurn = 7_125_630_113;
/** And one collector at a time compacts. */
const compactor = 7_125_630_114;
const goneCollectorMs = 30 * 86_400_000;
const pruneEveryMs = 600_000;

/**
 * The write side of telemetry on a PostgreSQL server, which several collectors may share: a transaction per batch, by COPY, one after the other.
 * A server that is away does not keep a collector from starting. Throws `MigrationError` and `UnusableDatabaseError` where no other try would mend it.
 */
export async function openPostgresTelemetryStore(options: PostgresStoreOptions): Promise<TelemetryStore> {
  const store = new PostgresTelemetryStore(options);
  await store.start();
  return store;
}

class PostgresTelemetryStore implements TelemetryStore {
  readonly #options: PostgresStoreOptions;
  readonly #writer: PostgresBatchWriter;
  #client: Client | undefined;
  #keptTraces: KeptTraces | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #collector = "";
  #retention: Retention = defaultRetention;
  /** Unix seconds. */
  #partitionsUntil = 0;
  #prunedAtMs = 0;

  constructor(options: PostgresStoreOptions) {
    this.#options = options;
    this.#writer = new PostgresBatchWriter(options.maxEdges ?? defaultMaxEdges);
  }

  async start(): Promise<void> {
    try {
      this.#client = await connectTelemetry(this.#options);
    } catch (error) {
      if (isLasting(error) || !(error instanceof Error)) throw error;
      this.#options.onUnreachable?.(error);
    }
  }

  write(batch: TelemetryBatch): Promise<void> {
    return this.#work(async (client) => {
      await this.#ensurePartitions(client, batch.collector.flushedAtMs);
      await inTurn(client, () => this.#writer.write(client, batch));
      this.#collector = batch.collector.id;
    });
  }

  compact(pass: CompactionPass): Promise<{ more: boolean }> {
    return this.#work(async (client) => {
      this.#retention = pass.retention;
      await this.#ensurePartitions(client, pass.nowMs);
      const { rows } = await client.query<{ mine: boolean }>("SELECT pg_try_advisory_lock($1) AS mine", [compactor]);
      if (!rows[0]?.mine) return { more: false };
      try {
        const { more } = await compactPass(compactedSql(client, this.#collector), pass);
        if (!more) await this.#forgetNames(client, pass.nowMs);
        return { more };
      } finally {
        await client.query("SELECT pg_advisory_unlock($1)", [compactor]);
      }
    });
  }

  senders(): Promise<ReadonlyMap<string, number>> {
    return this.#work(async (client) => {
      const { rows } = await client.query("SELECT id, last_batch FROM log_sender ORDER BY seen_at");
      return new Map(rows.map(({ id, last_batch }) => [String(id), Number(last_batch)]));
    });
  }

  claim(senders: readonly string[], token: string): Promise<ReadonlyMap<string, number>> {
    return this.#work(async (client) => {
      // Whoever is just writing what they sent holds these rows until it is written, and is waited for. In one order, so that two who claim don't wait for each other.
      const { rows } = await client.query(
        `INSERT INTO log_sender (id, last_batch, seen_at, claim) SELECT id, 0, $3, $2 FROM unnest($1::text[]) AS claimed(id) ORDER BY id
         ON CONFLICT (id) DO UPDATE SET claim = excluded.claim, seen_at = greatest(log_sender.seen_at, excluded.seen_at)
         RETURNING id, last_batch`,
        [[...new Set(senders)], token, Date.now()],
      );
      return new Map(rows.map(({ id, last_batch }) => [String(id), Number(last_batch)]));
    });
  }

  shareKeptTraces(onTold: (traceIds: readonly string[]) => void): (traceIds: readonly string[]) => void {
    const kept = new KeptTraces(this.#options.url, onTold);
    this.#keptTraces = kept;
    return (traceIds) => kept.tell(traceIds);
  }

  metricStates(ids: readonly string[]): Promise<ReadonlyMap<string, MetricState>> {
    return this.#work((client) => readMetricStates(new PostgresSql(client), ids));
  }

  lastWriteMs(collector: string): Promise<number | undefined> {
    return this.#work(async (client) => {
      const { rows } = await client.query("SELECT flushed_at FROM collector WHERE id = $1", [collector]);
      return rows[0] === undefined ? undefined : Number(rows[0].flushed_at);
    });
  }

  async close(): Promise<void> {
    await this.#keptTraces?.close();
    await this.#turn;
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }

  /** Collectors that are gone, and edges that nothing tells of any more when many are known; that takes reading the whole roll-up, so seldom. */
  async #forgetNames(client: ClientBase, nowMs: number): Promise<void> {
    if (nowMs - this.#prunedAtMs < pruneEveryMs) return;
    this.#prunedAtMs = nowMs;
    await client.query("DELETE FROM collector WHERE flushed_at < $1", [Math.floor(nowMs - goneCollectorMs)]);
    await pruneEdges(client, this.#options.maxEdges ?? defaultMaxEdges, nowMs);
  }

  async #ensurePartitions(client: ClientBase, nowMs: number): Promise<void> {
    const nowSec = Math.floor(nowMs / 1000);
    if (nowSec < this.#partitionsUntil && nowSec > this.#partitionsUntil - maxLeadSec) return;
    try {
      this.#partitionsUntil = await inTurn(client, async () => {
        await client.query("SET LOCAL lock_timeout = '2s'");
        return makePartitions(client, nowSec, this.#retention);
      });
    } catch (error) {
      // Somebody reads for long. What comes meanwhile goes into the partitions of the rest, and is moved.
      if (!isLockTimeout(error)) throw error;
      this.#partitionsUntil = nowSec + 10;
    }
  }

  /** One piece of work after the other; after a failure, on a new connection. */
  #work<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#connected(work));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #connected<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    this.#client ??= await connectTelemetry(this.#options);
    try {
      return await work(this.#client);
    } catch (error) {
      const failed = this.#client;
      this.#client = undefined;
      this.#writer.forget();
      this.#partitionsUntil = 0;
      // Its end may never be heard of, and what it had begun is undone then.
      failed.connection.stream.destroy();
      const place = placeOf(this.#options.url);
      throw new Error(`the telemetry database ${place} can't be written: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** A clock that was far ahead has made partitions for then. */
const maxLeadSec = 400 * 86_400;

/** A transaction that no other collector's overlaps: what is written after a look was not written by others meanwhile, and numbers grow as they are seen. */
async function inTurn<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [writersTurn]);
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined); // the connection is gone, and the transaction with it
    throw error;
  }
}

function compactedSql(client: ClientBase, ownId: string): CompactedSql {
  const sql = new PostgresSql(client);
  const forgetting = new Forgetting(client);
  return {
    noBytes: sql.noBytes,
    all: (text, ...values) => sql.all(text, ...values),
    get: (text, ...values) => sql.get(text, ...values),
    run: (text, ...values) => sql.run(text, ...values),
    transaction: (work) => inTurn(client, async () => work(sql)),
    async settledUntil(ownMs) {
      const row = await sql.get("SELECT min(settled_until) AS ms FROM waited_for WHERE id <> ?", ownId);
      return Math.min(ownMs, row?.ms == null ? ownMs : Number(row.ms));
    },
    async forget(table, column, until) {
      if (isPartitioned(table)) await forgetting.before(table, until);
      else await sql.run(`DELETE FROM ${table} WHERE ${column} < ?`, Math.floor(until));
      return false;
    },
    async forgetBuckets(table, step, until) {
      await forgetting.before(`${table}_${step}`, until);
      return false;
    },
  };
}
