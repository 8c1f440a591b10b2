import { create, toBinary } from "@bufbuild/protobuf";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  AccessLogService,
  StreamAccessLogsMessage_IdentifierSchema,
} from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import type { Clock } from "../../lib/clock.ts";
import { BatchExporter } from "../batch-exporter.ts";
import type { EnvoyGrpc } from "../grpc/grpc-channels.ts";
import { type Clusters, targetOf } from "../grpc/grpc-sender.ts";
import type { RequestRecord } from "../record.ts";
import type { Stats } from "../stats.ts";
import { GrpcFailure, grpcSend } from "../upstream/grpc-call.ts";
import { type EntryOptions, encodeEntry, encodeTcpEntry } from "./encode-entry.ts";
import { delimited, ProtoWriter } from "./proto-writer.ts";

interface AlsCallsOptions {
  node: Node;
  logName: string;
  kind: "http" | "tcp";
  to: EnvoyGrpc;
  clusters: Clusters;
  flushIntervalMs: number;
  stats: Stats;
  clock: Clock;
}

/** Of StreamAccessLogsMessage, and of what it holds, both as length-delimited fields. */
const identifierField = 1;
const entriesField = { http: 2, tcp: 3 };

/**
 * Access logs for somebody whom the data path reaches: a stream for each batch, which such a server takes as it takes one that stays. What it does
 * not take is lost and counted; the mesh's own log, which loses nothing, is `AlsClient`.
 */
export class AlsCalls {
  readonly #kind: "http" | "tcp";
  readonly #writer = new ProtoWriter();
  readonly #exporter: BatchExporter<Buffer>;

  constructor({ node, logName, kind, to, clusters, flushIntervalMs, stats, clock }: AlsCallsOptions) {
    this.#kind = kind;
    const identifier = toBinary(
      StreamAccessLogsMessage_IdentifierSchema,
      create(StreamAccessLogsMessage_IdentifierSchema, { node, logName }),
    );
    const begin = delimited(identifierField, identifier);
    this.#exporter = new BatchExporter({
      send: (entries) =>
        new Promise((resolve) => {
          const message = Buffer.concat([begin, delimited(entriesField[kind], ...entries)]);
          grpcSend(clusters(), targetOf(to), AccessLogService.method.streamAccessLogs, message, (result) =>
            resolve(!(result instanceof GrpcFailure)),
          );
        }),
      sent: stats.counter("access_logs.grpc_access_log.logs_written"),
      dropped: stats.counter("access_logs.grpc_access_log.logs_dropped"),
      clock,
      flushIntervalMs,
    });
  }

  append(record: RequestRecord, options: EntryOptions): void {
    if (this.#kind === "tcp") encodeTcpEntry(this.#writer, record, options);
    else encodeEntry(this.#writer, record, options);
    this.#exporter.add(this.#writer.take());
  }

  close(): Promise<void> {
    return this.#exporter.close();
  }
}
