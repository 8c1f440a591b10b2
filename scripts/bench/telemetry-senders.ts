import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { StreamAccessLogsMessageSchema } from "../../server/gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { ExportTraceServiceRequestSchema } from "../../server/gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { noSpanDetail, type SpanRecord } from "../../server/telemetry/span.ts";

/** Sends what was encoded before, so that the sender costs little; resolves with how many records went. */
export interface Sender {
  run(seconds: number): Promise<number>;
  close(): Promise<void>;
}

const asIs = (bytes: Buffer): Buffer => bytes;
const domain = "default.svc.cluster.local";
const perMessage = 100;

/** Twenty calls of one sidecar, in messages of a hundred entries. */
export async function accessLogSender(port: number): Promise<Sender> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const path = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";
  const stream = client.makeClientStreamRequest(path, asIs, asIs, new Metadata(), {}, () => {});
  stream.on("error", () => {});
  const write = (bytes: Buffer) => new Promise<void>((resolve) => stream.write(bytes, () => resolve()));
  await write(encodeLogs({ identifier: identifier() }));
  const messages = Array.from({ length: 20 }, (_, i) => encodeLogs({ logEntries: entriesOf(i) }));
  return {
    async run(seconds) {
      let sent = 0;
      for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
        for (const message of messages) await write(message);
        sent += messages.length * perMessage;
      }
      return sent;
    },
    async close() {
      stream.end();
      client.close();
    },
  };
}

/** Sends one entry for each request, when the caller says so, with the time at which it ended; Unix milliseconds. */
export async function oneByOneSender(
  port: number,
): Promise<{ send(endedMs: readonly number[]): void; close(): Promise<void> }> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const path = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";
  const stream = client.makeClientStreamRequest(path, asIs, asIs, new Metadata(), {}, () => {});
  stream.on("error", () => {});
  stream.write(encodeLogs({ identifier: identifier() }));
  const [template] = entriesOf(0).value.logEntry;
  return {
    send(endedMs) {
      if (endedMs.length === 0) return;
      const logEntry = endedMs.map((ms) => ({
        ...template,
        commonProperties: {
          ...template?.commonProperties,
          startTime: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 },
          duration: { seconds: 0n, nanos: 0 },
        },
      }));
      stream.write(encodeLogs({ logEntries: { case: "httpLogs", value: { logEntry } } }));
    },
    async close() {
      stream.end();
      client.close();
    },
  };
}

type LogsInit = Parameters<typeof create<typeof StreamAccessLogsMessageSchema>>[1];
const encodeLogs = (init: LogsInit): Buffer =>
  Buffer.from(toBinary(StreamAccessLogsMessageSchema, create(StreamAccessLogsMessageSchema, init)));

const identifier = () => ({
  logName: "limpid.outbound",
  node: { id: `sidecar~127.0.1.2~productpage-v1.default~${domain}`, cluster: "productpage.default" },
});

function entriesOf(call: number) {
  const cluster = `outbound|9080|v2|reviews-${call}.${domain}`;
  const address = (ip: string, portValue: number) => ({
    address: {
      case: "socketAddress" as const,
      value: { address: ip, portSpecifier: { case: "portValue" as const, value: portValue } },
    },
  });
  const logEntry = Array.from({ length: perMessage }, (_, i) => ({
    commonProperties: {
      startTime: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: i * 1000 },
      duration: { seconds: 0n, nanos: 1_000_000 * (1 + (i % 50)) },
      downstreamRemoteAddress: address("127.0.0.1", 40_000 + i),
      upstreamRemoteAddress: address("127.0.1.4", 9080),
      upstreamCluster: cluster,
      routeName: "default",
      customTags: {
        "limpid.destination": `reviews-${call}-v2;default;reviews-${call};v2;limpid`,
        "limpid.cluster": cluster,
        "limpid.config": "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews",
      },
    },
    request: {
      requestMethod: 1,
      authority: `reviews-${call}:9080`,
      path: "/reviews/0",
      userAgent: "bench",
      requestId: crypto.randomUUID(),
      requestHeadersBytes: 300n,
      requestHeaders: {
        "x-limpid-peer": "productpage-v1;default;productpage;v1;limpid",
        traceparent: `00-${randomBytes(16).toString("hex")}-b7ad6b7169203331-01`,
      },
    },
    response: {
      responseCode: i % 97 ? 200 : 503,
      responseHeadersBytes: 100n,
      responseBodyBytes: 700n,
      responseCodeDetails: "via_upstream",
    },
  }));
  return { case: "httpLogs" as const, value: { logEntry } };
}

const spansPerRequest = 500;

/** Exports of five hundred spans; ids are written anew into each before it goes, as no two spans have the same. */
export async function spanSender(port: number): Promise<Sender> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  const message = encodeSpans();
  const idsAt = offsetsOf(message, Buffer.alloc(16, 0xa5));
  const send = () => {
    for (const at of idsAt) randomBytes(24).copy(message, at, 0, 16);
    return new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(path, asIs, asIs, Buffer.from(message), (error) => (error ? reject(error) : resolve()));
    });
  };
  return {
    async run(seconds) {
      let sent = 0;
      // No faster than the bar asks for on this machine's core, or the queue would shed what is measured.
      for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
        await send();
        sent += spansPerRequest;
      }
      return sent;
    },
    async close() {
      client.close();
    },
  };
}

function encodeSpans(): Buffer {
  const attributes = Array.from({ length: 6 }, (_, i) => ({
    key: `attribute.${i}`,
    value: { value: { case: "stringValue" as const, value: `value ${i} of a usual length` } },
  }));
  const spans = Array.from({ length: spansPerRequest }, (_, i) => ({
    traceId: Buffer.alloc(16, 0xa5),
    spanId: randomBytes(8),
    name: `GET /op-${i % 20}`,
    kind: 2,
    startTimeUnixNano: BigInt(Date.now()) * 1_000_000n,
    endTimeUnixNano: BigInt(Date.now() + 5) * 1_000_000n,
    attributes,
  }));
  const resource = {
    attributes: [{ key: "service.name", value: { value: { case: "stringValue" as const, value: "bench" } } }],
  };
  const request = create(ExportTraceServiceRequestSchema, { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  return Buffer.from(toBinary(ExportTraceServiceRequestSchema, request));
}

function offsetsOf(message: Buffer, wanted: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = message.indexOf(wanted); at >= 0; at = message.indexOf(wanted, at + wanted.length)) offsets.push(at);
  return offsets;
}

/** Traces of ten spans each, through ten of thirty services. */
export function syntheticSpans(first: number, count: number, startMs: number): SpanRecord[] {
  return Array.from({ length: count * 10 }, (_, i) => {
    const [trace, depth] = [first + Math.floor(i / 10), i % 10];
    return {
      ...noSpanDetail,
      traceId: trace.toString(16).padStart(32, "f"),
      spanId: (trace * 16 + depth + 1).toString(16).padStart(16, "0"),
      parentSpanId: depth === 0 ? "" : (trace * 16 + depth).toString(16).padStart(16, "0"),
      service: `svc-${(trace + depth) % 30}`,
      name: `GET /op-${(trace + depth) % 20}`,
      kind: 2,
      startUs: (startMs + (trace - first) * 8 + depth) * 1000,
      durationUs: (trace % 1000) * 100,
      error: trace % 997 === 0 && depth === 9,
      attributes: {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.path": `/op-${trace % 20}`,
        "user.id": `u-${trace}`,
        "net.peer.ip": "10.0.0.1",
        depth,
      },
      resource: { "service.name": `svc-${(trace + depth) % 30}` },
    };
  });
}
