import { fromBinary } from "@bufbuild/protobuf";
import { Metadata, type ServiceDefinition, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  AccessLogService,
  StreamAccessLogsMessage_IdentifierSchema,
} from "../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import type { DuplexCall, ServiceHost } from "../lib/grpc.ts";
import {
  acknowledgesKey,
  encodeAcknowledgement,
  type LogBatches,
  logBatchesKey,
  parseLogBatches,
} from "../wire/log-batches.ts";
import { addRecords, type LogSource, logSource } from "./access-log.ts";
import { EntryReader } from "./entry-reader.ts";
import type { IgnoredLogs } from "./ignored-logs.ts";
import { readNode } from "./peer.ts";
import type { PeerBook } from "./peer-book.ts";
import type { TrafficRecord } from "./record.ts";

export interface AlsSink {
  /** `sender`: whose numbered batch they came in. */
  records(records: readonly TrafficRecord[], sender?: string): void;
  /** A stream of numbered batches begins, with this number; resolves when they can be asked about. */
  introduce(sender: string, first: number): Promise<void>;
  /** Asked of a numbered batch before its records are handed over, at once. False: it was taken in before. */
  takes(sender: string, number: number): boolean;
  /** Resolves once everything that came before is in the store, with the next regular batch or soon; rejects when it can't be written. */
  written(soon: boolean): Promise<void>;
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
 * that all of them are in the store; a client that numbers its messages is told so on the way as well (server/wire/log-batches.ts).
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/accesslog/v3/als.proto
 */
export function addAccessLogService(server: ServiceHost, options: AlsOptions): void {
  const handlers = { streamAccessLogs: handler(options) };
  server.addService(definition, handlers as unknown as UntypedServiceImplementation);
}

/** For most clients there is one answer; the difference is none on the wire. */
const definition: ServiceDefinition = {
  streamAccessLogs: {
    path: `/${AccessLogService.typeName}/StreamAccessLogs`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
};

/** A client may keep this much before it is told that it is written; then it is told before the next regular batch. */
const maxUnwrittenBytes = 256 << 10;

function handler(options: AlsOptions): (call: DuplexCall<Buffer, Buffer>) => void {
  const { sink, counters } = options;
  return (call) => {
    const [numbered] = call.metadata.get(logBatchesKey);
    const batches = numbered === undefined ? undefined : parseLogBatches(String(numbered));
    const stream = new AlsStream(options, batches);
    let done = false;
    const finish = (respond: () => void) => {
      if (done) return;
      done = true;
      counters.streams--;
      respond();
    };
    const refuse = (code: status, details: string) => finish(() => call.emit("error", { code, details }));
    const unwritable = (error: Error) =>
      refuse(status.UNAVAILABLE, `the telemetry store can't be written: ${error.message}`);
    let unwrittenBytes = 0;
    let waiting = false;
    const acknowledge = (): void => {
      if (unwrittenBytes > maxUnwrittenBytes) void sink.written(true).catch(() => {});
      if (waiting) return;
      waiting = true;
      const { last } = stream;
      const bytes = unwrittenBytes;
      sink.written(false).then(() => {
        waiting = false;
        if (done) return;
        unwrittenBytes -= bytes;
        call.write(Buffer.from(encodeAcknowledgement(last)));
        if (stream.last > last) acknowledge();
      }, unwritable);
    };
    counters.streams++;
    if (numbered !== undefined && batches === undefined) {
      refuse(status.INVALID_ARGUMENT, `${logBatchesKey} ${JSON.stringify(numbered)} is not "<sender> <number>"`);
      return;
    }
    if (batches !== undefined) {
      const offer = new Metadata();
      offer.set(acknowledgesKey, "1");
      call.sendMetadata(offer);
    }
    const take = (message: Buffer) => {
      if (done) return;
      try {
        const refused = stream.take(message);
        if (refused !== undefined) refuse(status.INVALID_ARGUMENT, refused);
        else if (batches !== undefined) {
          unwrittenBytes += message.length;
          acknowledge();
        }
      } catch (error) {
        options.onError(error, definition.streamAccessLogs?.path ?? "");
        refuse(status.INTERNAL, "internal error");
      }
    };
    const end = () => {
      sink.written(true).then(
        () =>
          finish(() => {
            call.write(Buffer.alloc(0));
            call.end();
          }),
        unwritable,
      );
    };
    // Nothing flows before somebody listens.
    const listen = () => void call.on("data", take).on("end", end);
    if (batches === undefined) listen();
    else sink.introduce(batches.sender, batches.first).then(listen, unwritable);
    call.on("error", () => finish(() => {}));
    call.on("cancelled", () => finish(() => {}));
  };
}

class AlsStream {
  #source: LogSource | undefined;
  #logName = "";
  readonly #options: AlsOptions;
  readonly #reader = new EntryReader();
  readonly #batches: LogBatches | undefined;
  /** Number of the last message. */
  last: number;

  constructor(options: AlsOptions, batches: LogBatches | undefined) {
    this.#options = options;
    this.#batches = batches;
    this.last = (batches?.first ?? 1) - 1;
  }

  /** Why the message is refused, if it is. */
  take(message: Buffer): string | undefined {
    const { sink, counters, ignored, now } = this.#options;
    const records: TrafficRecord[] = [];
    const nowMs = now();
    let missing = false;
    this.last++;
    const isNew = this.#batches === undefined || sink.takes(this.#batches.sender, this.last);
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
          if (!isNew) return;
          if (entry.kind === "http") counters.httpRecords++;
          else counters.tcpRecords++;
          const because = addRecords(records, entry, source, nowMs);
          if (because !== undefined) ignored.add({ proxy: source.reporter.id, logName: this.#logName, because }, nowMs);
        },
      );
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (!isNew) return undefined; // it was refused before, and comes again only because its sender must keep it
      ignored.add({ proxy: this.#source?.reporter.id ?? "", logName: this.#logName, because: "malformed" }, nowMs);
      return `the message can't be read: ${error.message}`;
    } finally {
      sink.records(records, this.#batches?.sender);
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
