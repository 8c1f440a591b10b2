import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type {
  HTTPAccessLogEntrySchema,
  TCPAccessLogEntrySchema,
} from "../../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { StreamAccessLogsMessageSchema } from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { addRecords, type LogSource } from "../access-log.ts";
import { EntryReader } from "../entry-reader.ts";
import { PeerBook } from "../peer-book.ts";
import type { TrafficRecord } from "../record.ts";

type Init<Schema extends Parameters<typeof create>[0]> = MessageInitShape<Schema>;

/** A message of ALS, as protobuf-es writes it. */
export function encodedLogs(entries: {
  http?: Init<typeof HTTPAccessLogEntrySchema>[];
  tcp?: Init<typeof TCPAccessLogEntrySchema>[];
}): Buffer {
  const logEntries: Exclude<Init<typeof StreamAccessLogsMessageSchema>, { $typeName: string }>["logEntries"] =
    entries.http
      ? { case: "httpLogs", value: { logEntry: entries.http } }
      : { case: "tcpLogs", value: { logEntry: entries.tcp ?? [] } };
  return Buffer.from(toBinary(StreamAccessLogsMessageSchema, create(StreamAccessLogsMessageSchema, { logEntries })));
}

export function readRecords(
  message: Buffer,
  source: Pick<LogSource, "reporter" | "direction"> & Partial<Pick<LogSource, "peers">>,
): TrafficRecord[] {
  const records: TrafficRecord[] = [];
  const of = { peers: new PeerBook(), known: { edges: new Map(), sinceMs: 0 }, ...source };
  new EntryReader().read(
    message,
    () => true,
    (entry) => void addRecords(records, entry, of, Date.now()),
  );
  return records;
}
