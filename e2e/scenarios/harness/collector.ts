import { Server, ServerCredentials } from "@grpc/grpc-js";
import type {
  HTTPAccessLogEntry,
  TCPAccessLogEntry,
} from "../../../server/gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { AccessLogService } from "../../../server/gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { TraceService } from "../../../server/gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { Span } from "../../../server/gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import { addService } from "../../../server/lib/grpc.ts";

export interface LoggedRequest {
  nodeId: string;
  logName: string;
  entry: HTTPAccessLogEntry;
}

export interface LoggedConnection {
  nodeId: string;
  logName: string;
  entry: TCPAccessLogEntry;
}

/** Takes access logs and spans and keeps them. */
export interface Collector {
  readonly port: number;
  readonly logs: LoggedRequest[];
  readonly connections: LoggedConnection[];
  readonly spans: { serviceName: string; span: Span }[];
  close(): void;
}

/** @param at 0: any free port */
export async function startCollector(at = 0): Promise<Collector> {
  const logs: LoggedRequest[] = [];
  const connections: LoggedConnection[] = [];
  const spans: Collector["spans"] = [];
  const server = new Server();
  addService(server, AccessLogService, {
    streamAccessLogs(call, callback) {
      let nodeId = "";
      let logName = "";
      call.on("data", ({ identifier, logEntries }) => {
        nodeId = identifier?.node?.id ?? nodeId;
        logName = identifier?.logName ?? logName;
        if (logEntries.case === "httpLogs") {
          for (const entry of logEntries.value.logEntry) logs.push({ nodeId, logName, entry });
        } else if (logEntries.case === "tcpLogs") {
          for (const entry of logEntries.value.logEntry) connections.push({ nodeId, logName, entry });
        }
      });
      call.on("end", () => callback(null, { $typeName: "envoy.service.accesslog.v3.StreamAccessLogsResponse" }));
      call.on("error", () => {});
    },
  });
  addService(server, TraceService, {
    export({ request }, callback) {
      for (const { resource, scopeSpans } of request.resourceSpans) {
        const name = resource?.attributes.find(({ key }) => key === "service.name")?.value?.value.value;
        for (const span of scopeSpans.flatMap((scope) => scope.spans)) spans.push({ serviceName: String(name), span });
      }
      callback(null, { $typeName: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse" });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${at}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, logs, connections, spans, close: () => server.forceShutdown() };
}
