import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WorkloadView } from "../../../contract/index.ts";
import { LatencySketch } from "../../../lib/latency-sketch.ts";
import { createQueries, type Queries } from "../../../query/queries.ts";
import type { LogRow, TelemetryReader, TraceQuery } from "../../../query/reader.ts";
import type { MetricSeries } from "../../../telemetry/metric-record.ts";
import type { SpanRecord } from "../../../telemetry/span.ts";
import type { TelemetryBatch, TelemetryStore } from "../../../telemetry/store.ts";
import { ManualClock } from "../../../telemetry/testing/manual-clock.ts";
import { flagBitsOf } from "../../../wire/response-flags.ts";
import { defaultRetention, type Retention } from "../../../wire/retention.ts";
import { findPostgres, type PostgresServer, startPostgres } from "../../postgres/testing/postgres-server.ts";
import { openSqliteTelemetryReader } from "../sqlite-reader.ts";
import { openSqliteTelemetryStore } from "../sqlite-store.ts";
import { batch, edge, host, log, metric, rollup, sample, series, span } from "../testing/records.ts";
import { seeded } from "../testing/seeded.ts";
import { temporaryDatabase } from "../testing/temporary-database.ts";
import { openPostgresTelemetryReader } from "./reader.ts";
import { openPostgresTelemetryStore } from "./store.ts";

const binaries = findPostgres();

/** A full hour; Unix seconds. */
const t0 = 1_767_225_600;
const lateSec = 20;
const random = seeded(7);
const below = (n: number) => Math.floor(random() * n);
const noAttributes: Readonly<Record<string, string>> = {};
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T;

const edges = [
  edge("", "page", { reporter: "destination" }),
  edge("page", "reviews/v1"),
  edge("page", "reviews/v1", { reporter: "destination", mtls: true }),
  edge("page", "reviews/v2"),
  edge("reviews/v1", "ratings", { protocol: "grpc" }),
  edge("", "page", { gateway: true }),
  edge("ratings", "db", { protocol: "tcp" }),
];
const metrics: MetricSeries[] = [
  series,
  { ...series, labels: { route: "/a" } },
  { ...series, name: "pool.size", kind: "gauge" },
  { ...series, name: "latency", kind: "histogram", unit: "ms" },
];
const traceIdOf = (n: number) => (n + 1).toString(16).padStart(32, "0");

/** What one second brings: of everything some, of odd texts too, and in one of thirty something that is late. */
function recordsOf(second: number): Partial<TelemetryBatch> {
  const atMs = () => second * 1000 + below(1000);
  const times = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make);
  const spread = new LatencySketch();
  for (let i = 0; i < 5; i++) spread.add(random() * 100);
  return {
    rollups: times(6, () =>
      rollup(oneOf(edges), Math.max(t0, second - (random() < 0.7 ? 0 : below(random() < 0.03 ? 400 : lateSec))), {
        code: oneOf([200, 200, 200, 404, 503]),
        flags: oneOf([0, 0, flagBitsOf(["UF", "URX"])]),
        grpcStatus: oneOf([-1, -1, 14]),
        latencies: Array.from({ length: 1 + below(4) }, () => random() * 100),
      }),
    ),
    samples: times(5, () =>
      sample(oneOf(edges), atMs(), {
        code: oneOf([200, 200, 404, 503, 0]),
        flags: oneOf([0, flagBitsOf(["UF", "URX"])]),
        durationMs: below(900) / 7,
        path: oneOf(["/reviews/0", "/100%_x", "/ünï/代理", "/nul\0byte", "/tab\tline\nend\\"]),
        method: oneOf(["GET", "POST"]),
        requestId: `r-${below(1e6)}`,
        traceId: oneOf(["", traceIdOf(below(60))]),
      }),
    ),
    spans: times(6, () =>
      span(traceIdOf(below(300)), (below(1e6) + 1).toString(16).padStart(16, "0"), atMs() * 1000, {
        service: oneOf(["page", "reviews", "ratings"]),
        name: oneOf(["GET /", "POST /", "SELECT"]),
        durationUs: below(100_000),
        error: random() < 0.1,
        attributes: { user: oneOf(["ann", "bob", "cy"]), "http.status_code": oneOf([200, 500]) },
        resource: oneOf<SpanRecord["resource"]>([{}, { "host.name": "n1" }, { "host.name": "n2", list: [1, "x"] }]),
        statusMessage: oneOf(["", "it broke"]),
      }),
    ),
    logs: times(4, () =>
      log(atMs() * 1000 + below(1000), {
        service: oneOf(["page", "reviews"]),
        severity: oneOf([9, 13, 17]),
        body: oneOf(["began", "100% broken", "nul\0 byte", "zeile\nzwei"]),
        traceId: oneOf(["", traceIdOf(below(60))]),
        attributes: oneOf([noAttributes, { user: "ann" }]),
        resource: oneOf([noAttributes, { "host.name": "n1" }]),
      }),
    ),
    metrics: times(3, () => metric(oneOf(metrics.slice(0, 3)), Math.floor(second / 10) * 10, below(50))).concat(
      second % 10 === 0
        ? [{ ...metric(metrics[3] ?? series, second, 60), count: 5, spread: LatencySketch.decode(spread.encode()) }]
        : [],
    ),
    senders: new Map([[`proxy-${below(5)}`, second]]),
  };
}

/** Numbers of rows are each database's own. */
function withoutNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNumbers);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (value === null || typeof value !== "object") {
    return typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value;
  }
  const entries = Object.entries(value).filter(([key, each]) => key !== "id" || typeof each !== "number");
  return Object.fromEntries(entries.map(([key, each]) => [key, withoutNumbers(each)]));
}

const workload = (app: string): WorkloadView => ({
  ...{ namespace: "default", name: `${app}-v1`, app, version: "v1", serviceAccount: "", labels: {} },
  ...{ services: [], endpoints: [], mtls: [] },
});

type Ask = (queries: Queries) => Promise<unknown>;

/** Each function of the read models, asked in several ways. */
function questions(now: number): { [K in keyof Queries]: Record<string, Ask> } {
  const at = (now - 200) * 1000;
  const windows = [7, 60, 300, 900, 3600, 7200];
  const each = (ask: (queries: Queries, window: number) => Promise<unknown>): Record<string, Ask> =>
    Object.fromEntries(windows.map((window) => [`${window} s`, (queries: Queries) => ask(queries, window)]));
  const range = { fromMs: (now - 1500) * 1000, toMs: now * 1000, limit: 500 };
  const asks = <Q>(ask: (queries: Queries, query: Q) => Promise<unknown>, list: Q[]): Record<string, Ask> =>
    Object.fromEntries(list.map((query) => [JSON.stringify(query), (queries: Queries) => ask(queries, query)]));
  const page = { namespace: "default", app: "page" };
  return {
    graph: { ...each((q, window) => q.graph({ window })), replayed: (q) => q.graph({ window: 60, at }) },
    serviceMetrics: each((q, window) => q.serviceMetrics({ namespace: "default", name: host("reviews"), window })),
    serviceList: each((q, window) => q.serviceList({ window })),
    outbound: each((q, window) => q.outbound({ namespace: "default", app: "page", window })),
    metricCatalog: { now: (q) => q.metricCatalog() },
    liveHosts: { now: (q) => q.liveHosts() },
    saturation: { now: (q) => q.saturation({}) },
    metricGroups: each((q, window) => q.metricGroups({ name: "latency", by: ["service"], window })),
    workloadList: each((q, window) => q.workloadList({ window, workloads: [workload("page"), workload("reviews")] })),
    workloadMetrics: each((q, window) => q.workloadMetrics({ window, workload: workload("reviews") })),
    overview: { now: (q) => q.overview() },
    latencyHeatmap: {
      ...each((q, window) => q.latencyHeatmap({ window })),
      service: (q) => q.latencyHeatmap({ window: 900, service: host("ratings") }),
      peers: (q) => q.latencyHeatmap({ window: 900, source: page }),
    },
    freshAt: { now: (q) => q.freshAt() },
    freshness: { now: (q) => q.freshness() },
    logs: asks(
      (q, query) => q.logs({ ...range, ...query }),
      [
        {},
        { limit: 3 },
        { service: host("reviews") },
        { source: page },
        { destination: { ...page, version: "v1" } },
        { direction: "inbound" as const },
        { direction: "gateway" as const, errorsOnly: true },
        { codeFrom: 400, codeTo: 499 },
        { flag: "URX" },
        { flag: "NOPE" },
        { path: "100%" },
        { path: "代" },
        { path: "\0byte" },
        { path: "\t" },
        { method: "POST", minDurationMs: 50.5 },
        { maxDurationMs: 10.25 },
        { traceId: traceIdOf(7).toUpperCase() },
        { errorsOnly: true },
        { before: { atMs: (now - 300) * 1000, id: 1 } },
      ],
    ),
    recordedCalls: each((q, window) =>
      q.recordedCalls({ window, destinations: ({ destination }) => destination.app === "reviews" }),
    ),
    lines: each((q, window) => q.lines({ window, of: [{ details: "via" }, { details: "delay", errorsOnly: true }] })),
    turnedAway: each((q, window) => q.turnedAway({ window })),
    mutualTlsTrend: each((q, window) => q.mutualTlsTrend({ window, namespace: "default" })),
    edgeCounts: each((q, window) => q.edgeCounts({ window })),
    followLogs: {
      new: async (q) => {
        const ended = AbortSignal.abort();
        const rows: unknown[] = [];
        for await (const some of q.followLogs({}, ended)) rows.push(...some);
        return rows;
      },
    },
    traces: asks<Partial<TraceQuery>>(
      (q, query) => q.traces({ ...range, ...query }),
      [
        {},
        { limit: 5 },
        { service: "reviews" },
        { service: "ratings", operation: "SELECT" },
        { operation: "GET /" },
        { operation: "GET" },
        { minDurationMs: 80.2 },
        { maxDurationMs: 5.5 },
        { errorsOnly: true },
        { tags: { user: "ann" } },
        { tags: { user: "ann", "http.status_code": "500" } },
        { tags: { "host.name": "n2" }, limit: 4 },
        { tags: { nothing: "x" } },
        { service: "page", tags: { user: "bob" }, errorsOnly: true },
      ],
    ),
    trace: asks((q, id) => q.trace(id), [traceIdOf(3), traceIdOf(44).toUpperCase(), traceIdOf(9999), "zz", ""]),
    operations: { all: (q) => q.operations() },
    applicationLogs: asks(
      (q, query) => q.applicationLogs({ ...range, ...query }),
      [
        {},
        { limit: 3 },
        { service: "reviews" },
        { minSeverity: 13 },
        { text: "0% b" },
        { text: "\0" },
        { text: "\n" },
        { traceId: traceIdOf(3) },
      ],
    ),
    followApplicationLogs: {
      new: async (q) => {
        const rows: unknown[] = [];
        for await (const some of q.followApplicationLogs({}, AbortSignal.abort())) rows.push(...some);
        return rows;
      },
    },
    metricSeries: asks(
      (q, query) => q.metricSeries({ limit: 100, ...query }),
      [{}, { name: "latency" }, { service: "shop", limit: 2 }, { instance: "none" }],
    ),
    metrics: each(async (q, window) => {
      const ids = (await q.metricSeries({ limit: 100 })).map(({ id }) => id);
      return q.metrics({ series: ids, window });
    }),
  } satisfies { [K in keyof Queries]: Record<string, Ask> };
}

interface Side {
  store: TelemetryStore;
  reader: TelemetryReader;
}

describe.skipIf(binaries === undefined)("SQLite and PostgreSQL with the same records", () => {
  let server: PostgresServer;
  let remove: () => Promise<void>;
  let sqlite: Side;
  let postgres: Side;
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "");
    const file = await temporaryDatabase();
    remove = file.remove;
    const url = await server.database("equivalence");
    sqlite = { store: await openSqliteTelemetryStore(file), reader: await openSqliteTelemetryReader(file) };
    postgres = { store: await openPostgresTelemetryStore({ url }), reader: await openPostgresTelemetryReader({ url }) };
  });
  afterAll(async () => {
    for (const { store, reader } of [sqlite, postgres]) {
      await reader.close();
      await store.close();
    }
    await remove();
    await server.stop();
  });

  /** From `from` on, a batch for each second and a compaction for each half minute; other retention, other caps. */
  async function live(from: number, seconds: number, clock: ManualClock, changes: Partial<Retention>): Promise<void> {
    const retention = { ...defaultRetention, ...changes };
    for (let second = from; second < from + seconds; second++) {
      await clock.advance(1000);
      const settledUntilMs = (second - lateSec) * 1000;
      const collector = {
        startedAtMs: t0 * 1000,
        flushedAtMs: clock.now(),
        completeUntilMs: (second + 1) * 1000,
        settledUntilMs,
        freshAtMs: second * 1000,
      };
      const written = batch({ ...recordsOf(second), collector });
      const pass = { nowMs: clock.now(), settledUntilMs, retention };
      for (const { store } of [sqlite, postgres]) {
        await store.write(written);
        if (second % 30 === 0) while ((await store.compact(pass)).more);
      }
    }
  }

  it("answer every query alike, fresh, folded, thinned and past the retention", async () => {
    const clock = new ManualClock(t0 * 1000);
    const asked = { sqlite: createQueries({ ...sqlite, clock }), postgres: createQueries({ ...postgres, clock }) };
    const compare = async () => {
      for (const [name, asks] of Object.entries(questions(clock.now() / 1000))) {
        for (const [how, ask] of Object.entries(asks)) {
          const [expected, given] = await Promise.all([ask(asked.sqlite), ask(asked.postgres)]);
          expect(withoutNumbers(given), `${name} ${how}`).toEqual(withoutNumbers(expected));
        }
      }
      expect(await postgres.store.senders()).toEqual(await sqlite.store.senders());
    };
    await live(t0, 40, clock, {});
    await compare();
    await live(t0 + 40, 90, clock, {});
    await compare();
    // Quarters of a minute instead of days: what is old goes, also of traces that go on.
    await live(t0 + 130, 150, clock, { samplesSec: 120, spansSec: 90, logsSec: 60, maxLogs: 50 });
    await compare();
    const ended = new AbortController();
    const seen: LogRow[][] = [[], []];
    const followed = [asked.sqlite, asked.postgres].map(async (queries, i) => {
      for await (const some of queries.followLogs({}, ended.signal)) seen[i]?.push(...some);
    });
    // Both have asked from where they go on, and wait.
    while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    await live(t0 + 280, 5, clock, {});
    while (seen[0]?.length === 0 || seen[0]?.length !== seen[1]?.length) await clock.advance(500);
    ended.abort();
    await Promise.all(followed);
    expect(withoutNumbers(seen[1])).toEqual(withoutNumbers(seen[0]));
    expect((await asked.sqlite.logs({ fromMs: 0, toMs: clock.now(), limit: 1000 })).length).toBeGreaterThan(100);
  }, 600_000);
});
