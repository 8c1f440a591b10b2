import { create } from "@bufbuild/protobuf";
import { Metadata, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LogsService } from "../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import {
  ExportTraceServiceRequestSchema,
  ExportTraceServiceResponseSchema,
  TraceService,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { addService, makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { createQueries } from "../query/queries.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { type Collector, createCollector } from "./collector.ts";
import { staticBootstrap } from "./testing/bootstrap.ts";
import { envoyMissing, type RunningEnvoy, startEnvoy, until } from "./testing/envoy.ts";

const cluster = (app: string) => `outbound|7070||${app}.default.svc.cluster.local`;

/** Real gRPC calls through real Envoys: one with the access log of Limpid's translation, one with a log of its own. */
describe.skipIf(envoyMissing !== undefined)(`gRPC through Envoy ${envoyMissing ?? ""}`, () => {
  const cleanUps: (() => unknown)[] = [];
  let store: MemoryTelemetryStore;
  let collector: Collector;
  let backend: string;

  beforeAll(async () => {
    store = new MemoryTelemetryStore();
    collector = createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger });
    await collector.start();
    cleanUps.push(() => collector.stop());
    const server = new Server();
    addService(server, TraceService, {
      export: (_, callback) => callback(null, create(ExportTraceServiceResponseSchema)),
    });
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure();
      server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    cleanUps.push(() => server.forceShutdown());
    backend = `127.0.0.1:${port}`;
  });

  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  const envoy = async (workload: string, logName: string): Promise<RunningEnvoy> => {
    const running = await startEnvoy(
      staticBootstrap({
        workload,
        app: workload,
        version: "v1",
        kind: "sidecar",
        collector: collector.addresses().grpc,
        listeners: [
          {
            name: "out",
            logName,
            routes: [
              {
                match: { prefix: "/", headers: [{ name: "x-to", present_match: true }] },
                route: { cluster: cluster("gone") },
              },
              { match: { prefix: "/" }, route: { cluster: cluster("echo") } },
            ],
          },
        ],
        clusters: [
          { name: cluster("echo"), endpoint: backend, workload: "echo-v1;default;echo;v1;limpid", http2: true },
          { name: cluster("gone"), http2: true },
        ],
      }),
    );
    cleanUps.push(running.stop);
    return running;
  };

  /** 6 calls answered OK, 4 UNIMPLEMENTED by the application, 2 UNAVAILABLE by Envoy. */
  const callThrough = async (address: string) => {
    const traces = makeClient(TraceService, address);
    const logs = makeClient(LogsService, address);
    const nowhere = new Metadata();
    nowhere.set("x-to", "nowhere");
    const request = create(ExportTraceServiceRequestSchema);
    const codes: number[] = [];
    const settled = (resolve: () => void) => (error: ServiceError | null) => {
      codes.push(error?.code ?? 0);
      resolve();
    };
    for (let i = 0; i < 6; i++)
      await new Promise<void>((done) => traces.export(request, new Metadata(), {}, settled(done)));
    for (let i = 0; i < 4; i++) {
      await new Promise<void>((done) =>
        logs.export(
          { $typeName: "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest", resourceLogs: [] },
          new Metadata(),
          {},
          settled(done),
        ),
      );
    }
    for (let i = 0; i < 2; i++) await new Promise<void>((done) => traces.export(request, nowhere, {}, settled(done)));
    traces.close();
    logs.close();
    return codes;
  };

  const edgeOf = async (source: string, target: string) => {
    const graph = await createQueries({ reader: store }).graph({ window: 60 });
    const edge = graph.edges.find((each) => each.source.includes(source) && each.target.includes(target));
    const count = (rate: number | undefined) => Math.round((rate ?? 0) * graph.windowSec);
    return (
      edge && {
        protocol: edge.protocol,
        requests: count(edge.signals.requestRate),
        errors: count(edge.signals.errorShare * edge.signals.requestRate),
        health: edge.health,
        codes: Object.keys(edge.codes),
        statuses: Object.fromEntries(Object.entries(edge.grpcStatuses ?? {}).map(([key, rate]) => [key, count(rate)])),
      }
    );
  };

  it("a failure is a failure, whoever answered it", async () => {
    const running = await envoy("caller", "limpid.outbound");
    expect(await callThrough(await running.listener("out"))).toEqual([0, 0, 0, 0, 0, 0, 12, 12, 12, 12, 14, 14]);
    await until(async () => (await edgeOf("caller", "echo"))?.requests === 10);
    expect(await edgeOf("caller", "echo")).toEqual({
      protocol: "grpc",
      requests: 10,
      errors: 4,
      health: "failing",
      codes: ["200"],
      statuses: { 0: 6, 12: 4 },
    });
    expect(await edgeOf("caller", "gone")).toMatchObject({ requests: 2, errors: 2, statuses: { 14: 2 } });
    const errors = await createQueries({ reader: store }).logs({ errorsOnly: true, limit: 50 });
    expect(errors.map((log) => log.grpcStatus).toSorted()).toEqual([12, 12, 12, 12, 14, 14]);
  });

  it("an Envoy with a log of its own counts all the same", async () => {
    const running = await envoy("stranger", "somebodys.log");
    await callThrough(await running.listener("out"));
    await until(async () => (await edgeOf("stranger", "echo"))?.requests === 10);
    // By its address, of which the other proxy has told.
    expect(await edgeOf("stranger", "echo")).toMatchObject({ requests: 10 });
    const { ignored, ok } = await collector.health();
    expect([ok, ignored.entries]).toEqual([true, 0]);
  });
});
