import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  ExportTraceServiceRequestSchema,
  TraceService,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { entries, identifier, streamLogs } from "./testing/access-log-stream.ts";
import { runningCollector } from "./testing/running-collector.ts";

const running = runningCollector();
const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const json = { "content-type": "application/json" };

const post = (path: string, body: string | Buffer, headers: Record<string, string> = json) =>
  fetch(running.url(path), { method: "POST", headers, body: new Uint8Array(Buffer.from(body)) });

const spans = (...list: object[]) => JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: list }] }] });

/** What is stored of the trace, once all is written. */
async function stored() {
  await running.collector.stop();
  return running.store.trace(traceId);
}

describe("a small body that unpacks to a large one", () => {
  const bomb = gzipSync(Buffer.alloc(20 << 20, 32));

  it.each(["/v1/traces", "/v1/logs", "/v1/metrics", "/api/v2/spans"])("is refused at %s", async (path) => {
    await running.restart({ limits: { maxBodyBytes: 1 << 20 } });
    const answer = await post(path, bomb, { ...json, "content-encoding": "gzip" });
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining("4194304 bytes")]);
  });

  it("is refused over gRPC", async () => {
    await running.restart({ limits: { maxMessageBytes: 1 << 20 } });
    const gzip = { "grpc.default_compression_algorithm": 2 };
    const client = makeClient(TraceService, running.collector.addresses().grpc, gzip);
    const name = "x".repeat(8 << 20);
    const request = create(ExportTraceServiceRequestSchema, {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name }] }] }],
    });
    const code = await new Promise((resolve) => {
      client.export(request, new Metadata(), {}, (error) => resolve(error?.code));
    });
    client.close();
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(running.collector.stats().spans).toBe(0);
  });
});

describe("a span", () => {
  const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

  it("of ten thousand attributes, events and links keeps some, and says how many it had more", async () => {
    await running.restart({ limits: { maxBodyBytes: 16 << 20 } });
    const attributes = many(10_000, (i) => ({ key: `k${i}`, value: { intValue: i } }));
    const events = many(10_000, (i) => ({ name: `e${i}`, timeUnixNano: "1" }));
    const links = [
      ...many(10_000, () => ({ traceId, spanId })),
      { traceId: "ab".repeat(100_000), spanId }, // no id of a trace
    ];
    expect(
      (await post("/v1/traces", spans({ traceId, spanId, attributes, events, links, droppedAttributesCount: 5 }))).ok,
    ).toBe(true);
    const [span] = await stored();
    expect(Object.keys(span?.attributes ?? {})).toHaveLength(64);
    expect([span?.events.length, span?.links.length]).toEqual([32, 32]);
    expect(span?.leftOut).toEqual({ attributes: 9941, events: 9968, links: 9969 });
  });

  it("that leaves nothing out says nothing of it", async () => {
    await post("/v1/traces", spans({ traceId, spanId, attributes: [{ key: "a", value: { intValue: 1 } }] }));
    expect((await stored())[0]).not.toHaveProperty("leftOut");
  });

  it("of huge names has them cut, never within a character", async () => {
    const name = `${"n".repeat(252)}😀${"n".repeat(100_000)}`;
    await running.restart({ limits: { maxBodyBytes: 1 << 20 } });
    await post("/v1/traces", spans({ traceId, spanId, name, traceState: name }));
    const [span] = await stored();
    expect(span?.name).toBe(`${"n".repeat(252)}\ufffd`);
    expect(span?.traceState).toHaveLength(512);
  });

  it("of numbers of the future, of enums and of a status, is a span all the same", async () => {
    const sent = await post(
      "/v1/traces",
      spans({ traceId, spanId, kind: 99, status: { code: 77 }, flags: 4294967295 }),
    );
    expect(sent.status).toBe(200);
    expect(await stored()).toMatchObject([{ kind: 99, error: false }]);
  });

  it("whose kind has a name of the future is left out, and no other", async () => {
    await post("/v1/traces", spans({ traceId, spanId, kind: "SPAN_KIND_TELEPATHY" }));
    expect(await stored()).toMatchObject([{ kind: 0 }]);
  });

  it("that comes twice, also with something else in it, is the first one", async () => {
    await post("/v1/traces", spans({ traceId, spanId, name: "first" }, { traceId, spanId, name: "second" }));
    await post("/v1/traces", spans({ traceId, spanId, name: "third" }));
    expect((await stored()).map(({ name }) => name)).toEqual(["first"]);
  });

  it("whose texts are no UTF-8 is refused in protobuf, which has no other, and read as far as it can be in JSON", async () => {
    const name = "caf?";
    const request = create(ExportTraceServiceRequestSchema, {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name }] }] }],
    });
    const bytes = Buffer.from(toBinary(ExportTraceServiceRequestSchema, request));
    bytes[bytes.indexOf("?")] = 0xe9; // Latin-1
    const refused = await post("/v1/traces", bytes, { "content-type": "application/x-protobuf" });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringMatching(/utf-8/i)]);
    const told = Buffer.from(JSON.stringify([{ name, traceId, id: "1" }]));
    told[told.indexOf("?")] = 0xe9;
    expect((await post("/api/v2/spans", told)).status).toBe(202);
    expect((await stored()).map((span) => span.name)).toEqual(["caf\ufffd"]);
  });

  it("of Zipkin's with times past all bounds has the nearest that are some", async () => {
    const sent = { traceId, id: "1", timestamp: 1e300, duration: 1e300, annotations: [{ timestamp: -1, value: "a" }] };
    const tags = Object.fromEntries(many(70, (i) => [`k${i}`, "v"]));
    const before = Date.now();
    await post("/api/v2/spans", JSON.stringify([{ ...sent, tags }]));
    const [span] = await stored();
    expect(span?.startUs).toBeGreaterThanOrEqual(before * 1000); // to come: dated when it came
    expect(span?.durationUs).toBeLessThan(Number.MAX_SAFE_INTEGER);
    expect(span?.events[0]?.atUs).toBe(0);
    expect(span?.leftOut).toEqual({ attributes: 6, events: 0, links: 0 });
  });
});

it("an access log of numbers that no request has counts, within what a column holds", async () => {
  const message = entries(1);
  const [entry] = message.logEntries?.value?.logEntry ?? [];
  Object.assign(entry?.commonProperties ?? {}, {
    upstreamRemoteAddress: { address: { case: "pipe", value: { path: "p".repeat(100_000) } } },
  });
  Object.assign(entry ?? {}, { response: { responseCode: 4294967295, responseBodyBytes: 2n ** 64n - 1n } });
  const address = running.collector.addresses().grpc;
  expect(await streamLogs(address, { identifier: identifier("limpid.outbound"), ...message })).toBeNull();
  const [line] = await running.store.logs({ fromMs: 0, toMs: Date.now() + 60_000, limit: 1 });
  expect(line).toMatchObject({ code: 999, responseBytes: 2 ** 44 });
  expect(line?.upstreamHost).toHaveLength(253);
});
