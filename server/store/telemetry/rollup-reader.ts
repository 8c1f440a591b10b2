import { LatencySketch } from "../../lib/latency-sketch.ts";
import type { CollectorRow, EdgeRow, RollupRange, RollupRow, RollupSum, SumRange } from "../../query/reader.ts";
import { oldestOf } from "../../query/window.ts";
import { flagNames } from "../../wire/response-flags.ts";
import { type Step, steps } from "../../wire/retention.ts";
import { BucketCursor, type BucketEntry } from "./bucket.ts";
import { BucketCache } from "./bucket-cache.ts";
import { ceilTo, floorTo } from "./compaction.ts";
import { toEdge } from "./edges.ts";
import { Fold } from "./fold.ts";
import type { Row, Sql } from "./sql.ts";
import { coarsestStretches, type Stretch } from "./stretches.ts";

/** Bounds of what is kept in memory: a graph of a thousand calls and its timeline need some 5 MiB of settled buckets. */
const settledBytes = 32 * 2 ** 20;
const recentBytes = 16 * 2 ** 20;
const countsBytes = 4 * 2 ** 20;
/** Sums of a window that moves with time are kept of whole stretches of this, in seconds: they are made anew only so often. */
const sumStep = 10;
const noLatencies = new LatencySketch().encode();
const none: readonly string[] = [];

/** The database, and how a reader knows what of it may have changed. */
export interface RollupSql extends Sql {
  /**
   * Rows of `step` and `until`: to where each step is compacted (Unix seconds); of step 0, before when nothing is written any more; of -1, what
   * changes with every write; of -2, how often there was a write into settled seconds.
   */
  marks(): Row[] | Promise<Row[]>;
}

/** The roll-up of requests. */
export class RollupReader {
  readonly #database: RollupSql;
  #edges = new Map<number, EdgeRow>();
  #newestEdge = 0;
  #settled = emptySettled(0);
  /** Buckets that are still written: good until the database has changed. */
  #recent = { version: 0, buckets: new BucketCache(recentBytes) };

  constructor(database: RollupSql) {
    this.#database = database;
  }

  async rollups(range: RollupRange): Promise<RollupRow[]> {
    // Whole seconds: a bucket's time is one, and PostgreSQL compares it with no other.
    const [fromSec, toSec] = [Math.ceil(range.fromMs / 1000), Math.ceil(range.toMs / 1000)];
    const stretches: Stretch[] = [];
    let from = fromSec;
    // The marks are read first: what compaction does meanwhile adds coarser buckets, and the finer ones stay for long after.
    const marks = await this.#marks();
    for (const step of steps.filter((step) => step <= range.stepSec).toReversed()) {
      const until = Math.min(toSec, marks.until(step));
      if (until <= from) continue;
      stretches.push({ step, from, until });
      from = until;
    }
    const buckets = await this.#read(stretches, marks);
    const read = this.#rowsOf(buckets, range.edges);
    if (read.unknown.size === 0) return read.rows;
    await this.#loadEdges(read.unknown);
    const again = this.#rowsOf(buckets, range.edges);
    for (const id of again.unknown) throw new Error(`the telemetry store has no edge ${id}`);
    return again.rows;
  }

  async sums({ fromMs, toMs, withLatency = true }: SumRange): Promise<RollupSum[]> {
    const marks = await this.#marks();
    const [from, to] = [Math.ceil(fromMs / 1000), Math.ceil(toMs / 1000)];
    const settledFrom = Math.min(to, ceilTo(from, sumStep));
    const settledTo = Math.max(settledFrom, floorTo(Math.min(to, marks.settled), sumStep));
    const fold = new Fold({ withLatency });
    await this.#addTo(fold, from, settledFrom, marks);
    if (settledTo > settledFrom) fold.add(await this.#settledSum(settledFrom, settledTo, marks, withLatency));
    await this.#addTo(fold, settledTo, to, marks);
    const entries = [...fold.entries()];
    const edgeOf = await this.edgesById(new Set(entries.map(({ edge }) => edge)));
    return entries.map((entry) => rowOf(entry, edgeOf(entry.edge), withLatency ? entry.latency.encode() : noLatencies));
  }

  async oldestAt(): Promise<number | null> {
    // One look-up in the primary key per step, however many rows there are.
    const rows = await this.#database.all(
      steps.map((step) => `SELECT ${step} AS step, MIN(at) AS at FROM rollup WHERE step = ${step}`).join(" UNION ALL "),
    );
    const starts = rows.filter(({ at }) => at !== null);
    return oldestOf(starts.map(({ step, at }) => ({ stepSec: Number(step), atMs: Number(at) * 1000 })));
  }

  async collectors(): Promise<CollectorRow[]> {
    const sql = "SELECT id, flushed_at, complete_until, fresh_at, settled_until, active FROM collector";
    return (await this.#database.all(sql)).map((row) => ({
      id: String(row.id),
      flushedAtMs: Number(row.flushed_at),
      completeUntilMs: Number(row.complete_until),
      freshAtMs: row.fresh_at === null ? null : Number(row.fresh_at),
      settledUntilMs: Number(row.settled_until),
      active: Boolean(row.active),
    }));
  }

  /** The edges of ids that were read: an edge is written before the first row that has it. */
  async edgesById(ids: ReadonlySet<number>): Promise<(id: number) => EdgeRow> {
    if (!this.#knowsAll(ids)) await this.#loadEdges(ids);
    return (id) => {
      const edge = this.#edges.get(id);
      if (edge === undefined) throw new Error(`the telemetry store has no edge ${id}`);
      return edge;
    };
  }

  async #addTo(fold: Fold, from: number, until: number, marks: Marks): Promise<void> {
    const buckets = await this.#read(coarsestStretches(from, until, marks.until), marks);
    for (const { parts } of buckets) for (const part of parts) fold.add(part);
  }

  /** Settled buckets as one bucket of their whole length, which is kept like one; compaction's, of one part each, are just the same. */
  async #settledSum(from: number, until: number, marks: Marks, withLatency: boolean): Promise<Uint8Array> {
    const cache = withLatency ? marks.kept.buckets : marks.kept.counts;
    const [known] = cache.get(until - from, from) ?? [];
    if (known !== undefined) return known;
    const fold = new Fold({ withLatency });
    await this.#addTo(fold, from, until, marks);
    const sum = fold.encode();
    cache.put(until - from, from, [sum]);
    return sum;
  }

  /** The buckets of all stretches, in order. */
  async #read(stretches: readonly Stretch[], marks: Marks): Promise<Bucket[]> {
    const read = await Promise.all(stretches.map((stretch) => this.#stretch(stretch, marks)));
    return read.flat();
  }

  /** Those that can't have changed from memory, the rest from the database. */
  async #stretch({ step, from, until }: Stretch, { settled, kept, recent }: Marks): Promise<Bucket[]> {
    const buckets: Bucket[] = [];
    let at = from;
    for (; at < until; at += step) {
      const parts = kept.buckets.get(step, at) ?? recent.get(step, at);
      if (parts === undefined) break;
      buckets.push({ at, parts });
    }
    if (at >= until) return buckets;
    const sql = "SELECT at, entries FROM rollup WHERE step = ? AND at >= ? AND at < ?";
    const rows = await this.#database.all(sql, step, at, until);
    const read = Map.groupBy(rows, (row) => Number(row.at));
    for (; at < until; at += step) {
      const parts = (read.get(at) ?? []).map(({ entries }) => entries as Uint8Array);
      (at + step <= settled ? kept.buckets : recent).put(step, at, parts);
      buckets.push({ at, parts });
    }
    return buckets;
  }

  async #marks(): Promise<Marks> {
    const rows = await this.#database.marks();
    const marks = new Map(rows.map((row) => [Number(row.step), Number(row.until)]));
    const version = marks.get(-1) ?? 0;
    const lateWrites = marks.get(-2) ?? 0;
    // What a proxy could not tell in time went into seconds that were thought settled.
    if (lateWrites !== this.#settled.lateWrites) this.#settled = emptySettled(lateWrites);
    if (version !== this.#recent.version) this.#recent = { version, buckets: new BucketCache(recentBytes) };
    return {
      until: (step) => (step === 1 ? Number.POSITIVE_INFINITY : (marks.get(step) ?? 0)),
      settled: marks.get(0) ?? 0,
      kept: this.#settled,
      recent: this.#recent.buckets,
    };
  }

  /** Those of the edges that are wanted, and the ids of edges that are not known yet. Asks about each edge once. */
  #rowsOf(buckets: readonly Bucket[], wanted: RollupRange["edges"]): { rows: RollupRow[]; unknown: Set<number> } {
    const rows: RollupRow[] = [];
    const unknown = new Set<number>();
    const chosen = new Map<number, EdgeRow | undefined>();
    const choose = (id: number): EdgeRow | undefined => {
      const edge = this.#edges.get(id);
      if (edge === undefined) unknown.add(id);
      const meant = edge !== undefined && (wanted === undefined || wanted(edge)) ? edge : undefined;
      chosen.set(id, meant);
      return meant;
    };
    for (const { at, parts } of buckets) {
      for (const part of parts) {
        for (const entry = new BucketCursor(part); entry.next(); ) {
          const edge = chosen.has(entry.edge) ? chosen.get(entry.edge) : choose(entry.edge);
          if (edge !== undefined) rows.push({ atMs: at * 1000, ...rowOf(entry, edge, entry.latency()) });
        }
      }
    }
    return { rows, unknown };
  }

  #knowsAll(ids: ReadonlySet<number>): boolean {
    for (const id of ids) if (!this.#edges.has(id)) return false;
    return true;
  }

  /** Edges are only ever added, so those known keep their objects. Of several writers the one that was first may be read last. */
  async #loadEdges(wanted: ReadonlySet<number>): Promise<void> {
    this.#add(await this.#database.all("SELECT * FROM edge WHERE id > ?", this.#newestEdge));
    const missing = [...wanted].filter((id) => !this.#edges.has(id));
    if (missing.length > 0)
      this.#add(await this.#database.all(`SELECT * FROM edge WHERE id IN (${missing.join(",")})`));
  }

  #add(rows: readonly Row[]): void {
    for (const row of rows) {
      const edge = toEdge(row);
      if (!this.#edges.has(edge.id)) this.#edges.set(edge.id, edge);
      this.#newestEdge = Math.max(this.#newestEdge, edge.id);
    }
  }
}

/** What can't change any more, as long as nobody writes into settled seconds. */
const emptySettled = (lateWrites: number) => ({
  lateWrites,
  buckets: new BucketCache(settledBytes),
  /** Sums without latencies. */
  counts: new BucketCache(countsBytes),
});

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
  kept: ReturnType<typeof emptySettled>;
  recent: BucketCache;
}

const rowOf = (entry: Omit<BucketEntry, "latency">, edge: EdgeRow, latency: Uint8Array): RollupSum => ({
  edge,
  code: entry.code,
  grpcStatus: entry.grpcStatus,
  flags: entry.flags === 0 ? none : flagNames(entry.flags),
  count: entry.count,
  requestBytes: entry.requestBytes,
  responseBytes: entry.responseBytes,
  requestMessages: entry.requestMessages,
  responseMessages: entry.responseMessages,
  latency,
});
