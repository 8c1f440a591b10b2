import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AccessLogType } from "../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { AccessLogService, StreamAccessLogsMessageSchema } from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { StatusSchema } from "../gen/proto/google/rpc/status_pb.js";
import {
  ExportTraceServiceRequestSchema,
  TraceService,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { acknowledgesKey, decodeAcknowledgement, formatLogBatches, logBatchesKey } from "../wire/log-batches.ts";
import { defaultRetention } from "../wire/retention.ts";
import { type Collector, createCollector } from "./collector.ts";
import { defaultSampling } from "./sampling-settings.ts";
import { noSpanDetail } from "./span.ts";

const domain = "default.svc.cluster.local";
const traceId = "0af7651916cd43dd8448eb211c80319c";

let store: MemoryTelemetryStore;
let collector: Collector;
beforeEach(async () => {
  store = new MemoryTelemetryStore();
  collector = createCollector({
    store,
    grpcPort: 0,
    httpPort: 0,
    logger: silentLogger,
    limits: { maxBodyBytes: 4096 },
  });
  await collector.start();
});
afterEach(() => collector.stop());

const url = (path: string) => `http://${collector.addresses().http}${path}`;

type AlsMessage = Exclude<MessageInitShape<typeof StreamAccessLogsMessageSchema>, { $typeName: string }>;

/** Sends the messages on one stream and ends it; resolves with the error, if any. */
async function stream(...messages: AlsMessage[]): Promise<ServiceError | null> {
  const client = makeClient(AccessLogService, collector.addresses().grpc);
  try {
    return await new Promise((resolve) => {
      const call = client.streamAccessLogs(new Metadata(), {}, (error) => resolve(error));
      call.on("error", () => {});
      for (const message of messages) call.write(create(StreamAccessLogsMessageSchema, message));
      call.end();
    });
  } finally {
    client.close();
  }
}

const identifier = (logName: string) => ({
  logName,
  node: { id: `sidecar~127.0.1.2~productpage-v1.default~${domain}`, cluster: "productpage.default" },
});

const entries = (count: number): AlsMessage => ({
  logEntries: {
    case: "httpLogs",
    value: {
      logEntry: Array.from({ length: count }, () => ({
        commonProperties: {
          startTime: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
          upstreamCluster: `outbound|9080|v1|reviews.${domain}`,
        },
        response: { responseCode: 200 },
      })),
    },
  },
});

const counted = async () => {
  const rows = await store.rollups({ fromMs: 0, toMs: Date.now() + 60_000, stepSec: 1 });
  return rows.reduce((sum, row) => sum + row.count, 0);
};

describe("access logs over gRPC", () => {
  it("are counted for the node that the stream's first message names", async () => {
    expect(await stream({ identifier: identifier("limpid.outbound"), ...entries(2) }, entries(3))).toBeNull();
    await collector.stop();
    expect(await counted()).toBe(5);
    const [row] = await store.rollups({ fromMs: 0, toMs: Date.now() + 60_000, stepSec: 1 });
    expect(row?.edge).toMatchObject({
      reporter: "source",
      source: { app: "productpage" },
      destination: { app: "reviews" },
    });
    expect(collector.stats()).toMatchObject({ httpRecords: 5, ignoredEntries: 0, streams: 0, flushes: 1 });
  });

  describe("of a sender that numbers its messages", () => {
    const sender = "0123456789abcdef".repeat(2);
    /** Opens a stream whose first message has the number `first`; `acknowledged` resolves once the message of a number is said to be written. */
    const open = (first: number) => {
      const metadata = new Metadata();
      metadata.set(logBatchesKey, formatLogBatches({ sender, first }));
      const client = new Client(collector.addresses().grpc, credentials.createInsecure());
      const path = `/${AccessLogService.typeName}/StreamAccessLogs`;
      const asIs = (bytes: Buffer) => bytes;
      const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs, metadata);
      let written = 0;
      call.on("data", (bytes: Buffer) => {
        written = decodeAcknowledgement(bytes) ?? written;
      });
      const offered = once(call, "metadata").then(([offer]: Metadata[]) => offer?.get(acknowledgesKey));
      call.on("error", () => {});
      return {
        offered,
        send: (message: AlsMessage) =>
          call.write(
            Buffer.from(toBinary(StreamAccessLogsMessageSchema, create(StreamAccessLogsMessageSchema, message))),
          ),
        acknowledged: (number: number) => vi.waitFor(() => expect(written).toBe(number), { timeout: 20_000 }),
        close: () => client.close(),
      };
    };
    const named = { identifier: identifier("limpid.outbound") };

    it("what is acknowledged is in the store", async () => {
      const stream = open(1);
      expect(await stream.offered).toEqual(["1"]);
      stream.send({ ...named, ...entries(2) });
      stream.send(entries(3));
      await stream.acknowledged(2);
      expect(await counted()).toBe(5);
      stream.close();
    });

    it("what is sent again counts once, by the same collector and by its successor", async () => {
      const first = open(1);
      first.send({ ...named, ...entries(2) });
      first.send(entries(3));
      await first.acknowledged(2);
      first.close();
      const again = open(2);
      again.send({ ...named, ...entries(3) });
      again.send(entries(4));
      await again.acknowledged(3);
      expect(await counted()).toBe(9);
      again.close();
      await collector.stop();
      collector = createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger });
      await collector.start();
      const later = open(3);
      later.send({ ...named, ...entries(4) });
      later.send(entries(5));
      await later.acknowledged(4);
      expect(await counted()).toBe(14);
      later.close();
    });

    it("one that is refused is not refused again, or its sender would have to keep it for ever", async () => {
      const broken = Buffer.from([0x12, 0x7f, 0]);
      const metadata = new Metadata();
      metadata.set(logBatchesKey, formatLogBatches({ sender, first: 1 }));
      const client = makeClient(AccessLogService, collector.addresses().grpc);
      const path = `/${AccessLogService.typeName}/StreamAccessLogs`;
      const asIs = (bytes: Buffer) => bytes;
      const sent = () =>
        new Promise<number>((resolve) => {
          const call = client.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs, metadata);
          call.on("data", () => {});
          call.on("error", () => {});
          call.on("status", ({ code }) => resolve(code));
          call.write(broken);
          call.end();
        });
      expect([await sent(), await sent()]).toEqual([status.INVALID_ARGUMENT, status.OK]);
      client.close();
    });

    it("a name that is none is refused", async () => {
      const metadata = new Metadata();
      metadata.set(logBatchesKey, "me 1");
      const client = makeClient(AccessLogService, collector.addresses().grpc);
      const error = await new Promise<ServiceError | null>((resolve) => {
        client.streamAccessLogs(metadata, {}, (error) => resolve(error)).on("error", () => {});
      });
      expect(error?.code).toBe(status.INVALID_ARGUMENT);
      client.close();
    });
  });

  it("of another log name count all the same", async () => {
    expect(await stream({ identifier: identifier("somebody.else"), ...entries(2) })).toBeNull();
    expect(collector.stats()).toMatchObject({ httpRecords: 2, ignoredEntries: 0 });
  });

  it("that count for nothing are said to be ignored, and whose they are", async () => {
    const begun = entries(2);
    for (const entry of begun.logEntries?.value?.logEntry ?? []) {
      Object.assign(entry.commonProperties ?? {}, { accessLogType: AccessLogType.DownstreamStart });
    }
    expect(await stream({ identifier: identifier("mine"), ...begun })).toBeNull();
    const { ignored } = await collector.health();
    expect(ignored).toMatchObject({ entries: 2, logs: [{ logName: "mine", because: "not an end", entries: 2 }] });
    expect(ignored.logs[0]?.proxy).toContain("productpage-v1");
  });

  it("are answered when they are in the store, and not before", async () => {
    expect(await stream({ identifier: identifier("limpid.outbound"), ...entries(3) })).toBeNull();
    expect(await counted()).toBe(3);
  });

  it("without an identifier are refused", async () => {
    expect(await stream(entries(1))).toMatchObject({ code: 3, details: expect.stringContaining("identifier") });
    expect(collector.stats().streams).toBe(0);
  });
});

const exportRequest = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "reviews.default" } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId,
              spanId: "b7ad6b7169203331",
              name: "ingress",
              kind: 2,
              startTimeUnixNano: "1767225600000000000",
              endTimeUnixNano: "1767225600012000000",
              attributes: [{ key: "http.status_code", value: { stringValue: "200" } }],
              aFieldOfTheFuture: 1,
            },
          ],
        },
      ],
    },
  ],
};

/** The same in protobuf, whose ids are bytes. */
const binaryRequest = () =>
  create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "reviews.default" } } }],
        },
        scopeSpans: [
          {
            spans: [
              {
                traceId: Buffer.from(traceId, "hex"),
                spanId: Buffer.from("b7ad6b7169203331", "hex"),
                name: "ingress",
                kind: 2,
                startTimeUnixNano: 1767225600000000000n,
                endTimeUnixNano: 1767225600012000000n,
                attributes: [{ key: "http.status_code", value: { value: { case: "stringValue", value: "200" } } }],
              },
              { name: "without ids" },
            ],
          },
        ],
      },
    ],
  });

const stored = {
  traceId,
  spanId: "b7ad6b7169203331",
  parentSpanId: "",
  service: "reviews.default",
  name: "ingress",
  kind: 2,
  startUs: 1767225600000000,
  durationUs: 12_000,
  error: false,
  attributes: { "http.status_code": "200" },
  resource: { "service.name": "reviews.default" },
  ...noSpanDetail,
};

describe("spans", () => {
  it("come over gRPC", async () => {
    const client = makeClient(TraceService, collector.addresses().grpc);
    const response = await new Promise((resolve, reject) => {
      client.export(binaryRequest(), new Metadata(), {}, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
    client.close();
    expect(response).toMatchObject({ partialSuccess: { rejectedSpans: 1n } });
    await collector.stop();
    expect(await store.trace(traceId)).toEqual([stored]);
  });

  it.each([
    [
      "protobuf",
      "application/x-protobuf",
      () => Buffer.from(toBinary(ExportTraceServiceRequestSchema, binaryRequest())),
    ],
    ["JSON, with its ids in hex", "application/json; charset=utf-8", () => Buffer.from(JSON.stringify(exportRequest))],
  ])("come over HTTP as %s, plain and gzipped", async (_, type, body) => {
    for (const [encoding, bytes] of [["identity", body()] as const, ["gzip", gzipSync(body())] as const]) {
      const headers = { "content-type": type, "content-encoding": encoding };
      const response = await fetch(url("/v1/traces"), { method: "POST", headers, body: bytes });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe(type.split(";")[0]);
    }
    await collector.stop();
    expect(await store.trace(traceId)).toEqual([stored]);
  });

  it.each([
    [415, "text/plain", "identity", Buffer.from("{}")],
    [415, "application/json", "br", Buffer.from("{}")],
    [400, "application/json", "identity", Buffer.from("{")],
    [400, "application/json", "identity", Buffer.from('{"resourceSpans": 7}')],
    [400, "application/x-protobuf", "identity", Buffer.from([0xff, 0xff])],
    [400, "application/json", "gzip", Buffer.from("not gzip")],
    [413, "application/json", "identity", Buffer.alloc(5000)],
    [413, "application/json", "gzip", gzipSync(Buffer.alloc(100_000))],
  ])("are refused with %i: %s, %s", async (status, type, encoding, body) => {
    const headers = { "content-type": type, "content-encoding": encoding };
    const response = await fetch(url("/v1/traces"), { method: "POST", headers, body });
    expect(response.status).toBe(status);
    // https://opentelemetry.io/docs/specs/otlp/#failures: a google.rpc.Status, encoded as the request.
    const failure =
      type === "application/x-protobuf"
        ? fromBinary(StatusSchema, Buffer.from(await response.arrayBuffer()))
        : await response.json();
    expect(failure).toMatchObject({ code: status === 413 ? 8 : 3, message: expect.stringMatching(/\w/) });
    expect(collector.stats().spans).toBe(0);
  });
});

describe("what is more than the collector can hold", () => {
  it("is told in a partial success", async () => {
    await collector.stop();
    store = new MemoryTelemetryStore();
    const limits = { maxWaitingSpans: 3, maxWaitingLogs: 1, retention: { ...defaultRetention, maxSeries: 1 } };
    collector = createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger, limits });
    await collector.start();
    const post = async (path: string, body: object) => {
      const headers = { "content-type": "application/json", "content-encoding": "GZIP" };
      const response = await fetch(url(path), { method: "POST", headers, body: gzipSync(JSON.stringify(body)) });
      return response.json();
    };
    const spans = Array.from({ length: 10 }, (_, i) => ({ traceId, spanId: `${i}`.padStart(16, "1") }));
    expect(await post("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] })).toMatchObject({
      partialSuccess: { rejectedSpans: "7", errorMessage: expect.stringContaining("7 more than") },
    });
    const logRecords = [{ body: { stringValue: "a\nb" } }, { body: { stringValue: "c" } }];
    expect(await post("/v1/logs", { resourceLogs: [{ scopeLogs: [{ logRecords }] }] })).toMatchObject({
      partialSuccess: { rejectedLogRecords: "1" },
    });
    const metrics = ["a", "b"].map((name) => ({ name, gauge: { dataPoints: [{ asInt: "1" }] } }));
    expect(await post("/v1/metrics", { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })).toMatchObject({
      partialSuccess: { rejectedDataPoints: "1" },
    });
    const { shed, ok } = await collector.health();
    expect([ok, shed]).toEqual([true, { samples: 0, spans: 7, logs: 1, metricPoints: 1 }]);
  });
});

it("an attribute that is a bare 2⁶³−1 loses nothing", async () => {
  const [resource] = structuredClone(exportRequest.resourceSpans);
  const text = JSON.stringify({ resourceSpans: [resource] }).replace(
    '{"stringValue":"200"}',
    '{"intValue":9223372036854775807}',
  );
  const headers = { "content-type": "application/json" };
  expect((await fetch(url("/v1/traces"), { method: "POST", headers, body: text })).status).toBe(200);
  await collector.stop();
  expect((await store.trace(traceId))[0]?.attributes).toEqual({ "http.status_code": "9223372036854775807" });
});

it("Zipkin's spans come in at the HTTP port too", async () => {
  const body = JSON.stringify([
    { traceId, id: "1", name: "x", localEndpoint: { serviceName: "s" }, timestamp: Date.now() * 1000 },
  ]);
  const headers = { "content-type": "application/json" };
  expect((await fetch(url("/api/v2/spans"), { method: "POST", headers, body })).status).toBe(202);
  await collector.stop();
  expect(await store.trace(traceId)).toMatchObject([{ service: "s", name: "x" }]);
});

it("says that it can't write while it can't, and what it failed at", async () => {
  const write = store.write;
  store.write = () => Promise.reject(new Error("disk full"));
  // No traffic: the question itself finds out.
  const failed = await fetch(url("/healthz"));
  expect(failed.status).toBe(503);
  expect(await failed.json()).toMatchObject({ ok: false, message: "disk full" });
  expect((await fetch(url("/livez"))).status).toBe(200);
  store.write = write;
  while (!(await collector.health()).ok) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await fetch(url("/readyz"))).status).toBe(200);
});

describe("the collector", () => {
  it("tells of its health and its counters", async () => {
    const healthz = await fetch(url("/healthz"));
    expect(healthz.status).toBe(200);
    expect(await healthz.json()).toMatchObject({
      ok: true,
      storeReplaced: null,
      failedFlushes: 0,
      ignored: { entries: 0 },
    });
    await stream({ identifier: identifier("limpid.inbound"), ...entries(2) });
    const text = await (await fetch(url("/metrics"))).text();
    expect(text).toContain(
      "# TYPE limpid_collector_http_records_total counter\nlimpid_collector_http_records_total 2\n",
    );
    expect(text).not.toContain("NaN");
    const nothing = await fetch(url("/nothing"), { method: "POST" });
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({ message: expect.stringContaining("POST /v1/traces") });
    expect((await fetch(url("/metrics"), { method: "DELETE" })).status).toBe(405);
    expect((await fetch(url("/v1/traces"))).status).toBe(405);
  });

  it("tells that its store was begun anew, and is well", async () => {
    await collector.stop();
    const storeReplaced = { atMs: 1, why: "it was deleted" };
    const options = { store, storeReplaced: () => storeReplaced, grpcPort: 0, httpPort: 0, logger: silentLogger };
    collector = createCollector(options);
    await collector.start();
    const healthz = await fetch(url("/healthz"));
    expect(healthz.status).toBe(200);
    expect(await healthz.json()).toMatchObject({ ok: true, storeReplaced });
  });

  it("fails to start on a port that is taken, and then holds none", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    for (const ports of [
      { grpcPort: 0, httpPort: port },
      { grpcPort: port, httpPort: 0 },
    ]) {
      const second = createCollector({ store, ...ports, logger: silentLogger });
      await expect(second.start()).rejects.toThrow(/EADDRINUSE|address/i);
      expect(() => second.addresses()).toThrow();
    }
    taken.close();
  });

  it("stops under open streams", async () => {
    const client = makeClient(AccessLogService, collector.addresses().grpc);
    const call = client.streamAccessLogs(new Metadata(), {}, () => {});
    call.on("error", () => {});
    call.write(create(StreamAccessLogsMessageSchema, { identifier: identifier("limpid.outbound"), ...entries(4) }));
    while (collector.stats().httpRecords < 4) await new Promise((resolve) => setImmediate(resolve));
    await collector.stop();
    client.close();
    expect(await counted()).toBe(4);
  });
});

it.each<[string, Record<string, string>, number, number]>([
  ["another host's name", { host: "evil.example" }, 403, 415],
  ["a name that looks like an address", { host: "127.evil.example" }, 403, 415],
  ["the name of a proxy's cluster", { host: "limpid-collector" }, 403, 415],
  ["a page's origin", { origin: "http://evil.example" }, 403, 403],
  ["a page whose name was pointed here", { host: "evil.example", origin: "http://evil.example" }, 403, 403],
  ["localhost", { host: "localhost:4318" }, 200, 415],
])("HTTP, asked with %s", async (_, headers, read, written) => {
  const status = (method: string, path: string) =>
    new Promise((resolve, reject) => {
      request(url(path), { method, headers }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
  expect(await status("GET", "/metrics")).toBe(read);
  // Past the guard, a body without a type is told what types there are.
  expect(await status("POST", "/v1/traces")).toBe(written);
});

it("holds traces until they are decided, and says what it left out", async () => {
  const sampled = createCollector({
    store,
    grpcPort: 0,
    httpPort: 0,
    logger: silentLogger,
    sampling: { ...defaultSampling, share: 0, slowest: 0 },
  });
  await sampled.start();
  const failed = { traceId, id: "1", name: "a", timestamp: 1, tags: { error: "no" } };
  const well = { traceId: "b".repeat(32), id: "2", name: "a", timestamp: 1 };
  const headers = { "content-type": "application/json" };
  const posted = { method: "POST", headers, body: JSON.stringify([failed, well]) };
  const at = (path: string) => `http://${sampled.addresses().http}${path}`;
  expect((await fetch(at("/api/v2/spans"), posted)).status).toBe(202);
  expect(await (await fetch(at("/healthz"))).json()).toMatchObject({ sampling: { heldTraces: 2, heldSpans: 2 } });
  expect(await (await fetch(at("/metrics"))).text()).toContain("limpid_collector_sampling_held_traces 2");
  await sampled.stop();
  expect(sampled.stats().spans).toBe(2);
  expect(await store.trace(traceId)).toHaveLength(1);
  expect(await store.trace(well.traceId)).toEqual([]);
  expect(await sampled.health()).toMatchObject({ sampling: { keptErrors: 1, droppedTraces: 1, droppedSpans: 1 } });
});
