import { edgeId, type TrafficRecord } from "../../telemetry/record.ts";
import { isError } from "../../telemetry/samples.ts";
import type { RollupEntry, TelemetryBatch } from "../../telemetry/store.ts";
import { encodeBucket } from "./bucket.ts";
import { floorTo, insertBucket, markSql, rollup } from "./compaction.ts";
import type { TelemetryDatabase } from "./database.ts";
import { EdgeIds } from "./edges.ts";
import { LogWriter } from "./log-writer.ts";
import { MetricWriter } from "./metric-writer.ts";
import { Resources } from "./resources.ts";
import { sampleColumns } from "./sample-columns.ts";
import { SpanWriter } from "./span-writer.ts";
import type { Value } from "./sql.ts";

/** Puts batches into the tables, inside the caller's transaction. */
export class BatchWriter {
  readonly edges: EdgeIds;
  readonly #db: TelemetryDatabase;
  readonly #resources: Resources;
  readonly #spans: SpanWriter;
  readonly #logs: LogWriter;
  readonly #metrics: MetricWriter;

  constructor(database: TelemetryDatabase, maxEdges: number) {
    this.#db = database;
    this.edges = new EdgeIds(database, maxEdges);
    this.#resources = new Resources(database);
    this.#spans = new SpanWriter(database, this.#resources);
    this.#logs = new LogWriter(database, this.#resources);
    this.#metrics = new MetricWriter(database);
  }

  write(batch: TelemetryBatch): void {
    const { id, collector, rollups, samples, spans, logs, metrics } = batch;
    const before = this.#db.get(
      "SELECT last_batch, started_at, flushed_at, complete_until, settled_until, active FROM collector WHERE id = ?",
      collector.id,
    );
    if (Number(before?.last_batch) === id) return;
    const sampled = samples.map((sample) => ({ edge: sample.edge, edgeId: edgeId(sample.edge) }));
    const ids = this.edges.idsOf([...rollups, ...sampled]);
    const late = this.#writeRollups(id, rollups, ids, Number(before?.settled_until ?? 0));
    for (const [i, sample] of samples.entries()) {
      this.#db.run(insertSample, ...sampleValues(id, i, ids[rollups.length + i] as number, sample));
    }
    this.#spans.write(spans, collector.flushedAtMs);
    this.#logs.write(logs, collector.flushedAtMs);
    this.#metrics.write(id, metrics, collector.flushedAtMs);
    this.#metrics.writeStates(batch.metricStates, collector.flushedAtMs);
    if (before !== undefined && Number(before.started_at) !== collector.startedAtMs) {
      const from = Number(before.active ? before.complete_until : before.flushed_at);
      if (collector.startedAtMs - from >= 1000) {
        this.#db.run(insertGap, from, collector.startedAtMs, collector.id, before.active ? "lost" : "stopped");
      }
    }
    const { stalledFromMs } = collector;
    if (stalledFromMs !== undefined) {
      this.#db.run(insertGap, Math.floor(stalledFromMs), collector.flushedAtMs, collector.id, "lost");
    }
    for (const [sender, last] of batch.senders) this.#db.run(upsertSender, sender, last, collector.flushedAtMs);
    this.#writeCollector(batch, late);
  }

  /** After a transaction that was undone: what was put into the dictionaries is not there. */
  forget(): void {
    this.edges.forget();
    this.#resources.forget();
    this.#spans.forget();
    this.#metrics.forget();
  }

  /**
   * A second that was already folded into coarser steps takes what comes late all the same: as a part of its own, in every step that will not
   * look at the finer one again. Whether there was any; readers keep nothing of what they know of settled seconds then.
   */
  #writeRollups(batch: number, rollups: readonly RollupEntry[], ids: readonly number[], settledMs: number): boolean {
    const entries = rollups.map((entry, i) => ({ ...entry, edge: ids[i] as number }));
    let late = false;
    for (const [second, ofSecond] of Map.groupBy(entries, (entry) => entry.second)) {
      insertBucket(this.#db, "rollup", 1, second, batch, encodeBucket(ofSecond));
      if (second * 1000 < settledMs) late = true;
    }
    if (!late) return false;
    for (const step of [10, 60, 3600] as const) {
      const mark = Number(this.#db.get(markSql(rollup), step)?.until ?? 0);
      const folded = entries.filter(({ second }) => second < mark);
      for (const [at, ofBucket] of Map.groupBy(folded, ({ second }) => floorTo(second, step))) {
        insertBucket(this.#db, "rollup", step, at, batch, encodeBucket(ofBucket));
      }
    }
    return true;
  }

  #writeCollector({ id, collector: state }: TelemetryBatch, late: boolean): void {
    this.#db.run(
      upsertCollector,
      state.id,
      state.flushedAtMs,
      state.completeUntilMs,
      Math.floor(state.settledUntilMs),
      state.freshAtMs === null ? null : Math.floor(state.freshAtMs),
      state.active ? 1 : 0,
      id,
      state.startedAtMs,
      late ? 1 : 0,
    );
  }
}

const columns = ["batch", "seq", ...sampleColumns];

const insertSample = `INSERT INTO access_log (${columns.join(",")}) VALUES (${columns.map(() => "?").join(",")})
  ON CONFLICT DO NOTHING`;

const sampleValues = (batch: number, seq: number, edge: number, sample: TrafficRecord): Value[] => [
  batch,
  seq,
  Math.floor(sample.timeMs),
  edge,
  sample.code,
  sample.flags,
  sample.grpcStatus,
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
  sample.proxy,
  isError(sample) ? 1 : 0,
];

const insertGap = "INSERT INTO gap (from_ms, to_ms, collector, cause) VALUES (?, ?, ?, ?)";

const upsertSender = `INSERT INTO log_sender (id, last_batch, seen_at) VALUES (?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET last_batch = excluded.last_batch, seen_at = excluded.seen_at`;

const upsertCollector = `INSERT INTO collector
    (id, flushed_at, complete_until, settled_until, fresh_at, active, last_batch, started_at, late_writes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET flushed_at = excluded.flushed_at, complete_until = excluded.complete_until,
    settled_until = excluded.settled_until, fresh_at = coalesce(excluded.fresh_at, fresh_at), active = excluded.active,
    last_batch = excluded.last_batch, started_at = excluded.started_at, late_writes = late_writes + excluded.late_writes`;
