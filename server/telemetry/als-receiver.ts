import { create } from "@bufbuild/protobuf";
import { type handleClientStreamingCall, status } from "@grpc/grpc-js";
import {
  type StreamAccessLogsMessage,
  type StreamAccessLogsMessage_Identifier,
  type StreamAccessLogsResponse,
  StreamAccessLogsResponseSchema,
} from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { type Direction, directionOf, httpRecords, tcpRecords } from "./access-log.ts";
import { type ReporterNode, readNode } from "./peer.ts";
import type { TrafficRecord } from "./record.ts";

export interface AlsSink {
  records(records: readonly TrafficRecord[]): void;
}

/** Counters of the receiver; totals, but for `streams`. */
export interface AlsCounters {
  httpRecords: number;
  tcpRecords: number;
  ignoredEntries: number;
  streams: number;
}

type Handler = handleClientStreamingCall<StreamAccessLogsMessage, StreamAccessLogsResponse>;

/**
 * `envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs`: a stream's first message says whose logs they are.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/accesslog/v3/als.proto
 */
export function alsHandler(sink: AlsSink, counters: AlsCounters): Handler {
  return (call, callback) => {
    let stream: AlsStream | undefined;
    let done = false;
    const finish = (respond: () => void) => {
      if (done) return;
      done = true;
      counters.streams--;
      respond();
    };
    counters.streams++;
    call.on("data", (message: StreamAccessLogsMessage) => {
      if (done) return;
      if (message.identifier) stream = openStream(message.identifier);
      if (stream === undefined) {
        const details = "the first message of the stream has no identifier with a node";
        finish(() => callback({ code: status.INVALID_ARGUMENT, details }));
        return;
      }
      take(message, stream, sink, counters);
    });
    call.on("end", () => finish(() => callback(null, create(StreamAccessLogsResponseSchema))));
    call.on("error", () => finish(() => {}));
    call.on("cancelled", () => finish(() => {}));
  };
}

interface AlsStream {
  direction: Direction | undefined;
  reporter: ReporterNode;
}

function openStream(identifier: StreamAccessLogsMessage_Identifier): AlsStream | undefined {
  if (identifier.node === undefined) return undefined;
  return { direction: directionOf(identifier.logName), reporter: readNode(identifier.node) };
}

function take(message: StreamAccessLogsMessage, stream: AlsStream, sink: AlsSink, counters: AlsCounters): void {
  const { direction, reporter } = stream;
  const logs = message.logEntries;
  if (logs.case === undefined) return;
  const entries = logs.value.logEntry.length;
  if (direction === undefined) {
    counters.ignoredEntries += entries;
  } else if (logs.case === "httpLogs") {
    counters.httpRecords += entries;
    sink.records(logs.value.logEntry.flatMap((entry) => httpRecords(entry, direction, reporter)));
  } else {
    counters.tcpRecords += entries;
    sink.records(logs.value.logEntry.flatMap((entry) => tcpRecords(entry, direction, reporter)));
  }
}
