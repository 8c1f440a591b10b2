import { LatencySketch } from "../../lib/latency-sketch.ts";
import type { CollectorRow, EdgeRow, RollupRange, RollupRow, RollupSum, SumRange } from "../../query/reader.ts";
import { oldestOf } from "../../query/window.ts";
import { flagNames } from "../../wire/response-flags.ts";
import { type Step, steps } from "../../wire/retention.ts";
import { BucketCursor, type BucketEntry } from "./bucket.ts";
import { BucketCache } from "./bucket-cache.ts";
import { ceilTo, floorTo } from "./compaction.ts";
import type { TelemetryDatabase } from "./database.ts";
import { toEdge } from "./edges.ts";
import { Fold } from "./fold.ts";
import { coarsestStretches, type Stretch } from "./stretches.ts";

/** Bounds of what is kept in memory: a graph of a thousand calls and its timeline need some 5 MiB of settled buckets. */
const settledBytes = 32 * 2 ** 20;
const recentBytes = 16 * 2 ** 20;
const countsBytes = 4 * 2 ** 20;
/** Sums of a window that moves with time are kept of whole stretches of this, in seconds: they are made anew only so often. */
const sumStep = 10;
const noLatencies = new LatencySketch().encode();
const none: readonly string[] = [];

/** The roll-up of requests. */
export class RollupReader {
  readonly #database: TelemetryDatabase;
  #edges = new Map<number, EdgeRow>();
  #newestEdge = 0;
  #settled = new BucketCache(settledBytes);
  /** Sums without latencies. */
  #counts = new BucketCache(countsBytes);
  #lateWrites = 0;
  /** Buckets that are still written: good until the file has changed. */
  #recent = { version: 0, buckets: new BucketCache(recentBytes) };

  constructor(database: TelemetryDatabase) {
    this.#database = database;
  }

  rollups(range: RollupRange): RollupRow[] {
    const [fromSec, toSec] = [range.fromMs / 1000, range.toMs / 1000];
    const stretches: Stretch[] = [];
    let from = fromSec;
    // The marks are read first: what compaction does meanwhile adds coarser buckets, and the finer ones stay for long after.
    const marks = this.#marks();
    for (const step of steps.filter((step) => step <= range.stepSec).toReversed()) {
      const until = Math.min(toSec, marks.until(step));
      if (until <= from) continue;
      stretches.push({ step, from, until });
      from = until;
    }
    const buckets = this.#read(stretches, marks.settled);
    const edgeOf = this.#edgesBy(range.edges);
    const rows: RollupRow[] = [];
    for (const { at, parts } of buckets) {
      for (const part of parts) {
        for (const entry = new BucketCursor(part); entry.next(); ) {
          const edge = edgeOf(entry.edge);
          if (edge !== undefined) rows.push({ atMs: at * 1000, ...rowOf(entry, edge, entry.latency()) });
        }
      }
    }
    return rows;
  }

  sums({ fromMs, toMs, withLatency = true }: SumRange): RollupSum[] {
    const marks = this.#marks();
    const [from, to] = [fromMs / 1000, toMs / 1000];
    const settledFrom = Math.min(to, ceilTo(from, sumStep));
    const settledTo = Math.max(settledFrom, floorTo(Math.min(to, marks.settled), sumStep));
    const fold = new Fold({ withLatency });
    this.#addTo(fold, from, settledFrom, marks);
    if (settledTo > settledFrom) fold.add(this.#settledSum(settledFrom, settledTo, marks, withLatency));
    this.#addTo(fold, settledTo, to, marks);
    this.#loadEdges();
    return Array.from(fold.entries(), (entry) =>
      rowOf(entry, this.#knownEdge(entry.edge), withLatency ? entry.latency.encode() : noLatencies),
    );
  }

  oldestAt(): number | null {
    // One look-up in the primary key per step, however many rows there are.
    const rows = this.#database.all(
      steps.map((step) => `SELECT ${step} AS step, MIN(at) AS at FROM rollup WHERE step = ${step}`).join(" UNION ALL "),
    );
    const starts = rows.filter(({ at }) => at !== null);
    return oldestOf(starts.map(({ step, at }) => ({ stepSec: Number(step), atMs: Number(at) * 1000 })));
  }

  collectors(): CollectorRow[] {
    const sql = "SELECT id, flushed_at, complete_until, fresh_at, settled_until, active FROM collector";
    return this.#database.all(sql).map((row) => ({
      id: String(row.id),
      flushedAtMs: Number(row.flushed_at),
      completeUntilMs: Number(row.complete_until),
      freshAtMs: row.fresh_at === null ? null : Number(row.fresh_at),
      settledUntilMs: Number(row.settled_until),
      active: Boolean(row.active),
    }));
  }

  edge(id: number): EdgeRow {
    if (!this.#edges.has(id)) this.#loadEdges();
    return this.#knownEdge(id);
  }

  #addTo(fold: Fold, from: number, until: number, marks: Marks): void {
    const buckets = this.#read(coarsestStretches(from, until, marks.until), marks.settled);
    for (const { parts } of buckets) for (const part of parts) fold.add(part);
  }

  /** Settled buckets as one bucket of their whole length, which is kept like one; compaction's, of one part each, are just the same. */
  #settledSum(from: number, until: number, marks: Marks, withLatency: boolean): Uint8Array {
    const cache = withLatency ? this.#settled : this.#counts;
    const [known] = cache.get(until - from, from) ?? [];
    if (known !== undefined) return known;
    const fold = new Fold({ withLatency });
    this.#addTo(fold, from, until, marks);
    const sum = fold.encode();
    cache.put(until - from, from, [sum]);
    return sum;
  }

  /** The buckets of all stretches, in order. */
  #read(stretches: readonly Stretch[], settled: number): Bucket[] {
    const buckets: Bucket[] = [];
    for (const stretch of stretches) buckets.push(...this.#stretch(stretch, settled));
    return buckets;
  }

  /** Those that can't have changed from memory, the rest from the file. */
  #stretch({ step, from, until }: Stretch, settled: number): Bucket[] {
    const buckets: Bucket[] = [];
    const recent = this.#recent.buckets;
    let at = from;
    for (; at < until; at += step) {
      const parts = this.#settled.get(step, at) ?? recent.get(step, at);
      if (parts === undefined) break;
      buckets.push({ at, parts });
    }
    if (at >= until) return buckets;
    const sql = "SELECT at, entries FROM rollup WHERE step = ? AND at >= ? AND at < ?";
    const rows = this.#database.all(sql, step, at, until);
    const read = Map.groupBy(rows, (row) => Number(row.at));
    for (; at < until; at += step) {
      const parts = (read.get(at) ?? []).map(({ entries }) => entries as Uint8Array);
      (at + step <= settled ? this.#settled : recent).put(step, at, parts);
      buckets.push({ at, parts });
    }
    return buckets;
  }

  #marks(): Marks {
    const rows = this.#database.all(
      `SELECT step, until FROM compaction UNION ALL SELECT 0, min(settled_until) / 1000 FROM collector
       UNION ALL SELECT -1, data_version FROM pragma_data_version UNION ALL SELECT -2, sum(late_writes) FROM collector`,
    );
    const marks = new Map(rows.map((row) => [Number(row.step), Number(row.until)]));
    const version = marks.get(-1) ?? 0;
    const lateWrites = marks.get(-2) ?? 0;
    if (lateWrites !== this.#lateWrites) {
      // What a proxy could not tell in time went into seconds that were thought settled.
      this.#lateWrites = lateWrites;
      this.#settled = new BucketCache(settledBytes);
      this.#counts = new BucketCache(countsBytes);
    }
    if (version !== this.#recent.version) this.#recent = { version, buckets: new BucketCache(recentBytes) };
    return {
      until: (step) => (step === 1 ? Number.POSITIVE_INFINITY : (marks.get(step) ?? 0)),
      settled: marks.get(0) ?? 0,
    };
  }

  #knownEdge(id: number): EdgeRow {
    const edge = this.#edges.get(id);
    if (edge === undefined) throw new Error(`the telemetry store has no edge ${id}`);
    return edge;
  }

  /** For entries already read: an edge is written before the first bucket that has it. Asks about each edge once. */
  #edgesBy(wanted?: (edge: EdgeRow) => boolean): (id: number) => EdgeRow | undefined {
    this.#loadEdges();
    if (wanted === undefined) return (id) => this.#knownEdge(id);
    const answers = new Map<number, EdgeRow | null>();
    return (id) => {
      let answer = answers.get(id);
      if (answer === undefined) {
        const edge = this.#knownEdge(id);
        answer = wanted(edge) ? edge : null;
        answers.set(id, answer);
      }
      return answer ?? undefined;
    };
  }

  /** Edges are only ever added, so those known keep their objects. */
  #loadEdges(): void {
    const rows = this.#database.all("SELECT * FROM edge WHERE id > ?", this.#newestEdge);
    for (const row of rows) {
      const edge = toEdge(row);
      if (!this.#edges.has(edge.id)) this.#edges.set(edge.id, edge);
      this.#newestEdge = Math.max(this.#newestEdge, edge.id);
    }
  }
}

/** The parts of one bucket; `at` is its start in Unix seconds. */
interface Bucket {
  at: number;
  parts: readonly Uint8Array[];
}

/** How far buckets are whole; Unix seconds, exclusive. */
interface Marks {
  /** To where a step is compacted. */
  until(step: Step): number;
  /** Before it nothing is written any more. */
  settled: number;
}

const rowOf = (entry: Omit<BucketEntry, "latency">, edge: EdgeRow, latency: Uint8Array): RollupSum => ({
  edge,
  code: entry.code,
  grpcStatus: entry.grpcStatus,
  flags: entry.flags === 0 ? none : flagNames(entry.flags),
  count: entry.count,
  requestBytes: entry.requestBytes,
  responseBytes: entry.responseBytes,
  latency,
});
