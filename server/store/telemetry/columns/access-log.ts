import type { TrafficRecord } from "../../../telemetry/record.ts";
import { isError } from "../../../telemetry/samples.ts";
import { type Columns, int2, int4, int8, text } from "./column.ts";

export interface AccessLogEntry {
  /** The number of its edge. */
  edge: number;
  sample: TrafficRecord;
}

export const accessLogColumns: Columns<AccessLogEntry> = [
  int8("at", ({ sample }) => Math.floor(sample.timeMs)),
  int4("edge", ({ edge }) => edge),
  int4("code", ({ sample }) => sample.code),
  int8("flags", ({ sample }) => sample.flags),
  int4("grpc_status", ({ sample }) => sample.grpcStatus),
  int8("duration_us", ({ sample }) => Math.round(sample.durationMs * 1000)),
  int8("request_bytes", ({ sample }) => sample.requestBytes),
  int8("response_bytes", ({ sample }) => sample.responseBytes),
  text("method", ({ sample }) => sample.method),
  text("path", ({ sample }) => sample.path),
  text("authority", ({ sample }) => sample.authority),
  text("request_id", ({ sample }) => sample.requestId),
  text("trace_id", ({ sample }) => sample.traceId),
  text("upstream_cluster", ({ sample }) => sample.upstreamCluster),
  text("upstream_host", ({ sample }) => sample.upstreamHost),
  text("details", ({ sample }) => sample.details),
  text("config", ({ sample }) => sample.config),
  text("proxy", ({ sample }) => sample.proxy),
  int2("error", ({ sample }) => (isError(sample) ? 1 : 0)),
];
