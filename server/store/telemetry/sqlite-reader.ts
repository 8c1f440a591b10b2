import type { Client } from "@libsql/client";
import { PrismaLibSql } from "@prisma/adapter-libsql";
import { Prisma, PrismaClient } from "../../gen/prisma-telemetry/client.ts";
import type {
  CollectorRow,
  EdgeRow,
  LogQuery,
  LogRow,
  RollupRange,
  RollupRow,
  SpanRow,
  TelemetryReader,
  TraceQuery,
  TraceRow,
} from "../../query/reader.ts";
import { oldestOf } from "../../query/window.ts";
import { flagNames } from "../../telemetry/response-flags.ts";
import { type Step, steps } from "../../telemetry/store.ts";
import { BucketCache } from "./bucket-cache.ts";
import { fileIdentity, openTelemetryFile, type TelemetryFile } from "./database.ts";
import { toEdge } from "./edges.ts";

/**
 * The read side of the telemetry file, for another process than its writer's. Through Prisma, but for the roll-up: a graph reads
 * thousands of its rows. As one JSON value they take a seventh of the time that Prisma takes for them, and settled ones are kept.
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

type JsonRow = [number, number, number, number, number, number, number, string];
const none: readonly string[] = [];

class SqliteTelemetryReader implements TelemetryReader {
  readonly #client: Client;
  readonly #prisma: PrismaClient;
  #edges = new Map<number, EdgeRow>();
  #cache = new BucketCache(50_000);

  constructor(client: Client, prisma: PrismaClient) {
    this.#client = client;
    this.#prisma = prisma;
  }

  async rollups(range: RollupRange): Promise<RollupRow[]> {
    const rows: RollupRow[] = [];
    let from = range.fromMs / 1000;
    const to = range.toMs / 1000;
    // The marks are read first: what compaction does meanwhile adds coarser rows, and the finer ones stay for long after.
    const { marks, settled } = await this.#marks();
    for (const step of steps.filter((step) => step <= range.stepSec).toReversed()) {
      const until = Math.min(to, step === 1 ? to : (marks.get(step) ?? 0));
      if (until <= from) continue;
      for (const part of await this.#segment(step, from, until, settled)) rows.push(...part);
      from = until;
    }
    return rows;
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

  /** Whole buckets, in order: those known to be settled from the cache, the rest from the file. */
  async #segment(step: Step, from: number, until: number, settled: number): Promise<(readonly RollupRow[])[]> {
    const buckets: (readonly RollupRow[])[] = [];
    let at = from;
    for (; at < until; at += step) {
      const cached = this.#cache.get(step, at);
      if (cached === undefined) break;
      buckets.push(cached);
    }
    if (at >= until) return buckets;
    const read = Map.groupBy(await this.#read(step, at, until), (row) => row.atMs / 1000);
    for (; at < until; at += step) {
      const rows = read.get(at) ?? [];
      if (at + step <= settled) this.#cache.put(step, at, rows);
      buckets.push(rows);
    }
    return buckets;
  }

  async #read(step: Step, from: number, until: number): Promise<RollupRow[]> {
    const { rows } = await this.#client.execute({
      sql: `SELECT json_group_array(json_array(at, edge, code, flags, count, request_bytes, response_bytes, hex(latency))) AS rows
            FROM rollup WHERE step = ? AND at >= ? AND at < ?`,
      args: [step, from, until],
    });
    const read: RollupRow[] = [];
    for (const row of JSON.parse(String(rows[0]?.rows ?? "[]")) as JsonRow[]) {
      const [at, edge, code, flags, count, requestBytes, responseBytes, latency] = row;
      read.push({
        atMs: at * 1000,
        edge: this.#edges.get(edge) ?? (await this.#edge(edge)),
        code,
        flags: flags === 0 ? none : flagNames(flags),
        count,
        requestBytes,
        responseBytes,
        latency: Buffer.from(latency, "hex"),
      });
    }
    return read;
  }

  /** How far each step is compacted, and until when nothing is written any more; Unix seconds. */
  async #marks(): Promise<{ marks: Map<number, number>; settled: number }> {
    const { rows } = await this.#client.execute(
      "SELECT step, until FROM compaction UNION ALL SELECT 0, min(settled_until) / 1000 FROM collector",
    );
    const marks = new Map(rows.map((row) => [Number(row.step), Number(row.until)]));
    return { marks, settled: marks.get(0) ?? 0 };
  }

  async #edge(id: number): Promise<EdgeRow> {
    const edge = this.#edges.get(id);
    if (edge !== undefined) return edge;
    await this.#loadEdges();
    const loaded = this.#edges.get(id);
    if (loaded === undefined) throw new Error(`the telemetry store has no edge ${id}`);
    return loaded;
  }

  /** Edges are only ever added, so those known keep their objects. */
  async #loadEdges(): Promise<void> {
    const newest = Math.max(0, ...this.#edges.keys());
    const { rows } = await this.#client.execute({ sql: "SELECT * FROM edge WHERE id > ?", args: [newest] });
    for (const row of rows) this.#edges.set(Number(row.id), toEdge(row));
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
