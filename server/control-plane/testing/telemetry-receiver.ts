import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import {
  AccessLogService,
  type StreamAccessLogsMessage,
  StreamAccessLogsResponseSchema,
} from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import {
  type ExportLogsServiceRequest,
  ExportLogsServiceResponseSchema,
  LogsService,
} from "../../gen/proto/opentelemetry/proto/collector/logs/v1/logs_service_pb.js";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceResponseSchema,
  TraceService,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { addService } from "../../lib/grpc.ts";
import type { Closers } from "./scenario.ts";

/** Takes access logs (ALS), spans and logs (OTLP), and keeps what came. */
export async function startTelemetryReceiver(closers: Closers) {
  const logged: { logName: string; path: string }[] = [];
  const traced: ExportTraceServiceRequest[] = [];
  const told: ExportLogsServiceRequest[] = [];
  const server = new Server();
  addService(server, AccessLogService, {
    streamAccessLogs(call, callback) {
      let logName = "";
      call.on("data", ({ identifier, logEntries }: StreamAccessLogsMessage) => {
        logName = identifier?.logName ?? logName;
        if (logEntries.case !== "httpLogs") return;
        for (const { request } of logEntries.value.logEntry) logged.push({ logName, path: request?.path ?? "" });
      });
      call.on("end", () => callback(null, create(StreamAccessLogsResponseSchema)));
      call.on("error", () => {});
    },
  });
  addService(server, TraceService, {
    export(call, callback) {
      traced.push(call.request);
      callback(null, create(ExportTraceServiceResponseSchema));
    },
  });
  addService(server, LogsService, {
    export(call, callback) {
      told.push(call.request);
      callback(null, create(ExportLogsServiceResponseSchema));
    },
  });
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    ),
  );
  closers.push(() => server.forceShutdown());
  return {
    port,
    logged: (logName: string) => logged.filter((one) => one.logName === logName).map(({ path }) => path),
    /** Attributes of spans. */
    spans: () =>
      traced
        .flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((it) => it.spans)))
        .map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value?.value.value]))),
    bodies: () =>
      told
        .flatMap(({ resourceLogs }) => resourceLogs.flatMap((it) => it.scopeLogs.flatMap((of) => of.logRecords)))
        .map(({ body }) => body?.value.value),
  };
}
