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
import { flagNames } from "../../telemetry/response-flags.ts";
import { type Step, steps } from "../../telemetry/store.ts";
import { openTelemetryFile, type TelemetryFile } from "./database.ts";
import { toEdge } from "./edges.ts";

/**
 * The read side of the telemetry file, for another process than its writer's. Through Prisma, but for the roll-up: a graph reads
 * thousands of its rows, and the plain client hands them over several times faster.
 */
export async function openSqliteTelemetryReader(file: TelemetryFile): Promise<TelemetryReader> {
  const client = await openTelemetryFile(file);
  const prisma = new PrismaClient({ adapter: new PrismaLibSql({ url: `file:${file.path}` }) });
  return new SqliteTelemetryReader(client, prisma);
}

class SqliteTelemetryReader implements TelemetryReader {
  readonly #client: Client;
  readonly #prisma: PrismaClient;
  #edges = new Map<number, EdgeRow>();

  constructor(client: Client, prisma: PrismaClient) {
    this.#client = client;
    this.#prisma = prisma;
  }

  async rollups(range: RollupRange): Promise<RollupRow[]> {
    const rows: RollupRow[] = [];
    let from = range.fromMs / 1000;
    const to = range.toMs / 1000;
    // The marks are read first: what compaction does meanwhile adds coarser rows, and the finer ones stay for long after.
    const marks = await this.#marks();
    for (const step of steps.filter((step) => step <= range.stepSec).toReversed()) {
      const until = Math.min(to, step === 1 ? to : (marks.get(step) ?? 0));
      if (until <= from) continue;
      rows.push(...(await this.#segment(step, from, until)));
      from = until;
    }
    return rows;
  }

  async collectors(): Promise<CollectorRow[]> {
    const rows = await this.#prisma.collector.findMany();
    return rows.map((row) => ({
      id: row.id,
      flushedAtMs: Number(row.flushedAt),
      completeUntilMs: Number(row.completeUntil),
      freshAtMs: row.freshAt === null ? null : Number(row.freshAt),
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

  async #segment(step: Step, from: number, until: number): Promise<RollupRow[]> {
    const { rows } = await this.#client.execute({
      sql: `SELECT at, edge, code, flags, count, request_bytes, response_bytes, latency FROM rollup
            WHERE step = ? AND at >= ? AND at < ?`,
      args: [step, from, until],
    });
    const segment: RollupRow[] = [];
    for (const row of rows) {
      const edge = this.#edges.get(Number(row.edge)) ?? (await this.#edge(Number(row.edge)));
      segment.push({
        atMs: Number(row.at) * 1000,
        edge,
        code: Number(row.code),
        flags: flagNames(Number(row.flags)),
        count: Number(row.count),
        requestBytes: Number(row.request_bytes),
        responseBytes: Number(row.response_bytes),
        latency: new Uint8Array(row.latency as ArrayBuffer),
      });
    }
    return segment;
  }

  async #marks(): Promise<Map<number, number>> {
    const { rows } = await this.#client.execute("SELECT step, until FROM compaction");
    return new Map(rows.map((row) => [Number(row.step), Number(row.until)]));
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
