import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type handleClientStreamingCall,
  type Server,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  AccessLogService,
  StreamAccessLogsMessage_IdentifierSchema,
  type StreamAccessLogsResponse,
  StreamAccessLogsResponseSchema,
} from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { addRecords, type LogSource, logSource } from "./access-log.ts";
import { EntryReader } from "./entry-reader.ts";
import type { IgnoredLogs } from "./ignored-logs.ts";
import { readNode } from "./peer.ts";
import type { PeerBook } from "./peer-book.ts";
import type { TrafficRecord } from "./record.ts";

export interface AlsSink {
  records(records: readonly TrafficRecord[]): void;
  /** Resolves once everything that came before is in the store; rejects when it can't be written. */
  written(): Promise<void>;
}

/** Counters of the receiver; totals, but for `streams`. */
export interface AlsCounters {
  httpRecords: number;
  tcpRecords: number;
  streams: number;
}

export interface AlsOptions {
  sink: AlsSink;
  counters: AlsCounters;
  ignored: IgnoredLogs;
  peers: PeerBook;
  now(): number;
  onError(error: unknown, method: string): void;
}

/**
 * `envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs`: a stream's first message says whose logs they are. Its answer at the end says
 * that all of them are in the store. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/accesslog/v3/als.proto
 */
export function addAccessLogService(server: Server, options: AlsOptions): void {
  const handlers = { streamAccessLogs: handler(options) };
  server.addService(definition, handlers as unknown as UntypedServiceImplementation);
}

const definition: ServiceDefinition = {
  streamAccessLogs: {
    path: `/${AccessLogService.typeName}/StreamAccessLogs`,
    requestStream: true,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (response: StreamAccessLogsResponse) =>
      Buffer.from(toBinary(StreamAccessLogsResponseSchema, response)),
    responseDeserialize: (bytes: Buffer) => fromBinary(StreamAccessLogsResponseSchema, bytes),
  },
};

function handler(options: AlsOptions): handleClientStreamingCall<Buffer, StreamAccessLogsResponse> {
  const { sink, counters } = options;
  return (call, callback) => {
    const stream = new AlsStream(options);
    let done = false;
    const finish = (respond: () => void) => {
      if (done) return;
      done = true;
      counters.streams--;
      respond();
    };
    const refuse = (code: status, details: string) => finish(() => callback({ code, details }));
    counters.streams++;
    call.on("data", (message: Buffer) => {
      if (done) return;
      try {
        const refused = stream.take(message);
        if (refused !== undefined) refuse(status.INVALID_ARGUMENT, refused);
      } catch (error) {
        options.onError(error, definition.streamAccessLogs?.path ?? "");
        refuse(status.INTERNAL, "internal error");
      }
    });
    call.on("end", () => {
      sink.written().then(
        () => finish(() => callback(null, fromBinary(StreamAccessLogsResponseSchema, new Uint8Array()))),
        (error: Error) => refuse(status.UNAVAILABLE, `the telemetry store can't be written: ${error.message}`),
      );
    });
    call.on("error", () => finish(() => {}));
    call.on("cancelled", () => finish(() => {}));
  };
}

class AlsStream {
  #source: LogSource | undefined;
  #logName = "";
  readonly #options: AlsOptions;
  readonly #reader = new EntryReader();

  constructor(options: AlsOptions) {
    this.#options = options;
  }

  /** Why the message is refused, if it is. */
  take(message: Buffer): string | undefined {
    const { sink, counters, ignored, now } = this.#options;
    const records: TrafficRecord[] = [];
    const nowMs = now();
    let missing = false;
    try {
      this.#reader.read(
        message,
        (identifier) => this.#open(identifier),
        (entry) => {
          const source = this.#source;
          if (source === undefined) {
            missing = true;
            return;
          }
          if (entry.kind === "http") counters.httpRecords++;
          else counters.tcpRecords++;
          const because = addRecords(records, entry, source, nowMs);
          if (because !== undefined) ignored.add({ proxy: source.reporter.id, logName: this.#logName, because }, nowMs);
        },
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      ignored.add({ proxy: this.#source?.reporter.id ?? "", logName: this.#logName, because: "malformed" }, nowMs);
      return `the message can't be read: ${error.message}`;
    } finally {
      sink.records(records);
    }
    return missing || this.#source === undefined ? noIdentifier : undefined;
  }

  #open(bytes: Buffer): boolean {
    let identifier: { node?: Parameters<typeof readNode>[0]; logName: string };
    try {
      identifier = fromBinary(StreamAccessLogsMessage_IdentifierSchema, bytes);
    } catch {
      throw new RangeError("its identifier is malformed");
    }
    if (identifier.node === undefined) return false;
    const reporter = readNode(identifier.node);
    this.#options.peers.addProxy(reporter);
    this.#logName = identifier.logName;
    this.#source = logSource(identifier.logName, reporter, this.#options.peers);
    return true;
  }
}

const noIdentifier = "the first message of the stream has no identifier with a node";
