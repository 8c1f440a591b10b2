import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { StatusSchema } from "../../gen/proto/google/rpc/status_pb.js";
import {
  ExportLogsServiceResponseSchema,
  LogsService,
} from "../../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import {
  ExportMetricsServiceResponseSchema,
  MetricsService,
} from "../../gen/proto/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js";
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
  TraceService,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import {
  LogRecordSchema,
  ResourceLogsSchema,
  ScopeLogsSchema,
} from "../../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import {
  GaugeSchema,
  MetricSchema,
  NumberDataPointSchema,
  ResourceMetricsSchema,
  ScopeMetricsSchema,
} from "../../gen/proto/opentelemetry/proto/metrics/v1/metrics_pb.js";
import { ResourceSchema } from "../../gen/proto/opentelemetry/proto/resource/v1/resource_pb.js";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { addService } from "../../lib/grpc.ts";
import { silentLogger } from "../../lib/logger.ts";
import { MemoryTelemetryStore } from "../../store/telemetry/memory-store.ts";
import { stringAttribute } from "../attributes.ts";
import { type Collector, createCollector } from "../collector.ts";
import { defaultSampling } from "../sampling-settings.ts";
import { createExporter, type Exporter } from "./exporter.ts";
import { type ExportSettings, parseExport } from "./settings.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function collector(options: Partial<Parameters<typeof createCollector>[0]> = {}) {
  const store = new MemoryTelemetryStore();
  const running = createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger, ...options });
  await running.start();
  cleanUps.push(() => running.stop());
  return { store, running };
}

const exportTo = (endpoint: string, more: Record<string, string> = {}): ExportSettings =>
  parseExport({
    LIMPID_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...Object.fromEntries(Object.entries(more).map(([name, value]) => [`LIMPID_EXPORTER_OTLP_${name}`, value])),
  });

const hexOf = (n: number, length: number) => n.toString(16).padStart(length, "0");
const traceOf = (n: number) => hexOf(n + 1, 32);

/** OTLP/JSON of some spans, one a trace; what a store of rows would not keep is in it, too. */
const tracesJson = (count: number, more: object = {}) => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }], droppedAttributesCount: 3 },
      schemaUrl: "https://opentelemetry.io/schemas/1.30.0",
      scopeSpans: [
        {
          scope: { name: "lib", version: "1", attributes: [{ key: "a", value: { intValue: "1" } }] },
          spans: Array.from({ length: count }, (_, n) => ({
            traceId: traceOf(n),
            spanId: hexOf(n + 1, 16),
            name: "buy",
            startTimeUnixNano: "1767225600000000123",
            endTimeUnixNano: "1767225600000001456",
            ...more,
          })),
        },
      ],
    },
  ],
});
const logsJson = (count: number) => ({
  resourceLogs: [
    { scopeLogs: [{ logRecords: Array.from({ length: count }, (_, n) => ({ body: { stringValue: `line ${n}` } })) }] },
  ],
});
const metricsJson = (count: number) => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: Array.from({ length: count }, (_, n) => ({
            name: `m${n}`,
            gauge: { dataPoints: [{ timeUnixNano: String(BigInt(Date.now()) * 1_000_000n), asDouble: n }] },
          })),
        },
      ],
    },
  ],
});

async function post(to: Collector, path: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://${to.addresses().http}${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
}

const soon = { timeout: 15_000 };

describe.each(["grpc", "http/protobuf"])("over %s", (protocol) => {
  const addressOf = ({ running }: { running: Collector }) =>
    `http://${protocol === "grpc" ? running.addresses().grpc : running.addresses().http}`;

  it("passes traces, metrics, logs and Zipkin's spans on to another collector, all of them", async () => {
    const backend = await collector();
    const front = await collector({ exporting: exportTo(addressOf(backend), { PROTOCOL: protocol }) });
    await post(front.running, "/v1/traces", tracesJson(120));
    await post(front.running, "/v1/logs", logsJson(70));
    await post(front.running, "/v1/metrics", metricsJson(30));
    const zipkin = { traceId: "c".repeat(32), id: "9", name: "old", timestamp: 1, localEndpoint: { serviceName: "z" } };
    await post(front.running, "/api/v2/spans", [{ ...zipkin, tags: { error: "x" } }]);
    await expect.poll(() => backend.running.stats(), soon).toMatchObject({ spans: 121, logs: 70, metricPoints: 30 });
    await expect
      .poll(() => backend.store.trace("c".repeat(32)), soon)
      .toMatchObject([{ service: "z", name: "old", error: true }]);
    await expect
      .poll(async () => (await front.running.health()).exports, soon)
      .toEqual([
        expect.objectContaining({ signal: "traces", sent: 121, dropped: 0, refused: 0, waiting: 0, lastError: "" }),
        expect.objectContaining({ signal: "metrics", sent: 30, dropped: 0, refused: 0, waiting: 0 }),
        expect.objectContaining({ signal: "logs", sent: 70, dropped: 0, refused: 0, waiting: 0 }),
      ]);
    const metrics = await (await fetch(`http://${front.running.addresses().http}/metrics`)).text();
    expect(metrics).toContain('limpid_collector_exported_total{signal="traces"} 121');
  });

  it("keeps what it can't deliver, and delivers it when the backend is there again", async () => {
    const gone = await collector();
    const { grpc, http } = gone.running.addresses();
    const [grpcPort, httpPort] = [grpc, http].map((address) => Number(address.split(":")[1]));
    const settings = exportTo(addressOf(gone), { PROTOCOL: protocol });
    await gone.running.stop();
    const front = await collector({ exporting: settings });
    await post(front.running, "/v1/traces", tracesJson(40));
    const traces = async () => (await front.running.health()).exports[0];
    await expect.poll(traces, soon).toMatchObject({ sent: 0, waiting: 40, retries: expect.any(Number) });
    await expect.poll(async () => (await traces())?.lastError, soon).not.toBe("");
    const back = await collector({
      ...(grpcPort !== undefined && { grpcPort }),
      ...(httpPort !== undefined && { httpPort }),
    });
    await expect.poll(traces, soon).toMatchObject({ sent: 40, waiting: 0, lastError: "" });
    expect(back.running.stats().spans).toBe(40);
  });
});

/** An OTLP/HTTP backend that answers as it is told to. */
async function httpBackend(answer: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, Buffer.concat(chunks), response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where a gRPC backend is, from now on. */
async function urlOf(server: Server): Promise<string> {
  const port = await new Promise<number>((resolve, reject) => {
    const insecure = ServerCredentials.createInsecure();
    server.bindAsync("127.0.0.1:0", insecure, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  cleanUps.push(() => server.forceShutdown());
  return `http://127.0.0.1:${port}`;
}

function exporterTo(settings: ExportSettings, limits = {}, clock = systemClock): Exporter {
  const exporter = createExporter({ settings, clock, logger: silentLogger, limits: { lingerMs: 1, ...limits } });
  cleanUps.push(() => exporter.stop());
  return exporter;
}

it("sends gzip with its headers, and spans as they came in", async () => {
  const seen: { headers: IncomingMessage["headers"]; url: string | undefined; body: Buffer }[] = [];
  const url = await httpBackend((request, body, response) => {
    seen.push({ headers: request.headers, url: request.url, body });
    response.end();
  });
  const settings = exportTo(url, { PROTOCOL: "http/protobuf", HEADERS: "authorization=Bearer%20s3cret" });
  const front = await collector({ exporting: settings });
  await post(front.running, "/v1/traces", tracesJson(2, { flags: 257, droppedEventsCount: 7 }));
  await expect.poll(() => seen.length, soon).toBe(1);
  const [request] = seen;
  expect(request?.url).toBe("/v1/traces");
  expect(request?.headers).toMatchObject({
    authorization: "Bearer s3cret",
    "content-encoding": "gzip",
    "content-type": "application/x-protobuf",
  });
  const [resource] = fromBinary(ExportTraceServiceRequestSchema, gunzipSync(request?.body ?? "")).resourceSpans;
  expect(resource).toMatchObject({ schemaUrl: "https://opentelemetry.io/schemas/1.30.0" });
  expect(resource?.resource?.droppedAttributesCount).toBe(3);
  expect(resource?.scopeSpans[0]?.scope?.attributes).toHaveLength(1);
  expect(resource?.scopeSpans[0]?.spans).toMatchObject([
    { startTimeUnixNano: 1767225600000000123n, flags: 257, droppedEventsCount: 7 },
    { endTimeUnixNano: 1767225600000001456n },
  ]);
  expect(JSON.stringify(await front.running.health())).not.toContain("s3cret");
});

it("passes on only the traces that sampling keeps", async () => {
  const backend = await collector();
  const exporting = exportTo(`http://${backend.running.addresses().grpc}`);
  const front = await collector({ exporting, sampling: { ...defaultSampling, share: 0, slowest: 0, waitMs: 100 } });
  const { resourceSpans: fine } = tracesJson(5);
  const { resourceSpans: failed } = tracesJson(2, { status: { code: 2 } });
  await post(front.running, "/v1/traces", { resourceSpans: [...fine, ...failed] });
  await expect
    .poll(() => front.running.health(), soon)
    .toMatchObject({ sampling: { keptErrors: 2, droppedTraces: 3 } });
  await expect.poll(() => backend.running.stats().spans, soon).toBe(4);
});

it("gives up what is refused, waits as it is told, and says why", async () => {
  const answers = [400, 503, 200];
  const url = await httpBackend((_, __, response) => {
    response.writeHead(answers.shift() ?? 200, { "retry-after": "2" }).end();
  });
  const waits: number[] = [];
  const clock: Clock = {
    now: Date.now,
    setTimeout(callback, ms) {
      waits.push(ms);
      return systemClock.setTimeout(callback, Math.min(ms, 10));
    },
  };
  const exporter = exporterTo(exportTo(url, { PROTOCOL: "http/protobuf" }), {}, clock);
  const { spans } = exporter;
  spans?.([recordOf(1)]);
  await expect.poll(() => exporter.stats()[0], soon).toMatchObject({ refused: 1, lastError: "HTTP 400" });
  spans?.([recordOf(2)]);
  await expect.poll(() => exporter.stats()[0], soon).toMatchObject({ sent: 1, refused: 1, retries: 1, lastError: "" });
  expect(waits.some((ms) => ms >= 2000)).toBe(true); // as the answer said; the first wait of its own is a second at the most
});

const recordOf = (n: number) => ({
  traceId: traceOf(n),
  spanId: hexOf(n, 16),
  parentSpanId: "",
  service: "shop",
  name: "buy",
  kind: 2,
  startUs: 1,
  durationUs: 1,
  error: false,
  attributes: { a: 1, b: 1.5, c: "x", d: true, e: ["y", 2] },
  resource: {},
  traceState: "",
  statusMessage: "",
  scope: { name: "", version: "" },
  events: [{ atUs: 2, name: "e", attributes: {} }],
  links: [{ traceId: traceOf(n), spanId: hexOf(n, 16), attributes: {} }],
});

it("holds a bounded number, drops and counts the rest, and what is left at the end", async () => {
  const url = await httpBackend(() => {}); // never answers
  const settings = exportTo(url, { PROTOCOL: "http/protobuf" });
  const exporter = exporterTo(settings, { maxWaiting: 10, drainMs: 200 });
  for (let n = 1; n <= 25; n++) exporter.spans?.([recordOf(n)]);
  expect(exporter.stats()[0]).toMatchObject({ waiting: 10, dropped: 15 });
  await exporter.stop();
  expect(exporter.stats()[0]).toMatchObject({ waiting: 0, dropped: 15, refused: 10, sent: 0 });
});

it("holds a bounded number of bytes, too", async () => {
  const url = await httpBackend(() => {}); // never answers
  const exporter = exporterTo(exportTo(url, { PROTOCOL: "http/protobuf" }), { maxWaitingBytes: 10_000, drainMs: 1 });
  for (let n = 1; n <= 20; n++) exporter.spans?.([{ ...recordOf(n), statusMessage: "x".repeat(1000), error: true }]);
  const { waiting = 0, dropped = 0 } = exporter.stats()[0] ?? {};
  expect(waiting).toBeGreaterThan(5);
  expect(waiting).toBeLessThan(10);
  expect(waiting + dropped).toBe(20);
});

it("asks no backend to take more at once than gRPC servers do by themselves", async () => {
  const server = new Server(); // 4 MiB a message
  const taken = { spans: 0, logs: 0, points: 0 };
  const services = new Set<string | undefined>();
  addService(server, TraceService, {
    export: ({ request }, callback) => {
      for (const { scopeSpans } of request.resourceSpans)
        for (const { spans } of scopeSpans) taken.spans += spans.length;
      callback(null, create(ExportTraceServiceResponseSchema));
    },
  });
  addService(server, LogsService, {
    export: ({ request }, callback) => {
      for (const { resource, scopeLogs } of request.resourceLogs) {
        services.add(stringAttribute(resource?.attributes ?? [], "service.name"));
        for (const { logRecords } of scopeLogs) taken.logs += logRecords.length;
      }
      callback(null, create(ExportLogsServiceResponseSchema));
    },
  });
  addService(server, MetricsService, {
    export: ({ request }, callback) => {
      for (const { scopeMetrics } of request.resourceMetrics) {
        for (const { metrics } of scopeMetrics) taken.points += metrics.length;
      }
      callback(null, create(ExportMetricsServiceResponseSchema));
    },
  });
  const exporter = exporterTo(exportTo(await urlOf(server)));
  const long = "x".repeat(8192);
  const resource = create(ResourceSchema, {
    attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "shop" } } }],
  });
  // Many small ones, which are sent together, and one that is too large by itself.
  for (let n = 1; n <= 600; n++) exporter.spans?.([{ ...recordOf(n), attributes: { long } }]);
  const logRecords = Array.from({ length: 600 }, () =>
    create(LogRecordSchema, { body: { value: { case: "stringValue", value: long } } }),
  );
  exporter.logs?.([create(ResourceLogsSchema, { resource, scopeLogs: [create(ScopeLogsSchema, { logRecords })] })]);
  const metrics = Array.from({ length: 600 }, (_, n) =>
    create(MetricSchema, {
      name: `m${n}`,
      description: long,
      data: { case: "gauge", value: create(GaugeSchema, { dataPoints: [create(NumberDataPointSchema)] }) },
    }),
  );
  exporter.metrics?.([
    create(ResourceMetricsSchema, { resource, scopeMetrics: [create(ScopeMetricsSchema, { metrics })] }),
  ]);
  await expect.poll(() => exporter.stats().map(({ waiting }) => waiting), soon).toEqual([0, 0, 0]);
  expect(exporter.stats()).toMatchObject([
    { sent: 600, refused: 0 },
    { sent: 600, refused: 0 },
    { sent: 600, refused: 0 },
  ]);
  expect(taken).toEqual({ spans: 600, logs: 600, points: 600 });
  expect([...services]).toEqual(["shop"]);
});

it("hears of what a gRPC backend left out, and when it is to try again", async () => {
  const server = new Server();
  let calls = 0;
  addService(server, TraceService, {
    export: ({ request, metadata }, callback) => {
      calls++;
      if (metadata.get("x-tenant")[0] !== "a") return callback({ code: status.UNAUTHENTICATED, details: "who?" });
      if (calls === 1) {
        const trailers = new Metadata();
        // A RetryInfo of 10 ms: field 1, a Duration.
        const retryInfo = new Uint8Array(Buffer.from("0a051080ade204", "hex"));
        const details = [{ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: retryInfo }];
        const bytes = toBinary(StatusSchema, create(StatusSchema, { code: status.RESOURCE_EXHAUSTED, details }));
        trailers.set("grpc-status-details-bin", Buffer.from(bytes));
        return callback({ code: status.RESOURCE_EXHAUSTED, details: "slow down", metadata: trailers });
      }
      const spans = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      const partialSuccess = { rejectedSpans: BigInt(spans.length - 1), errorMessage: "one is enough" };
      callback(null, create(ExportTraceServiceResponseSchema, { partialSuccess }));
    },
  });
  const url = await urlOf(server);
  const exporter = exporterTo(exportTo(url, { HEADERS: "x-tenant=a" }));
  exporter.spans?.([1, 2, 3].map(recordOf));
  await expect
    .poll(() => exporter.stats()[0], soon)
    .toMatchObject({ sent: 1, refused: 2, retries: 1, lastError: "one is enough" });
  const stranger = exporterTo(exportTo(url));
  stranger.spans?.([recordOf(1)]);
  await expect
    .poll(() => stranger.stats()[0], soon)
    .toMatchObject({ sent: 0, refused: 1, retries: 0, lastError: "UNAUTHENTICATED: who?" });
});
