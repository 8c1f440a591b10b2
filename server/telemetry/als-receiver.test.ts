import { once } from "node:events";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { AccessLogType } from "../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { AccessLogService, StreamAccessLogsMessageSchema } from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { healthCheckerAgent } from "../wire/health-checker.ts";
import { acknowledgesKey, decodeAcknowledgement, formatLogBatches, logBatchesKey } from "../wire/log-batches.ts";
import { type AlsMessage, entries, identifier, streamLogs } from "./testing/access-log-stream.ts";
import { runningCollector } from "./testing/running-collector.ts";

const running = runningCollector();
const stream = (...messages: AlsMessage[]) => streamLogs(running.collector.addresses().grpc, ...messages);

describe("access logs over gRPC", () => {
  it("are counted for the node that the stream's first message names", async () => {
    expect(await stream({ identifier: identifier("limpid.outbound"), ...entries(2) }, entries(3))).toBeNull();
    await running.collector.stop();
    expect(await running.counted()).toBe(5);
    const [row] = await running.store.rollups({ fromMs: 0, toMs: Date.now() + 60_000, stepSec: 1 });
    expect(row?.edge).toMatchObject({
      reporter: "source",
      source: { app: "productpage" },
      destination: { app: "reviews" },
    });
    expect(running.collector.stats()).toMatchObject({ httpRecords: 5, ignoredEntries: 0, streams: 0 });
  });

  describe("of a sender that numbers its messages", () => {
    const sender = "0123456789abcdef".repeat(2);
    /** Opens a stream whose first message has the number `first`; `acknowledged` resolves once the message of a number is said to be written. */
    const open = (first: number) => {
      const metadata = new Metadata();
      metadata.set(logBatchesKey, formatLogBatches({ sender, first }));
      const client = new Client(running.collector.addresses().grpc, credentials.createInsecure());
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
      expect(await running.counted()).toBe(5);
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
      expect(await running.counted()).toBe(9);
      again.close();
      await running.restart();
      const later = open(3);
      later.send({ ...named, ...entries(4) });
      later.send(entries(5));
      await later.acknowledged(4);
      expect(await running.counted()).toBe(14);
      later.close();
    });

    it("one that is refused is not refused again, or its sender would have to keep it for ever", async () => {
      const broken = Buffer.from([0x12, 0x7f, 0]);
      const metadata = new Metadata();
      metadata.set(logBatchesKey, formatLogBatches({ sender, first: 1 }));
      const client = makeClient(AccessLogService, running.collector.addresses().grpc);
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
      const client = makeClient(AccessLogService, running.collector.addresses().grpc);
      const error = await new Promise<ServiceError | null>((resolve) => {
        client.streamAccessLogs(metadata, {}, (error) => resolve(error)).on("error", () => {});
      });
      expect(error?.code).toBe(status.INVALID_ARGUMENT);
      client.close();
    });
  });

  it("of another log name count all the same", async () => {
    expect(await stream({ identifier: identifier("somebody.else"), ...entries(2) })).toBeNull();
    expect(running.collector.stats()).toMatchObject({ httpRecords: 2, ignoredEntries: 0 });
  });

  it("that count for nothing are said to be ignored, and whose they are", async () => {
    const begun = entries(2);
    for (const entry of begun.logEntries?.value?.logEntry ?? []) {
      Object.assign(entry.commonProperties ?? {}, { accessLogType: AccessLogType.DownstreamStart });
    }
    expect(await stream({ identifier: identifier("mine"), ...begun })).toBeNull();
    const { ignored } = await running.collector.health();
    expect(ignored).toMatchObject({ entries: 2, logs: [{ logName: "mine", because: "not an end", entries: 2 }] });
    expect(ignored.logs[0]?.proxy).toContain("productpage-v1");
  });

  it("of probes are nobody's calls, and nothing that is missed", async () => {
    const probes = entries(2);
    if (probes.logEntries?.case !== "httpLogs") throw new Error("entries are of HTTP");
    for (const entry of probes.logEntries.value?.logEntry ?? [])
      Object.assign(entry, { request: { userAgent: healthCheckerAgent } });
    expect(await stream({ identifier: identifier("limpid.inbound"), ...probes })).toBeNull();
    expect(running.collector.stats()).toMatchObject({ httpRecords: 2, ignoredEntries: 0 });
    expect(await running.counted()).toBe(0);
  });

  it("are answered when they are in the store, and not before", async () => {
    expect(await stream({ identifier: identifier("limpid.outbound"), ...entries(3) })).toBeNull();
    expect(await running.counted()).toBe(3);
  });

  it("without an identifier are refused", async () => {
    expect(await stream(entries(1))).toMatchObject({ code: 3, details: expect.stringContaining("identifier") });
    expect(running.collector.stats().streams).toBe(0);
  });
});
