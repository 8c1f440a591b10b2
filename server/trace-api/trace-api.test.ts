import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { silentLogger } from "../lib/logger.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { type Collector, createCollector } from "../telemetry/collector.ts";
import { createDependencies } from "./dependencies.ts";
import { jaegerApi } from "./jaeger-api.ts";
import { zipkinApi } from "./zipkin-api.ts";

let store: MemoryTelemetryStore;
let collector: Collector;
beforeEach(async () => {
  store = new MemoryTelemetryStore();
  const asked = { reader: store, dependencies: createDependencies(store), now: Date.now };
  collector = createCollector({
    store,
    grpcPort: 0,
    httpPort: 0,
    zipkinPort: 0,
    traceApi: { zipkin: zipkinApi(asked), jaeger: jaegerApi(asked), jaegerPort: 0 },
    logger: silentLogger,
  });
  await collector.start();
});
afterEach(() => collector.stop());

const nowUs = Date.now() * 1000;
const traceId = "0af7651916cd43dd8448eb211c80319c";
const shortId = "8448eb211c80319c";

/** productpage calls reviews, which fails, and a database that sends no spans. */
const called = (id: string, startUs = nowUs - 60_000_000) => [
  {
    traceId: id,
    id: "00000000000000a1",
    name: "get /productpage",
    kind: "SERVER",
    timestamp: startUs,
    duration: 90_000,
    localEndpoint: { serviceName: "productpage" },
    tags: { "http.method": "GET" },
  },
  {
    traceId: id,
    parentId: "00000000000000a1",
    id: "00000000000000a2",
    name: "get /reviews",
    kind: "SERVER",
    timestamp: startUs + 10_000,
    duration: 50_000,
    localEndpoint: { serviceName: "reviews" },
    annotations: [{ timestamp: startUs + 20_000, value: "cache miss" }],
    tags: { error: "no stars", "http.status_code": "500" },
  },
  {
    traceId: id,
    parentId: "00000000000000a1",
    id: "00000000000000a3",
    name: "select",
    kind: "CLIENT",
    timestamp: startUs + 61_000,
    duration: 2000,
    localEndpoint: { serviceName: "productpage" },
    remoteEndpoint: { serviceName: "mysql", ipv4: "127.0.0.9" },
  },
];

/** Resolves once they can be read. */
async function post(spans: { traceId?: string | undefined; [field: string]: unknown }[]): Promise<void> {
  const response = await fetch(`http://${collector.addresses().zipkin}/api/v2/spans`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(spans),
  });
  expect(response.status).toBe(202);
  const held = async () => {
    const ids = new Set(spans.map((span) => (span.traceId ?? "").padStart(32, "0")));
    return (await Promise.all([...ids].map(async (id) => (await store.trace(id)).length))).reduce((a, b) => a + b, 0);
  };
  await expect.poll(held, { timeout: 15_000 }).toBe(spans.length);
}

async function ask(address: string | undefined, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://${address}${path}`);
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}
const zipkin = (path: string) => ask(collector.addresses().zipkin, path);
const jaeger = (path: string) => ask(collector.addresses().jaeger, path);
const idsOf = async (query: string): Promise<unknown> => {
  const { status, body } = await zipkin(`/api/v2/traces?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return (body as { traceId: string }[][]).map(([span]) => span?.traceId);
};

describe("Zipkin's query API", () => {
  it("gives back the spans that were posted, as they were", async () => {
    await post(called(traceId));
    const { status, body } = await zipkin(`/api/v2/trace/${traceId}`);
    expect(status).toBe(200);
    const [first, second, third] = called(traceId);
    expect(body).toEqual([first, { ...second, tags: { ...second?.tags, "otel.status_code": "ERROR" } }, third]);
  });

  it("writes and reads ids of 64 bits as their senders do", async () => {
    await post(called(shortId));
    const { body } = await zipkin(`/api/v2/trace/${shortId}`);
    expect(body).toMatchObject([{ traceId: shortId }, { traceId: shortId }, { traceId: shortId }]);
    expect((await jaeger(`/api/traces/${shortId}`)).body).toMatchObject({ data: [{ traceID: shortId }] });
  });

  it("finds traces by service, name, annotation, duration and time", async () => {
    const other = "1af7651916cd43dd8448eb211c80319c";
    await post([...called(traceId), ...called(other, nowUs - 30_000_000).slice(0, 1)]);
    expect(await idsOf("")).toEqual([other, traceId]);
    expect(await idsOf("limit=1")).toEqual([other]);
    expect(await idsOf("serviceName=reviews")).toEqual([traceId]);
    expect(await idsOf("serviceName=reviews&spanName=get%20%2Fproductpage")).toEqual([]);
    expect(await idsOf("serviceName=productpage&spanName=all")).toEqual([other, traceId]);
    expect(await idsOf("remoteServiceName=mysql")).toEqual([traceId]);
    expect(await idsOf("annotationQuery=error")).toEqual([traceId]);
    expect(await idsOf("annotationQuery=cache%20miss%20and%20http.status_code=500")).toEqual([traceId]);
    expect(await idsOf("annotationQuery=http.status_code=503")).toEqual([]);
    expect(await idsOf("serviceName=reviews&minDuration=50000&maxDuration=50000")).toEqual([traceId]);
    expect(await idsOf("serviceName=reviews&minDuration=50001")).toEqual([]);
    expect(await idsOf(`endTs=${Math.floor(nowUs / 1000) - 45_000}&lookback=60000`)).toEqual([traceId]);
    expect(await idsOf(`endTs=${Math.floor(nowUs / 1000) - 45_000}&lookback=5000`)).toEqual([]);
  });

  it("finds a rare trace among more than a page of others", async () => {
    const id = (n: number) => `c${n.toString(16).padStart(31, "0")}`;
    const plain = Array.from({ length: 250 }, (_, n) => ({ ...called(id(n), nowUs - n * 1000)[0] }));
    await post([...plain, ...called(traceId, nowUs - 100_000_000)]);
    expect(await idsOf("serviceName=productpage&remoteServiceName=mysql")).toEqual([traceId]);
    expect(await idsOf("limit=240")).toHaveLength(240);
  });

  it("names services, spans, whom they call, and tags", async () => {
    await post(called(traceId));
    expect((await zipkin("/api/v2/services")).body).toEqual(["productpage", "reviews"]);
    expect((await zipkin("/api/v2/spans?serviceName=productpage")).body).toEqual(["get /productpage", "select"]);
    expect((await zipkin("/api/v2/spans?serviceName=nobody")).body).toEqual([]);
    expect((await zipkin("/api/v2/remoteServices?serviceName=productpage")).body).toEqual(["mysql"]);
    expect((await zipkin("/api/v2/autocompleteKeys")).body).toContain("http.method");
    expect((await zipkin("/api/v2/autocompleteValues?key=http.method")).body).toEqual(["GET"]);
    const links = [
      { parent: "productpage", child: "reviews", callCount: 1, errorCount: 1 },
      { parent: "productpage", child: "mysql", callCount: 1 },
    ];
    expect((await zipkin(`/api/v2/dependencies?endTs=${Date.now()}&lookback=3600000`)).body).toEqual(links);
  });

  it("gives several traces at once, and says what is wrong with a question", async () => {
    const other = "1af7651916cd43dd8448eb211c80319c";
    await post([...called(traceId), ...called(other)]);
    const many = await zipkin(`/api/v2/traceMany?traceIds=${other},${traceId},${"3".repeat(32)}`);
    expect((many.body as { traceId: string }[][]).map(([span]) => span?.traceId)).toEqual([other, traceId]);
    for (const [path, status, message] of [
      [`/api/v2/trace/${"3".repeat(32)}`, 404, `${"3".repeat(32)} not found\n`],
      ["/api/v2/trace/x", 400, "x should be lower-hex encoded with no prefix\n"],
      ["/api/v2/traceMany?traceIds=", 400, "traceIds parameter is empty\n"],
      [`/api/v2/traceMany?traceIds=${traceId},${traceId}`, 400, `redundant traceId: ${traceId}\n`],
      ["/api/v2/traces?limit=x", 400, "parameter limit=x: must be a whole number\n"],
      ["/api/v2/spans", 400, "parameter serviceName is required\n"],
      ["/api/v2/dependencies", 400, "parameter endTs is required\n"],
    ] as const) {
      expect([path, await zipkin(path)]).toEqual([path, { status, body: message }]);
    }
  });
});

// What Grafana's data source decodes it into: Go refuses a number with a fraction where it has an int64.
const Tag = z.strictObject({
  key: z.string(),
  type: z.enum(["string", "bool", "int64", "float64"]),
  value: z.union([z.string(), z.number(), z.boolean()]),
});
const JaegerAnswer = z.strictObject({
  data: z.array(
    z.strictObject({
      traceID: z.string().regex(/^[0-9a-f]{16,32}$/),
      warnings: z.null(),
      processes: z.record(z.string(), z.strictObject({ serviceName: z.string(), tags: z.array(Tag) })),
      spans: z.array(
        z.strictObject({
          traceID: z.string(),
          spanID: z.string().regex(/^[0-9a-f]{16}$/),
          processID: z.string(),
          operationName: z.string(),
          startTime: z.int(),
          duration: z.int(),
          logs: z.array(z.strictObject({ timestamp: z.int(), fields: z.array(Tag) })),
          references: z.array(
            z.strictObject({ refType: z.enum(["CHILD_OF", "FOLLOWS_FROM"]), spanID: z.string(), traceID: z.string() }),
          ),
          tags: z.array(Tag),
          warnings: z.array(z.string()).nullable(),
        }),
      ),
    }),
  ),
  errors: z.null(),
  limit: z.int(),
  offset: z.int(),
  total: z.int(),
});

describe("Jaeger's query API", () => {
  it("gives a trace as Grafana reads it", async () => {
    await post(called(traceId));
    const answer = JaegerAnswer.parse((await jaeger(`/api/traces/${traceId}?start=1&end=2`)).body);
    const [trace] = answer.data;
    expect(trace?.processes).toEqual({
      p1: { serviceName: "productpage", tags: [] },
      p2: { serviceName: "reviews", tags: [] },
    });
    expect(trace?.spans[1]).toEqual({
      traceID: traceId,
      spanID: "00000000000000a2",
      operationName: "get /reviews",
      processID: "p2",
      references: [{ refType: "CHILD_OF", traceID: traceId, spanID: "00000000000000a1" }],
      startTime: nowUs - 60_000_000 + 10_000,
      duration: 50_000,
      tags: [
        { key: "http.status_code", type: "string", value: "500" },
        { key: "span.kind", type: "string", value: "server" },
        { key: "error", type: "bool", value: true },
        { key: "otel.status_code", type: "string", value: "ERROR" },
      ],
      logs: [
        { timestamp: nowUs - 60_000_000 + 20_000, fields: [{ key: "event", type: "string", value: "cache miss" }] },
      ],
      warnings: null,
    });
  });

  it("moves a span back whose clock is ahead, unless asked for it raw", async () => {
    const [root, child] = called(traceId);
    await post([
      { ...root, kind: "CLIENT" },
      { ...child, timestamp: nowUs - 50_000_000 },
    ]);
    const startOf = async (more: string) => {
      const { data } = JaegerAnswer.parse((await jaeger(`/api/traces/${traceId}${more}`)).body);
      return data[0]?.spans.find(({ spanID }) => spanID.endsWith("a2"));
    };
    const adjusted = await startOf("");
    expect(adjusted?.startTime).toBeLessThan(nowUs - 59_000_000);
    expect(adjusted?.warnings?.[0]).toMatch(/^clock skew adjustment applied: -/);
    expect(await startOf("?raw=true")).toMatchObject({ startTime: nowUs - 50_000_000, warnings: null });
  });

  it("finds traces of which one span is all that was asked for", async () => {
    await post(called(traceId));
    const found = async (query: string) => {
      const { data } = JaegerAnswer.parse((await jaeger(`/api/traces?${query}`)).body);
      return data.length;
    };
    expect(await found("service=productpage&limit=20")).toBe(1);
    expect(await found("service=reviews&operation=get%20%2Freviews")).toBe(1);
    expect(await found("service=productpage&operation=get%20%2Freviews")).toBe(0);
    const tags = (value: object) => `tags=${encodeURIComponent(JSON.stringify(value))}`;
    expect(await found(`service=reviews&${tags({ error: "true", "http.status_code": "500" })}`)).toBe(1);
    expect(await found(`service=productpage&${tags({ error: "true" })}`)).toBe(0);
    expect(await found("service=productpage&tag=span.kind:client&tag=peer.service:mysql")).toBe(1);
    expect(await found("service=reviews&minDuration=50ms&maxDuration=50.5ms")).toBe(1);
    expect(await found("service=reviews&minDuration=51ms")).toBe(0);
    expect(await found(`service=reviews&start=${nowUs - 61_000_000}&end=${nowUs}`)).toBe(1);
    expect(await found(`service=reviews&start=${nowUs - 50_000_000}&end=${nowUs}`)).toBe(0);
    expect(await found(`traceID=${traceId}`)).toBe(1);
  });

  it("lists services, operations and who calls whom", async () => {
    await post(called(traceId));
    const whole = { limit: 0, offset: 0, errors: null };
    expect((await jaeger("/api/services")).body).toEqual({ ...whole, data: ["productpage", "reviews"], total: 2 });
    expect((await jaeger("/api/services/productpage/operations")).body).toEqual({
      ...whole,
      data: ["get /productpage", "select"],
      total: 2,
    });
    expect((await jaeger("/api/operations?service=reviews")).body).toEqual({
      ...whole,
      data: [{ name: "get /reviews", spanKind: "" }],
      total: 1,
    });
    expect((await jaeger(`/api/dependencies?endTs=${Date.now()}&lookback=3600000`)).body).toEqual({
      ...whole,
      total: 0,
      data: [
        { parent: "productpage", child: "reviews", callCount: 1 },
        { parent: "productpage", child: "mysql", callCount: 1 },
      ],
    });
  });

  it("tells failures in its own form", async () => {
    const failed = (code: number, msg: string) => ({
      status: code,
      body: { data: null, total: 0, limit: 0, offset: 0, errors: [{ code, msg }] },
    });
    expect(await jaeger(`/api/traces/${traceId}`)).toEqual(failed(404, "trace not found"));
    expect(await jaeger("/api/traces/zz")).toEqual(failed(400, "malformed trace id: zz"));
    expect(await jaeger("/api/traces")).toEqual(failed(400, "parameter service is required"));
    expect(await jaeger("/api/traces?service=a&minDuration=5")).toEqual(
      failed(400, "unable to parse param 'minDuration': 5 must be a duration such as 250ms or 1.5s"),
    );
    expect((await jaeger("/api/nothing")).status).toBe(404);
  });
});

it("answers no web page", async () => {
  for (const address of [collector.addresses().zipkin, collector.addresses().jaeger]) {
    const path = address === collector.addresses().zipkin ? "/api/v2/services" : "/api/services";
    const response = await fetch(`http://${address}${path}`, { headers: { origin: "http://evil.example" } });
    expect(response.status).toBe(403);
  }
});
