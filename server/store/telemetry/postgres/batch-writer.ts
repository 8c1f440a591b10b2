import type { ClientBase } from "pg";
import type { Attributes } from "../../../telemetry/attributes.ts";
import type { MetricEntry, MetricSeries, MetricState } from "../../../telemetry/metric-record.ts";
import { edgeId } from "../../../telemetry/record.ts";
import type { RollupEntry, TelemetryBatch } from "../../../telemetry/store.ts";
import { type BucketEntry, encodeBucket } from "../bucket.ts";
import { bytes, type Columns, int2, int8, text } from "../columns/column.ts";
import { metricSeriesColumns } from "../columns/metric-series.ts";
import { floorTo, markOf, metricBuckets, rollup } from "../compaction.ts";
import { encodeMetrics } from "../metric-bucket.ts";
import { stateRows } from "../metric-states.ts";
import type { BucketTable } from "../sql.ts";
import { copyIn } from "./copy-in.ts";
import { copyLogs, copySamples } from "./copy-logs.ts";
import { CopyRows } from "./copy-rows.ts";
import { PostgresSql } from "./database.ts";
import { Dictionary } from "./dictionary.ts";
import { PostgresEdges } from "./edges.ts";
import { PostgresSpans } from "./spans.ts";

interface Bucket {
  step: number;
  at: number;
  part: number;
  entries: Uint8Array;
}

const bucketColumns: Columns<Bucket> = [
  int2("step", ({ step }) => step),
  int8("at", ({ at }) => at),
  int8("part", ({ part }) => part),
  bytes("entries", ({ entries }) => entries),
];

/** Puts batches into the tables, inside the caller's transaction, which has the writers' turn: nobody else commits meanwhile. */
export class PostgresBatchWriter {
  readonly #edges: PostgresEdges;
  readonly #spans = new PostgresSpans();
  readonly #resources = new Dictionary<string>({
    table: "resource",
    columns: [text("attributes", (attributes) => attributes)],
    maxKnown: 10_000,
  });
  readonly #series = new Dictionary<MetricSeries>({
    table: "metric_series",
    columns: metricSeriesColumns,
    changing: ["description"],
    maxKnown: 50_000,
  });

  constructor(maxEdges: number) {
    this.#edges = new PostgresEdges(maxEdges);
  }

  async write(client: ClientBase, batch: TelemetryBatch): Promise<void> {
    const { id, collector, spans, logs } = batch;
    const nowMs = collector.flushedAtMs;
    const { rows } = await client.query<Before>(before, [collector.id]);
    const known = rows[0];
    if (Number(known?.last_batch) === id) return; // the answer to the commit was lost
    const passed = await passedOn(client, batch);
    const isOwn = ({ sender }: { sender?: string | undefined }) => sender === undefined || !passed.has(sender);
    const [rollups, samples] = [batch.rollups.filter(isOwn), batch.samples.filter(isOwn)];
    const sampled = samples.map((sample) => ({ edge: sample.edge, edgeId: edgeId(sample.edge) }));
    const edges = await this.#edges.idsOf(client, [...rollups, ...sampled], nowMs);
    const entries = rollups.map((entry, i) => ({ ...entry, edge: edges[i] as number }));
    const late = await this.#writeRollups(client, id, entries, Number(known?.settled_until ?? 0));
    await this.#writeMetrics(client, id, batch.metrics, nowMs);
    await writeStates(client, batch.metricStates, nowMs);
    const resourceOf = await this.#resourcesOf(client, [...spans, ...logs], nowMs);
    await this.#spans.write(client, spans, resourceOf, nowMs);
    await copyLogs(client, logs, resourceOf);
    await copySamples(client, samples, (i) => edges[rollups.length + i] as number);
    await writeGaps(client, batch, known);
    await writeSenders(
      client,
      [...batch.senders].filter(([sender]) => !passed.has(sender)),
      batch.claims,
      nowMs,
    );
    await writeCollector(client, batch, late);
  }

  /** After a transaction that was undone: what was put into the dictionaries is not there. */
  forget(): void {
    for (const dictionary of [this.#edges, this.#resources, this.#series, this.#spans.operations]) dictionary.forget();
  }

  /** As on SQLite: what comes after its second was folded is a part of its own in every step that will not look at the finer one again. */
  async #writeRollups(
    client: ClientBase,
    batch: number,
    entries: readonly (Omit<RollupEntry, "edge"> & BucketEntry)[],
    settledMs: number,
  ): Promise<boolean> {
    if (entries.length === 0) return false;
    const rows = new CopyRows(bucketColumns);
    for (const [second, ofSecond] of Map.groupBy(entries, (entry) => entry.second)) {
      rows.add({ step: 1, at: second, part: batch, entries: encodeBucket(ofSecond) });
    }
    for (const step of [10, 60, 3600] as const) {
      const mark = (await markOf(new PostgresSql(client), rollup, step)) ?? 0;
      const folded = entries.filter(({ second }) => second < mark);
      for (const [at, ofBucket] of Map.groupBy(folded, ({ second }) => floorTo(second, step))) {
        rows.add({ step, at, part: batch, entries: encodeBucket(ofBucket) });
      }
    }
    await copyIn(client, rowsOf("rollup"), rows);
    return entries.some(({ second }) => second * 1000 < settledMs);
  }

  async #writeMetrics(client: ClientBase, batch: number, metrics: readonly MetricEntry[], nowMs: number) {
    if (metrics.length === 0) return;
    const series = new Map(metrics.map((entry) => [entry.seriesId, entry.series]));
    const ids = await this.#series.idsOf(client, series, nowMs);
    const entries = metrics.map((entry) => ({ ...entry, series: ids.get(entry.seriesId) as number }));
    const rows = new CopyRows(bucketColumns);
    for (const [at, ofBucket] of Map.groupBy(entries, ({ second }) => floorTo(second, 10))) {
      rows.add({ step: 10, at, part: batch, entries: encodeMetrics(ofBucket) });
    }
    for (const step of [60, 3600] as const) {
      const mark = (await markOf(new PostgresSql(client), metricBuckets, step)) ?? 0;
      const folded = entries.filter(({ second }) => second < mark);
      for (const [at, ofBucket] of Map.groupBy(folded, ({ second }) => floorTo(second, step))) {
        rows.add({ step, at, part: batch, entries: encodeMetrics(ofBucket) });
      }
    }
    await copyIn(client, rowsOf("metric_bucket"), rows);
  }

  /** The row of each resource of a batch, whose records share the object. Row 0 is "nothing is known of it", and is not there. */
  async #resourcesOf(client: ClientBase, of: readonly { resource: Attributes }[], nowMs: number) {
    const texts = new Map<Attributes, string>();
    for (const { resource } of of) if (!texts.has(resource)) texts.set(resource, JSON.stringify(resource));
    const named = [...new Set(texts.values())].filter((text) => text !== "{}");
    const ids = await this.#resources.idsOf(client, new Map(named.map((text) => [text, text])), nowMs);
    return (resource: Attributes): number => ids.get(texts.get(resource) ?? "") ?? 0;
  }
}

const rowsOf = (table: BucketTable): string => `${table}_rows`;

interface Before {
  last_batch: string | null;
  started_at: string;
  flushed_at: string;
  complete_until: string;
  active: number;
  settled_until: string | null;
}

/** What this collector said last, and before when readers may think that nothing is written any more: of one that nobody waits for, the latest of all. */
const before = `SELECT own.*, coalesce((SELECT settled_until FROM waited_for WHERE id = $1),
    (SELECT max(settled_until) FROM collector)) AS settled_until
  FROM (SELECT 1) AS one LEFT JOIN
    (SELECT last_batch, started_at, flushed_at, complete_until, active FROM collector WHERE id = $1) AS own ON true`;

async function writeGaps(client: ClientBase, { collector }: TelemetryBatch, known: Before | undefined): Promise<void> {
  const insert = "INSERT INTO gap (from_ms, to_ms, collector, cause) VALUES ($1, $2, $3, $4)";
  if (known !== undefined && known.last_batch !== null && Number(known.started_at) !== collector.startedAtMs) {
    const from = Number(known.active ? known.complete_until : known.flushed_at);
    if (collector.startedAtMs - from >= 1000) {
      const cause = known.active ? "lost" : "stopped";
      await client.query(insert, [Math.floor(from), Math.floor(collector.startedAtMs), collector.id, cause]);
    }
  }
  if (collector.stalledFromMs === undefined) return;
  const to = Math.floor(collector.flushedAtMs);
  await client.query(insert, [Math.floor(collector.stalledFromMs), to, collector.id, "lost"]);
}

/**
 * Senders that another stream has claimed since they were taken in: they send all of it again there. Their rows are held until the transaction is over, so that who
 * claims them meanwhile is told of what it writes.
 */
async function passedOn(client: ClientBase, { senders, claims }: TelemetryBatch): Promise<ReadonlySet<string>> {
  if (claims.size === 0) return new Set();
  const { rows } = await client.query<{ id: string; claim: string }>(
    "SELECT id, claim FROM log_sender WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE",
    [[...senders.keys()]],
  );
  return new Set(rows.filter(({ id, claim }) => claims.has(id) && claims.get(id) !== claim).map(({ id }) => id));
}

async function writeSenders(
  client: ClientBase,
  senders: readonly (readonly [string, number])[],
  claims: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<void> {
  if (senders.length === 0) return;
  await client.query(
    `INSERT INTO log_sender (id, last_batch, claim, seen_at)
       SELECT id, last_batch, claim, $4 FROM unnest($1::text[], $2::bigint[], $3::text[]) AS sent(id, last_batch, claim)
     ON CONFLICT (id) DO UPDATE SET last_batch = excluded.last_batch, seen_at = excluded.seen_at`,
    [senders.map(([id]) => id), senders.map(([, last]) => last), senders.map(([id]) => claims.get(id) ?? ""), nowMs],
  );
}

/** What another collector wrote of a series later stays. */
async function writeStates(client: ClientBase, states: readonly MetricState[], nowMs: number): Promise<void> {
  const rows = stateRows(states);
  if (rows.length === 0) return;
  const column = <I extends 0 | 1 | 2 | 3 | 4>(index: I) => rows.map((row) => row[index]);
  await client.query(
    `INSERT INTO metric_state (identity, time_ms, start_ms, value, histogram, seen_at)
       SELECT fresh.*, $6 FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::double precision[], $5::text[])
         AS fresh(identity, time_ms, start_ms, value, histogram)
     ON CONFLICT (identity) DO UPDATE SET time_ms = excluded.time_ms, start_ms = excluded.start_ms, value = excluded.value,
       histogram = excluded.histogram, seen_at = excluded.seen_at`,
    [column(0), column(1), column(2), column(3), column(4), nowMs],
  );
}

async function writeCollector(client: ClientBase, { id, collector: state }: TelemetryBatch, late: boolean) {
  await client.query(
    `INSERT INTO collector (id, flushed_at, complete_until, settled_until, fresh_at, active, last_batch, started_at, writes, late_writes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)
     ON CONFLICT (id) DO UPDATE SET flushed_at = excluded.flushed_at, complete_until = excluded.complete_until,
       settled_until = excluded.settled_until, fresh_at = coalesce(excluded.fresh_at, collector.fresh_at), active = excluded.active,
       last_batch = excluded.last_batch, started_at = excluded.started_at, writes = collector.writes + 1,
       late_writes = collector.late_writes + excluded.late_writes`,
    [
      state.id,
      Math.floor(state.flushedAtMs),
      Math.floor(state.completeUntilMs),
      Math.floor(state.settledUntilMs),
      state.freshAtMs === null ? null : Math.floor(state.freshAtMs),
      state.active ? 1 : 0,
      id,
      Math.floor(state.startedAtMs),
      late ? 1 : 0,
    ],
  );
}
