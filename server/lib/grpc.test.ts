import { create } from "@bufbuild/protobuf";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { AccessLogService, StreamAccessLogsMessageSchema } from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import { DeltaDiscoveryRequestSchema } from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { GrpcServer } from "../grpc/server.ts";
import { systemClock } from "./clock.ts";
import { addService, makeClient } from "./grpc.ts";

const servers: GrpcServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) void server.stop(0);
});

const boom = (): never => {
  throw new Error("boom");
};

test("what a handler or a listener of its call throws ends the call and not the process, and is told", async () => {
  const told: string[] = [];
  const onError = (error: unknown, method: string) => told.push(`${method}: ${(error as Error).message}`);
  const limits = { maxMessageBytes: 1 << 20, maxStreamsPerConnection: 10, maxConnections: 10, firstMessageMs: 60_000 };
  const server = new GrpcServer(limits, systemClock);
  servers.push(server);
  addService(
    server,
    AggregatedDiscoveryService,
    { deltaAggregatedResources: (call) => void call.on("data", boom) },
    onError,
  );
  addService(server, AccessLogService, { streamAccessLogs: boom }, onError);
  const port = await server.listen({ host: "127.0.0.1", port: 0 });

  const ads = makeClient(AggregatedDiscoveryService, `127.0.0.1:${port}`);
  const stream = ads.deltaAggregatedResources();
  stream.on("data", () => {});
  const failure = new Promise<ServiceError>((resolve) =>
    stream.once("error", (error) => resolve(error as ServiceError)),
  );
  stream.write(create(DeltaDiscoveryRequestSchema, {}));
  expect((await failure).code).toBe(status.INTERNAL);
  ads.close();

  const logs = makeClient(AccessLogService, `127.0.0.1:${port}`);
  const answer = await new Promise<ServiceError | null>((resolve) => {
    const call = logs.streamAccessLogs(new Metadata(), {}, resolve);
    call.on("error", () => {});
    call.write(create(StreamAccessLogsMessageSchema, {}));
  });
  expect(answer?.code).toBe(status.INTERNAL);
  logs.close();
  expect(told).toEqual([
    "envoy.service.discovery.v3.AggregatedDiscoveryService/deltaAggregatedResources: boom",
    "envoy.service.accesslog.v3.AccessLogService/streamAccessLogs: boom",
  ]);
});
