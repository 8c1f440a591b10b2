import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { AccessLogService, StreamAccessLogsMessageSchema } from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { defaultRetention } from "../wire/retention.ts";
import { createCollector } from "./collector.ts";
import { defaultSampling } from "./sampling-settings.ts";
import { entries, identifier, streamLogs } from "./testing/access-log-stream.ts";
import { runningCollector } from "./testing/running-collector.ts";

const running = runningCollector();
const traceId = "0af7651916cd43dd8448eb211c80319c";

describe("what is more than the collector can hold", () => {
  it("is told in a partial success", async () => {
    const limits = { maxWaitingSpans: 3, maxWaitingLogs: 1, retention: { ...defaultRetention, maxSeries: 1 } };
    await running.restart({ limits });
    const post = async (path: string, body: object) => {
      const headers = { "content-type": "application/json", "content-encoding": "GZIP" };
      const response = await fetch(running.url(path), {
        method: "POST",
        headers,
        body: gzipSync(JSON.stringify(body)),
      });
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
    const { shed, ok } = await running.collector.health();
    expect([ok, shed]).toEqual([true, { samples: 0, spans: 7, logs: 1, metricPoints: 1 }]);
  });
});

it("Zipkin's spans come in at the HTTP port too", async () => {
  const body = JSON.stringify([
    { traceId, id: "1", name: "x", localEndpoint: { serviceName: "s" }, timestamp: Date.now() * 1000 },
  ]);
  const headers = { "content-type": "application/json" };
  expect((await fetch(running.url("/api/v2/spans"), { method: "POST", headers, body })).status).toBe(202);
  await running.collector.stop();
  expect(await running.store.trace(traceId)).toMatchObject([{ service: "s", name: "x" }]);
});

it("ends while its database is away, and says what ends with it", async () => {
  const told: unknown[][] = [];
  await running.restart({ logger: { ...silentLogger, error: (...line: unknown[]) => void told.push(line) } });
  const body = JSON.stringify([{ traceId, id: "1", name: "x", timestamp: Date.now() * 1000 }]);
  const headers = { "content-type": "application/json" };
  running.store.write = () => Promise.reject(new Error("connection refused"));
  expect((await fetch(running.url("/api/v2/spans"), { method: "POST", headers, body })).status).toBe(202);
  await running.collector.stop();
  expect(told.at(-1)).toEqual([
    expect.objectContaining({ err: new Error("connection refused") }),
    "the last telemetry can't be written, and ends with this process",
  ]);
});

it("says that it can't write while it can't, and what it failed at", async () => {
  const write = running.store.write;
  running.store.write = () => Promise.reject(new Error("disk full"));
  // No traffic: the question itself finds out.
  const failed = await fetch(running.url("/healthz"));
  expect(failed.status).toBe(503);
  expect(await failed.json()).toMatchObject({ ok: false, message: "disk full" });
  expect((await fetch(running.url("/livez"))).status).toBe(200);
  running.store.write = write;
  while (!(await running.collector.health()).ok) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await fetch(running.url("/readyz"))).status).toBe(200);
});

describe("the collector", () => {
  it("tells of its health and its counters", async () => {
    const healthz = await fetch(running.url("/healthz"));
    expect(healthz.status).toBe(200);
    expect(await healthz.json()).toMatchObject({
      ok: true,
      storeReplaced: null,
      failedFlushes: 0,
      ignored: { entries: 0 },
    });
    await streamLogs(running.collector.addresses().grpc, { identifier: identifier("limpid.inbound"), ...entries(2) });
    const text = await (await fetch(running.url("/metrics"))).text();
    expect(text).toContain(
      "# TYPE limpid_collector_http_records_total counter\nlimpid_collector_http_records_total 2\n",
    );
    expect(text).not.toContain("NaN");
    const nothing = await fetch(running.url("/nothing"), { method: "POST" });
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({ message: expect.stringContaining("POST /v1/traces") });
    expect((await fetch(running.url("/metrics"), { method: "DELETE" })).status).toBe(405);
    expect((await fetch(running.url("/v1/traces"))).status).toBe(405);
  });

  it("tells that its store was begun anew, and is well", async () => {
    const storeReplaced = { atMs: 1, why: "it was deleted" };
    await running.restart({ storeReplaced: () => storeReplaced });
    const healthz = await fetch(running.url("/healthz"));
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
      const second = createCollector({ store: running.store, ...ports, logger: silentLogger });
      await expect(second.start()).rejects.toThrow(/EADDRINUSE|address/i);
      expect(() => second.addresses()).toThrow();
    }
    taken.close();
  });

  it("stops under open streams", async () => {
    const client = makeClient(AccessLogService, running.collector.addresses().grpc);
    const call = client.streamAccessLogs(new Metadata(), {}, () => {});
    call.on("error", () => {});
    call.write(create(StreamAccessLogsMessageSchema, { identifier: identifier("limpid.outbound"), ...entries(4) }));
    while (running.collector.stats().httpRecords < 4) await new Promise((resolve) => setImmediate(resolve));
    await running.collector.stop();
    client.close();
    expect(await running.counted()).toBe(4);
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
      request(running.url(path), { method, headers }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
  expect(await status("GET", "/metrics")).toBe(read);
  // Past the guard, a body without a type is told what types there are.
  expect(await status("POST", "/v1/traces")).toBe(written);
});

it("holds traces until they are decided, and says what it left out", async () => {
  await running.restart({ sampling: { ...defaultSampling, share: 0, slowest: 0 } });
  const failed = { traceId, id: "1", name: "a", timestamp: 1, tags: { error: "no" } };
  const well = { traceId: "b".repeat(32), id: "2", name: "a", timestamp: 1 };
  const headers = { "content-type": "application/json" };
  const posted = { method: "POST", headers, body: JSON.stringify([failed, well]) };
  expect((await fetch(running.url("/api/v2/spans"), posted)).status).toBe(202);
  expect(await (await fetch(running.url("/healthz"))).json()).toMatchObject({
    sampling: { heldTraces: 2, heldSpans: 2 },
  });
  expect(await (await fetch(running.url("/metrics"))).text()).toContain("limpid_collector_sampling_held_traces 2");
  await running.collector.stop();
  expect(running.collector.stats().spans).toBe(2);
  expect(await running.store.trace(traceId)).toHaveLength(1);
  expect(await running.store.trace(well.traceId)).toEqual([]);
  expect(await running.collector.health()).toMatchObject({
    sampling: { keptErrors: 1, droppedTraces: 1, droppedSpans: 1 },
  });
});
