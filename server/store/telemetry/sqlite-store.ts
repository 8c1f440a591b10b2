import type { Client } from "@libsql/client";
import { edgeId, type TrafficRecord } from "../../telemetry/record.ts";
import type { SpanRecord } from "../../telemetry/span.ts";
import type { CollectorState, CompactionPass, TelemetryBatch, TelemetryStore } from "../../telemetry/store.ts";
import { insertStatements } from "./bulk-insert.ts";
import { compactPass, rollupColumns } from "./compaction.ts";
import { openTelemetryFile, type TelemetryFile } from "./database.ts";
import { EdgeIds } from "./edges.ts";

/** The write side of the telemetry file: multi-row inserts, one transaction per batch, past the ORM for speed. One writer at a time. */
export async function openSqliteTelemetryStore(
  options: TelemetryFile & { maxEdges?: number },
): Promise<TelemetryStore> {
  return new SqliteTelemetryStore(await openTelemetryFile(options), options.maxEdges ?? 50_000);
}

class SqliteTelemetryStore implements TelemetryStore {
  readonly #client: Client;
  readonly #edges: EdgeIds;

  constructor(client: Client, maxEdges: number) {
    this.#client = client;
    this.#edges = new EdgeIds(client, maxEdges);
  }

  async write(batch: TelemetryBatch): Promise<void> {
    const sampled = batch.samples.map((sample) => ({ edge: sample.edge, edgeId: edgeId(sample.edge) }));
    const ids = await this.#edges.idsOf([...batch.rollups, ...sampled]);
    const rollups = batch.rollups.map((entry, i) => [
      1,
      entry.second,
      ids[i] as number,
      entry.code,
      entry.flags,
      batch.id,
      entry.count,
      entry.requestBytes,
      entry.responseBytes,
      entry.latency.encode(),
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

  compact(pass: CompactionPass): Promise<{ more: boolean }> {
    return compactPass(this.#client, pass);
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

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
