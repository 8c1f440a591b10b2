import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type handleBidiStreamingCall,
  Metadata,
  Server,
  ServerCredentials,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AccessLogSchema } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { FileAccessLogSchema } from "../../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { HttpGrpcAccessLogConfigSchema } from "../../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import {
  AccessLogService,
  type StreamAccessLogsMessage,
  StreamAccessLogsMessageSchema,
} from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { systemClock } from "../../lib/clock.ts";
import { addService } from "../../lib/grpc.ts";
import {
  acknowledgesKey,
  encodeAcknowledgement,
  type LogBatches,
  logBatchesKey,
  parseLogBatches,
} from "../../wire/log-batches.ts";
import { GrpcChannels } from "../grpc/grpc-channels.ts";
import { Stats } from "../stats.ts";
import { staticCluster } from "../xds/testing/static-cluster.ts";
import { AccessLoggers } from "./access-loggers.ts";
import { sampleRecord } from "./testing/sample-record.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function collector(port = 0) {
  const server = new Server();
  const messages: StreamAccessLogsMessage[] = [];
  addService(server, AccessLogService, {
    streamAccessLogs(call, callback) {
      call.on("data", (message) => messages.push(message));
      call.on("end", () => callback(null, { $typeName: "envoy.service.accesslog.v3.StreamAccessLogsResponse" }));
      call.on("error", () => {});
    },
  });
  const bound = await bind(server, port);
  const stop = () => server.forceShutdown();
  cleanups.push(stop);
  const paths = () =>
    messages.flatMap(({ logEntries }) =>
      logEntries.case === "httpLogs" ? logEntries.value.logEntry.map((entry) => entry.request?.path) : [],
    );
  return { port: bound, messages, paths, stop };
}

/** A collector that acknowledges as far as the message of this number. */
async function acknowledging(port: number, upTo: number) {
  const server = new Server();
  const messages: StreamAccessLogsMessage[] = [];
  const streams: (LogBatches | undefined)[] = [];
  const asIs = (bytes: Buffer) => bytes;
  const streamAccessLogs: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    const batches = parseLogBatches(String(call.metadata.get(logBatchesKey)[0]));
    streams.push(batches);
    const offer = new Metadata();
    offer.set(acknowledgesKey, "1");
    call.sendMetadata(offer);
    let number = batches?.first ?? 1;
    call.on("data", (bytes) => {
      messages.push(fromBinary(StreamAccessLogsMessageSchema, bytes));
      if (number <= upTo) call.write(Buffer.from(encodeAcknowledgement(number)));
      number++;
    });
    call.on("end", () => call.end());
    call.on("error", () => {});
  };
  server.addService(
    {
      streamAccessLogs: {
        path: `/${AccessLogService.typeName}/StreamAccessLogs`,
        requestStream: true,
        responseStream: true,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    },
    { streamAccessLogs: streamAccessLogs as UntypedServiceImplementation[string] },
  );
  const bound = await bind(server, port);
  const stop = () => server.forceShutdown();
  cleanups.push(stop);
  const entries = () =>
    messages.flatMap(({ logEntries }) => (logEntries.case === "httpLogs" ? logEntries.value.logEntry : []));
  return {
    port: bound,
    streams,
    stop,
    paths: () => entries().map(({ request }) => request?.path),
    requests: () =>
      entries().reduce((sum, entry) => sum + Number(entry.commonProperties?.customTags["limpid.count"] ?? 1), 0),
  };
}

const bind = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });

/** Takes the port and breaks off every connection, until there were so many. */
async function refuseConnections(port: number, count: number): Promise<void> {
  let refused = 0;
  const server = createServer((socket) => {
    refused++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await vi.waitFor(() => expect(refused).toBeGreaterThanOrEqual(count), { timeout: 10_000 });
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function loggers(port: number) {
  const stats = new Stats();
  const channels = new GrpcChannels();
  channels.add(staticCluster("limpid-collector", port));
  const node = create(NodeSchema, { id: "sidecar~127.0.1.2~a.default~default.svc.cluster.local" });
  const made = new AccessLoggers({ node, channels, stats, clock: systemClock });
  cleanups.push(() => channels.close());
  cleanups.push(() => made.close());
  return { made, stats };
}

function entry<D extends DescMessage>(name: string, schema: D, message: MessageShape<D>) {
  return create(AccessLogSchema, { name, configType: { case: "typedConfig", value: anyPack(schema, message) } });
}

const als = (bufferSizeBytes = 1) =>
  entry(
    "envoy.access_loggers.http_grpc",
    HttpGrpcAccessLogConfigSchema,
    create(HttpGrpcAccessLogConfigSchema, {
      commonConfig: {
        logName: "limpid.outbound",
        bufferSizeBytes,
        bufferFlushInterval: { seconds: 0n, nanos: 20_000_000 },
        grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName: "limpid-collector" } } },
        customTags: [
          {
            tag: "limpid.destination",
            type: {
              case: "metadata",
              value: {
                kind: { kind: { case: "host", value: {} } },
                metadataKey: { key: "istio", path: [{ segment: { case: "key", value: "workload" } }] },
              },
            },
          },
        ],
      },
      additionalRequestHeadersToLog: ["X-Limpid-Peer"],
    }),
  );

function loggerOf(made: AccessLoggers, ...config: Parameters<AccessLoggers["loggerFor"]>[0]) {
  const logger = made.loggerFor(config);
  if (!logger.ok || logger.value === undefined) throw new Error(JSON.stringify(logger));
  return logger.value;
}

describe("access log over gRPC", () => {
  it("names node and log once per stream, then sends entries with tags and headers", async () => {
    const server = await collector();
    const { made, stats } = loggers(server.port);
    const logger = loggerOf(made, als());
    logger.log(sampleRecord({ path: "/1" }));
    logger.log(sampleRecord({ path: "/2" }));
    await vi.waitFor(() => expect(server.paths()).toEqual(["/1", "/2"]));
    expect(server.messages[0]?.identifier).toMatchObject({
      logName: "limpid.outbound",
      node: { id: "sidecar~127.0.1.2~a.default~default.svc.cluster.local" },
    });
    expect(server.messages[1]?.identifier).toBeUndefined();
    const first = server.messages[0]?.logEntries;
    const log = first?.case === "httpLogs" ? first.value.logEntry[0] : undefined;
    expect(log?.commonProperties?.customTags).toEqual({
      "limpid.destination": "reviews-v2;default;reviews;v2;limpid",
    });
    expect(log?.request?.requestHeaders).toEqual({ "x-limpid-peer": "productpage-v1;default;productpage;v1;limpid" });
    // A server that does not acknowledge is known by its silence.
    const written = stats.counter("access_logs.grpc_access_log.logs_written");
    await vi.waitFor(() => expect(written.value).toBe(2), { timeout: 20_000 });
  });

  it("batches until the flush interval", async () => {
    const server = await collector();
    const { made } = loggers(server.port);
    const logger = loggerOf(made, als(16_384));
    for (let i = 0; i < 10; i++) logger.log(sampleRecord({ path: `/${i}` }));
    await vi.waitFor(() => expect(server.paths()).toHaveLength(10));
    expect(server.messages).toHaveLength(1);
  });

  it("keeps what it could not send and sends it to the collector that comes back", async () => {
    const first = await collector();
    const { made, stats } = loggers(first.port);
    const logger = loggerOf(made, als());
    logger.log(sampleRecord({ path: "/before" }));
    await vi.waitFor(() => expect(first.paths()).toEqual(["/before"]));
    first.stop();
    const away = Array.from({ length: 30 }, (_, i) => `/away/${i}`);
    for (const path of away) {
      logger.log(sampleRecord({ path }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stats.counter("access_logs.grpc_access_log.logs_dropped").value).toBe(0);
    await refuseConnections(first.port, 3);
    const second = await collector(first.port);
    logger.log(sampleRecord({ path: "/after" }));
    await vi.waitFor(() => expect(second.paths()).toContain("/after"), { timeout: 10_000 });
    // A message that the broken connection of a server that acknowledges nothing had taken already is lost; what waited is not.
    expect(second.paths().filter((path) => path !== "/after").length).toBeGreaterThanOrEqual(away.length - 4);
    expect(second.messages[0]?.identifier?.logName).toBe("limpid.outbound");
  });

  it("counts what it has no room for, and loses no request of a collector that stays away", async () => {
    const first = await collector();
    first.stop();
    const { made, stats } = loggers(first.port);
    const logger = loggerOf(made, als(4_096));
    const total = 4_000;
    for (let i = 0; i < total; i++) {
      const responseCode = i % 4 === 0 ? 503 : 200;
      logger.log(sampleRecord({ path: `/${"x".repeat(500)}`, responseCode, startMs: 1_794_999_645_123 + i }));
    }
    const value = (name: string) => stats.counter(`access_logs.grpc_access_log.${name}`).value;
    expect(value("logs_dropped")).toBeGreaterThan(1_000);
    expect(value("logs_dropped")).toBeLessThan(total);
    expect(value("logs_folded")).toBe(value("logs_dropped"));
    const second = await collector(first.port);
    const entries = () =>
      second.messages.flatMap(({ logEntries }) => (logEntries.case === "httpLogs" ? logEntries.value.logEntry : []));
    const countOf = (entry: ReturnType<typeof entries>[number]) =>
      Number(entry.commonProperties?.customTags["limpid.count"] ?? 1);
    const sum = (code?: number) =>
      entries()
        .filter((entry) => code === undefined || entry.response?.responseCode === code)
        .reduce((count, entry) => count + countOf(entry), 0);
    await vi.waitFor(() => expect(sum()).toBe(total), { timeout: 20_000 });
    expect([sum(200), sum(503)]).toEqual([3_000, 1_000]);
    const bytes = entries().reduce((all, entry) => all + Number(entry.response?.responseBodyBytes), 0);
    expect(bytes).toBe(total * 358);
    expect(entries().some((entry) => countOf(entry) > 100)).toBe(true);
    await vi.waitFor(() => expect(value("logs_written")).toBe(total), { timeout: 20_000 });
    // Once the counts are out, requests have their details again.
    logger.log(sampleRecord({ path: "/after" }));
    await vi.waitFor(() => expect(second.paths()).toContain("/after"));
    expect(second.paths().at(-1)).toBe("/after");
  }, 30_000);

  it("keeps what is not acknowledged, and sends it again under its number", async () => {
    const first = await acknowledging(0, 2);
    const { made, stats } = loggers(first.port);
    const logger = loggerOf(made, als());
    for (let i = 1; i <= 5; i++) logger.log(sampleRecord({ path: `/${i}` }));
    await vi.waitFor(() => expect(first.paths()).toEqual(["/1", "/2", "/3", "/4", "/5"]));
    const written = stats.counter("access_logs.grpc_access_log.logs_written");
    await vi.waitFor(() => expect(written.value).toBe(2));
    first.stop();
    const second = await acknowledging(first.port, Number.POSITIVE_INFINITY);
    await vi.waitFor(() => expect(second.paths()).toEqual(["/3", "/4", "/5"]), { timeout: 10_000 });
    await vi.waitFor(() => expect(written.value).toBe(5));
    const [before] = first.streams;
    expect(before?.first).toBe(1);
    expect(second.streams).toEqual([{ sender: before?.sender, first: 3 }]);
    expect(stats.counter("access_logs.grpc_access_log.logs_dropped").value).toBe(0);
  });

  it("counts what comes while as much as it may keep is not acknowledged", async () => {
    const first = await acknowledging(0, 0);
    const { made, stats } = loggers(first.port);
    const logger = loggerOf(made, als(4_096));
    const value = (name: string) => stats.counter(`access_logs.grpc_access_log.${name}`).value;
    for (let i = 0; i < 4_000; i++) logger.log(sampleRecord({ path: `/${"x".repeat(500)}` }));
    expect(value("logs_folded")).toBeGreaterThan(1_000);
    first.stop();
    const second = await acknowledging(first.port, Number.POSITIVE_INFINITY);
    await vi.waitFor(() => expect(value("logs_written")).toBe(4_000), { timeout: 20_000 });
    expect(second.requests()).toBe(4_000);
  }, 30_000);

  it("sends what is left when closed", async () => {
    const server = await collector();
    const { made } = loggers(server.port);
    loggerOf(made, als(16_384)).log(sampleRecord({ path: "/last" }));
    await made.close();
    expect(server.paths()).toEqual(["/last"]);
  });

  it("refuses what it doesn't know by name", () => {
    const { made } = loggers(1);
    const unknown = create(AccessLogSchema, {
      name: "envoy.access_loggers.wasm",
      configType: { case: "typedConfig", value: { typeUrl: "type.googleapis.com/x.Wasm", value: new Uint8Array() } },
    });
    expect(made.loggerFor([unknown])).toMatchObject({
      ok: false,
      errors: ["access_log envoy.access_loggers.wasm: type.googleapis.com/x.Wasm is not supported"],
    });
  });
});

describe("access log in a file", () => {
  const lines = async (config: Parameters<typeof fileEntry>[1]) => {
    const folder = await mkdtemp(join(tmpdir(), "access-log-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const { made } = loggers(1);
    const path = join(folder, "log");
    const logger = loggerOf(made, fileEntry(path, config));
    logger.log(sampleRecord());
    logger.log(sampleRecord({ responseCode: 503, responseFlags: 2, responseHeaders: [], upstreamRemoteAddress: "" }));
    await made.close();
    return readFile(path, "utf8");
  };
  type Format = MessageShape<typeof FileAccessLogSchema>["accessLogFormat"];
  const fileEntry = (path: string, accessLogFormat: Format) =>
    entry("envoy.access_loggers.file", FileAccessLogSchema, create(FileAccessLogSchema, { path, accessLogFormat }));

  it("writes Envoy's default format", async () => {
    expect(await lines({ case: undefined })).toBe(
      '[2026-11-18T11:00:45.123Z] "GET /reviews/0 HTTP/1.1" 200 - 0 358 12 - "10.0.0.1" "curl/8" ' +
        '"b3b4d327-e089-46c6-add5-2c18abeba2b4" "reviews:9080" "127.0.1.5:9080"\n' +
        '[2026-11-18T11:00:45.123Z] "GET /reviews/0 HTTP/1.1" 503 UH 0 358 12 - "10.0.0.1" "curl/8" ' +
        '"b3b4d327-e089-46c6-add5-2c18abeba2b4" "reviews:9080" "-"\n',
    );
  });

  it("writes JSON with numbers kept", async () => {
    const value = {
      code: "%RESPONSE_CODE%",
      to: "%UPSTREAM_HOST%",
      type: "%RESP(CONTENT-TYPE):5%",
      both: "%REQ(:METHOD)% x",
    };
    expect(
      (await lines({ case: "jsonFormat", value }))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { code: 200, to: "127.0.1.5:9080", type: "appli", both: "GET x" },
      { code: 503, to: null, type: null, both: "GET x" },
    ]);
  });

  it("refuses an operator that it doesn't know", () => {
    const { made } = loggers(1);
    const made2 = made.loggerFor([fileEntry("/tmp/never", { case: "format", value: "%NOPE% %REQ(X)%" })]);
    expect(made2).toMatchObject({
      errors: ["access_log envoy.access_loggers.file: format: %NOPE% is not supported"],
    });
  });
});

describe("lines of other logs", () => {
  it("share files with those of requests, up to as many files as there may be", async () => {
    const folder = await mkdtemp(join(tmpdir(), "limpid-lines-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const stats = new Stats();
    const node = create(NodeSchema, { id: "test" });
    const loggers = new AccessLoggers({ node, channels: new GrpcChannels(), stats, clock: systemClock });
    const path = (index: number) => join(folder, `${index}.log`);
    for (let index = 0; index < 64; index++) loggers.lines(path(index))(`of ${index}\n`);
    loggers.lines(path(0))("again\n");
    loggers.lines(path(64))("one file too many\n");
    await loggers.close();
    expect(await readFile(path(0), "utf8")).toBe("of 0\nagain\n");
    await expect(readFile(path(64))).rejects.toThrow();
    expect(stats.counters.get("access_logs.file_access_log.logs_dropped")?.value).toBe(1);
  });

  it("go nowhere where nothing is written", () => {
    const node = create(NodeSchema, { id: "test" });
    const options = { node, channels: new GrpcChannels(), stats: new Stats(), clock: systemClock, writes: false };
    expect(() => new AccessLoggers(options).lines("/nosuch/file")("x\n")).not.toThrow();
  });
});
