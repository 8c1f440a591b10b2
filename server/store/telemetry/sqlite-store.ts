import type { Client } from "@libsql/client";
import { edgeId, type TrafficRecord } from "../../telemetry/record.ts";
import type { SpanRecord } from "../../telemetry/span.ts";
import type { CollectorState, CompactionPass, TelemetryBatch, TelemetryStore } from "../../telemetry/store.ts";
import { encodeBucket } from "./bucket.ts";
import { insertStatements } from "./bulk-insert.ts";
import { compactPass, rollupColumns } from "./compaction.ts";
import {
  fileIdentity,
  forgetJournal,
  isDamaged,
  openTelemetryFile,
  putAside,
  reconnect,
  type TelemetryFile,
} from "./database.ts";
import { EdgeIds } from "./edges.ts";

export interface SqliteStoreOptions extends TelemetryFile {
  maxEdges?: number;
  /** Told when the file was found gone or broken, and another one begun. */
  onReplaced?: (why: string) => void;
}

/**
 * The write side of the telemetry file: multi-row inserts, one transaction per batch, past the ORM for speed. One writer at a time.
 * Telemetry can be thrown away, at any time: a file that was deleted is made again, one that is broken is put aside as `*.damaged`.
 */
export async function openSqliteTelemetryStore(options: SqliteStoreOptions): Promise<TelemetryStore> {
  return new SqliteTelemetryStore(options, await openOrReplace(options));
}

async function openOrReplace(options: SqliteStoreOptions): Promise<Client> {
  try {
    return await openTelemetryFile(options);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    putAside(options.path);
    options.onReplaced?.(error instanceof Error ? error.message : String(error));
    return openTelemetryFile(options);
  }
}

class SqliteTelemetryStore implements TelemetryStore {
  readonly #options: SqliteStoreOptions;
  #client: Client;
  #edges: EdgeIds;
  #identity: string | undefined;
  #prunedAtMs = 0;

  constructor(options: SqliteStoreOptions, client: Client) {
    this.#options = options;
    this.#client = client;
    this.#edges = new EdgeIds(client, options.maxEdges ?? 50_000);
    this.#identity = fileIdentity(options.path);
  }

  write(batch: TelemetryBatch): Promise<void> {
    return this.#sound(() => this.#write(batch));
  }

  compact(pass: CompactionPass): Promise<{ more: boolean }> {
    return this.#sound(async () => {
      const { more } = await compactPass(this.#client, pass);
      // Rows that nothing refers to any more make room for new names; looking for them reads the whole roll-up, so seldom.
      if (!more && this.#edges.crowded && pass.nowMs - this.#prunedAtMs > pruneEveryMs) {
        this.#prunedAtMs = pass.nowMs;
        await this.#edges.prune();
      }
      return { more };
    });
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** Writes go to the file that has the name now; a broken one is replaced, and what failed is tried again by the caller. */
  async #sound<T>(work: () => Promise<T>): Promise<T> {
    const { path } = this.#options;
    if (fileIdentity(path) !== this.#identity) {
      if (fileIdentity(path) === undefined) forgetJournal(path);
      await this.#reopen("it was deleted");
    }
    try {
      return await work();
    } catch (error) {
      if (isDamaged(error)) {
        putAside(path);
        await this.#reopen(error instanceof Error ? error.message : String(error));
      } else {
        // After SQLITE_BUSY the driver leaves a statement open, and with it no later transaction could ever commit.
        this.#use(await reconnect(path));
      }
      throw error;
    }
  }

  #use(client: Client): void {
    this.#client.close();
    this.#client = client;
    this.#edges = new EdgeIds(client, this.#options.maxEdges ?? 50_000);
    this.#identity = fileIdentity(this.#options.path);
  }

  async #reopen(why: string): Promise<void> {
    this.#client.close();
    this.#use(await openOrReplace(this.#options));
    this.#options.onReplaced?.(why);
  }

  async #write(batch: TelemetryBatch): Promise<void> {
    const sampled = batch.samples.map((sample) => ({ edge: sample.edge, edgeId: edgeId(sample.edge) }));
    const ids = await this.#edges.idsOf([...batch.rollups, ...sampled]);
    const entries = batch.rollups.map((entry, i) => ({ ...entry, edge: ids[i] as number }));
    const rollups = [...Map.groupBy(entries, (entry) => entry.second)].map(([second, ofSecond]) => [
      1,
      second,
      batch.id,
      encodeBucket(ofSecond),
    ]);
    const samples = batch.samples.map((sample, i) =>
      sampleValues(batch.id, i, ids[batch.rollups.length + i] as number, sample),
    );
    const spans = batch.spans.map((span) => spanValues(span, batch.collector.flushedAtMs));
    await this.#client.batch(
      [
        ...insertStatements("rollup", rollupColumns, rollups),
        ...insertStatements("access_log", sampleColumns, samples),
        ...insertStatements("span", spanColumns, spans),
        collectorStatement(batch.collector),
      ],
      "write",
    );
  }
}

const pruneEveryMs = 600_000;

const sampleColumns = [
  "batch",
  "seq",
  "at",
  "edge",
  "code",
  "flags",
  "duration_us",
  "request_bytes",
  "response_bytes",
  "method",
  "path",
  "authority",
  "request_id",
  "trace_id",
  "upstream_cluster",
  "upstream_host",
  "details",
  "config",
];

const sampleValues = (batch: number, seq: number, edge: number, sample: TrafficRecord) => [
  batch,
  seq,
  Math.floor(sample.timeMs),
  edge,
  sample.code,
  sample.flags,
  Math.round(sample.durationMs * 1000),
  sample.requestBytes,
  sample.responseBytes,
  sample.method,
  sample.path,
  sample.authority,
  sample.requestId,
  sample.traceId,
  sample.upstreamCluster,
  sample.upstreamHost,
  sample.details,
  sample.config,
];

const spanColumns = [
  "trace_id",
  "span_id",
  "parent_span_id",
  "service",
  "name",
  "kind",
  "start_us",
  "duration_us",
  "error",
  "attributes",
  "received_at",
];

const spanValues = (span: SpanRecord, receivedAtMs: number) => [
  span.traceId,
  span.spanId,
  span.parentSpanId,
  span.service,
  span.name,
  span.kind,
  span.startUs,
  span.durationUs,
  span.error ? 1 : 0,
  JSON.stringify(span.attributes),
  receivedAtMs,
];

const collectorStatement = (state: CollectorState) => ({
  sql: `INSERT INTO collector (id, flushed_at, complete_until, settled_until, fresh_at, active) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET flushed_at = excluded.flushed_at, complete_until = excluded.complete_until,
          settled_until = excluded.settled_until,
          fresh_at = coalesce(excluded.fresh_at, fresh_at), active = excluded.active`,
  args: [
    state.id,
    state.flushedAtMs,
    state.completeUntilMs,
    Math.floor(state.settledUntilMs),
    state.freshAtMs === null ? null : Math.floor(state.freshAtMs),
    state.active ? 1 : 0,
  ],
});
