import type { Client } from "@libsql/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";
import { Prisma, PrismaClient } from "../../gen/prisma-telemetry/client.ts";
import { LatencySketch } from "../../lib/latency-sketch.ts";
import type {
  CollectorRow,
  EdgeRow,
  LogQuery,
  LogRow,
  RollupRange,
  RollupRow,
  RollupSum,
  SpanRow,
  SumRange,
  TelemetryReader,
  TraceQuery,
  TraceRow,
} from "../../query/reader.ts";
import { oldestOf } from "../../query/window.ts";
import { flagNames } from "../../wire/response-flags.ts";
import { type Step, steps } from "../../wire/retention.ts";
import { BucketCursor, type BucketEntry, encodeBucket } from "./bucket.ts";
import { BucketCache } from "./bucket-cache.ts";
import { fileIdentity, openTelemetryFile, type TelemetryFile } from "./database.ts";
import { toEdge } from "./edges.ts";
import { Fold } from "./fold.ts";
import { coarsestStretches, type Stretch } from "./stretches.ts";

/**
 * The read side of the telemetry file, for another process than its writer's. Through Prisma, but for the roll-up, whose buckets are encoded;
 * settled ones are kept.
 */
export async function openSqliteTelemetryReader(file: TelemetryFile): Promise<TelemetryReader> {
  let opened = await openOnce(file);
  let opening: Promise<void> | undefined;
  const reopen = async () => {
    const old = opened;
    opened = await openOnce(file);
    // Reads under way end on the old file.
    setTimeout(() => void old.reader.close(), 5000).unref();
  };
  /** The collector makes the file anew when it was deleted or broken; its successor is read from then on. */
  const current = async (): Promise<TelemetryReader> => {
    const identity = fileIdentity(file.path);
    if (identity !== undefined && identity !== opened.identity) {
      opening ??= reopen().finally(() => {
        opening = undefined;
      });
      await opening;
    }
    return opened.reader;
  };
  return {
    rollups: async (range) => (await current()).rollups(range),
    sums: async (range) => (await current()).sums(range),
    oldestAt: async () => (await current()).oldestAt(),
    collectors: async () => (await current()).collectors(),
    logs: async (query) => (await current()).logs(query),
    traces: async (query) => (await current()).traces(query),
    trace: async (traceId) => (await current()).trace(traceId),
    close: () => opened.reader.close(),
  };
}

async function openOnce(file: TelemetryFile) {
  const client = await openTelemetryFile(file);
  const prisma = new PrismaClient({ adapter: new PrismaLibSql({ url: `file:${file.path}`, timeout: 5000 }) });
  return { reader: new SqliteTelemetryReader(client, prisma), identity: fileIdentity(file.path) };
}

/** Bounds of what is kept in memory: a graph of a thousand calls and its timeline need some 5 MiB of settled buckets. */
const settledBytes = 32 * 2 ** 20;
const recentBytes = 16 * 2 ** 20;
const countsBytes = 4 * 2 ** 20;
/** Sums of a window that moves with time are kept of whole stretches of this, in seconds: they are made anew only so often. */
const sumStep = 10;
const noLatencies = new LatencySketch().encode();
const none: readonly string[] = [];

class SqliteTelemetryReader implements TelemetryReader {
  readonly #client: Client;
  readonly #prisma: PrismaClient;
  #edges = new Map<number, EdgeRow>();
  #newestEdge = 0;
  readonly #settled = new BucketCache(settledBytes);
  /** Sums without latencies. */
  readonly #counts = new BucketCache(countsBytes);
  /** Buckets that are still written: good until the file has changed. */
  #recent = { version: 0, buckets: new BucketCache(recentBytes) };

  constructor(client: Client, prisma: PrismaClient) {
    this.#client = client;
    this.#prisma = prisma;
  }

  async rollups(range: RollupRange): Promise<RollupRow[]> {
    const [fromSec, toSec] = [range.fromMs / 1000, range.toMs / 1000];
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
    const buckets = await this.#read(stretches, marks.settled);
    const edgeOf = await this.#edgesBy(range.edges);
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

  async sums({ fromMs, toMs, withLatency = true }: SumRange): Promise<RollupSum[]> {
    const marks = await this.#marks();
    const [from, to] = [fromMs / 1000, toMs / 1000];
    const settledFrom = Math.min(to, ceilTo(from, sumStep));
    const settledTo = Math.max(settledFrom, floorTo(Math.min(to, marks.settled), sumStep));
    const fold = new Fold({ withLatency });
    await this.#addTo(fold, from, settledFrom, marks);
    if (settledTo > settledFrom) fold.add(await this.#settledSum(settledFrom, settledTo, marks, withLatency));
    await this.#addTo(fold, settledTo, to, marks);
    await this.#loadEdges();
    return Array.from(fold.entries(), (entry) =>
      rowOf(entry, this.#knownEdge(entry.edge), withLatency ? entry.latency.encode() : noLatencies),
    );
  }

  async oldestAt(): Promise<number | null> {
    // One look-up in the primary key per step, however many rows there are.
    const { rows } = await this.#client.execute(
      steps.map((step) => `SELECT ${step} AS step, MIN(at) AS at FROM rollup WHERE step = ${step}`).join(" UNION ALL "),
    );
    const starts = rows.filter(({ at }) => at !== null);
    return oldestOf(starts.map(({ step, at }) => ({ stepSec: Number(step), atMs: Number(at) * 1000 })));
  }

  async collectors(): Promise<CollectorRow[]> {
    const rows = await this.#prisma.collector.findMany();
    return rows.map((row) => ({
      id: row.id,
      flushedAtMs: Number(row.flushedAt),
      completeUntilMs: Number(row.completeUntil),
      freshAtMs: row.freshAt === null ? null : Number(row.freshAt),
      settledUntilMs: Number(row.settledUntil),
      active: row.active,
    }));
  }

  async logs(query: LogQuery): Promise<LogRow[]> {
    const edges = await this.#edgesOf(query);
    if (edges?.length === 0) return [];
    const rows = await this.#prisma.accessLog.findMany({
      where: {
        at: { gte: query.fromMs, lt: query.toMs },
        ...(edges && { edge: { in: edges } }),
        ...(query.errorsOnly && { OR: [{ code: 0 }, { code: { gte: 400 } }] }),
      },
      orderBy: [{ at: "desc" }, { batch: "desc" }, { seq: "desc" }],
      take: query.limit,
    });
    return Promise.all(
      rows.map(async (row) => ({
        atMs: Number(row.at),
        edge: await this.#edge(row.edge),
        code: row.code,
        flags: flagNames(row.flags),
        durationMs: Number(row.durationUs) / 1000,
        requestBytes: Number(row.requestBytes),
        responseBytes: Number(row.responseBytes),
        method: row.method,
        path: row.path,
        authority: row.authority,
        requestId: row.requestId,
        traceId: row.traceId,
        upstreamCluster: row.upstreamCluster,
        upstreamHost: row.upstreamHost,
        details: row.details,
        config: row.config,
      })),
    );
  }

  async traces(query: TraceQuery): Promise<TraceRow[]> {
    const service = query.service === undefined ? Prisma.empty : Prisma.sql`AND service = ${query.service}`;
    const errors = query.errorsOnly ? Prisma.sql`AND error` : Prisma.empty;
    const found = await this.#prisma.$queryRaw<{ trace_id: string }[]>`
      SELECT trace_id FROM span WHERE start_us >= ${query.fromMs * 1000} AND start_us < ${query.toMs * 1000} ${service} ${errors}
      GROUP BY trace_id ORDER BY min(start_us) DESC LIMIT ${query.limit}`;
    const spans = await this.#prisma.span.findMany({
      where: { traceId: { in: found.map((row) => row.trace_id) } },
      orderBy: { startUs: "asc" },
      omit: { attributes: true },
    });
    const traces = Map.groupBy(spans, (span) => span.traceId);
    return found.flatMap(({ trace_id }) => {
      const [root, ...rest] = traces.get(trace_id) ?? [];
      if (root === undefined) return [];
      const all = [root, ...rest];
      const end = all.reduce((latest, span) => Math.max(latest, Number(span.startUs + span.durationUs)), 0);
      return {
        traceId: trace_id,
        startMs: Number(root.startUs) / 1000,
        durationMs: (end - Number(root.startUs)) / 1000,
        spans: all.length,
        errors: all.filter((span) => span.error).length,
        services: [...new Set(all.map((span) => span.service))],
        root: { name: root.name, service: root.service },
      };
    });
  }

  async trace(traceId: string): Promise<SpanRow[]> {
    const rows = await this.#prisma.span.findMany({ where: { traceId }, orderBy: { startUs: "asc" }, take: 5000 });
    return rows.map(({ receivedAt: _, ...row }) => ({
      ...row,
      startUs: Number(row.startUs),
      durationUs: Number(row.durationUs),
      attributes: JSON.parse(row.attributes) as SpanRow["attributes"],
    }));
  }

  async close(): Promise<void> {
    await this.#prisma.$disconnect();
    this.#client.close();
  }

  async #addTo(fold: Fold, from: number, until: number, marks: Marks): Promise<void> {
    const buckets = await this.#read(coarsestStretches(from, until, marks.until), marks.settled);
    for (const { parts } of buckets) for (const part of parts) fold.add(part);
  }

  /** Settled buckets as one bucket of their whole length, which is kept like one; compaction's, of one part each, are just the same. */
  async #settledSum(from: number, until: number, marks: Marks, withLatency: boolean): Promise<Uint8Array> {
    const cache = withLatency ? this.#settled : this.#counts;
    const [known] = cache.get(until - from, from) ?? [];
    if (known !== undefined) return known;
    const fold = new Fold({ withLatency });
    await this.#addTo(fold, from, until, marks);
    const sum = encodeBucket(fold.entries());
    cache.put(until - from, from, [sum]);
    return sum;
  }

  /** The buckets of all stretches, in order. */
  async #read(stretches: readonly Stretch[], settled: number): Promise<Bucket[]> {
    const buckets: Bucket[] = [];
    for (const stretch of stretches) buckets.push(...(await this.#stretch(stretch, settled)));
    return buckets;
  }

  /** Those that can't have changed from memory, the rest from the file. */
  async #stretch({ step, from, until }: Stretch, settled: number): Promise<Bucket[]> {
    const buckets: Bucket[] = [];
    const recent = this.#recent.buckets;
    let at = from;
    for (; at < until; at += step) {
      const parts = this.#settled.get(step, at) ?? recent.get(step, at);
      if (parts === undefined) break;
      buckets.push({ at, parts });
    }
    if (at >= until) return buckets;
    const { rows } = await this.#client.execute({
      sql: "SELECT at, entries FROM rollup WHERE step = ? AND at >= ? AND at < ?",
      args: [step, at, until],
    });
    const read = Map.groupBy(rows, (row) => Number(row.at));
    for (; at < until; at += step) {
      const parts = (read.get(at) ?? []).map(({ entries }) => new Uint8Array(entries as ArrayBuffer));
      (at + step <= settled ? this.#settled : recent).put(step, at, parts);
      buckets.push({ at, parts });
    }
    return buckets;
  }

  async #marks(): Promise<Marks> {
    const { rows } = await this.#client.execute(
      `SELECT step, until FROM compaction UNION ALL SELECT 0, min(settled_until) / 1000 FROM collector
       UNION ALL SELECT -1, data_version FROM pragma_data_version`,
    );
    const marks = new Map(rows.map((row) => [Number(row.step), Number(row.until)]));
    const version = marks.get(-1) ?? 0;
    if (version !== this.#recent.version) this.#recent = { version, buckets: new BucketCache(recentBytes) };
    return {
      until: (step) => (step === 1 ? Number.POSITIVE_INFINITY : (marks.get(step) ?? 0)),
      settled: marks.get(0) ?? 0,
    };
  }

  async #edge(id: number): Promise<EdgeRow> {
    if (!this.#edges.has(id)) await this.#loadEdges();
    return this.#knownEdge(id);
  }

  #knownEdge(id: number): EdgeRow {
    const edge = this.#edges.get(id);
    if (edge === undefined) throw new Error(`the telemetry store has no edge ${id}`);
    return edge;
  }

  /** For entries already read: an edge is written before the first bucket that has it. Asks about each edge once. */
  async #edgesBy(wanted?: (edge: EdgeRow) => boolean): Promise<(id: number) => EdgeRow | undefined> {
    await this.#loadEdges();
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
  async #loadEdges(): Promise<void> {
    const { rows } = await this.#client.execute({ sql: "SELECT * FROM edge WHERE id > ?", args: [this.#newestEdge] });
    for (const row of rows) {
      const edge = toEdge(row);
      if (!this.#edges.has(edge.id)) this.#edges.set(edge.id, edge);
      this.#newestEdge = Math.max(this.#newestEdge, edge.id);
    }
  }

  async #edgesOf(query: LogQuery): Promise<number[] | undefined> {
    const { service, source, destination } = query;
    if (!service && !source && !destination) return undefined;
    const rows = await this.#prisma.edge.findMany({
      where: {
        service,
        sourceNamespace: source?.namespace,
        sourceApp: source?.app,
        sourceVersion: source?.version,
        destinationNamespace: destination?.namespace,
        destinationApp: destination?.app,
        destinationVersion: destination?.version,
      },
      select: { id: true },
    });
    return rows.map((row) => row.id);
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
  flags: entry.flags === 0 ? none : flagNames(entry.flags),
  count: entry.count,
  requestBytes: entry.requestBytes,
  responseBytes: entry.responseBytes,
  latency,
});

const floorTo = (second: number, step: number): number => Math.floor(second / step) * step;
const ceilTo = (second: number, step: number): number => Math.ceil(second / step) * step;
