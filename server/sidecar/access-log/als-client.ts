import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, type ClientWritableStream, Metadata } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { StreamAccessLogsMessage_IdentifierSchema } from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { RequestRecord } from "../record.ts";
import type { Counter, Stats } from "../stats.ts";
import { type EntryOptions, encodeEntry, encodeTcpEntry } from "./encode-entry.ts";
import { ProtoWriter } from "./proto-writer.ts";

interface AlsClientOptions {
  node: Node;
  logName: string;
  /** TCP entries have messages, and by that streams, of their own. */
  kind: "http" | "tcp";
  /** A batch goes out when it is this big … */
  bufferSizeBytes: number;
  /** … or this old. */
  flushIntervalMs: number;
  /** What may wait for a collector that is away or slow; past it the oldest batches are dropped and counted. */
  maxQueueBytes?: number;
  channel: () => Client | undefined;
  stats: Stats;
  clock: Clock;
}

/** Encoded log entries that travel as one message. */
interface Batch {
  bytes: Buffer;
  entries: number;
}

const method = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";
/** Few, so that little is in doubt when a stream breaks. */
const maxInFlight = 4;
const backoffMs = { baseMs: 100, maxMs: 5_000 };

/**
 * One access-log stream: batches records, keeps the stream up, and sheds the oldest when its queue is full. Never throws, never blocks.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/access_loggers/grpc/v3/als.proto
 */
export class AlsClient {
  readonly #options: AlsClientOptions;
  readonly #identifier: Buffer;
  readonly #writer = new ProtoWriter();
  readonly #written: Counter;
  readonly #dropped: Counter;
  readonly #queue: Batch[] = [];
  readonly #inFlight: Batch[] = [];
  #entries = 0;
  #queuedBytes = 0;
  #flushTimer: { cancel(): void } | undefined;
  #retryTimer: { cancel(): void } | undefined;
  readonly #backoff = new Backoff(backoffMs);
  #stream: ClientWritableStream<Buffer> | undefined;
  #closing = false;

  constructor(options: AlsClientOptions) {
    this.#options = options;
    const identifier = create(StreamAccessLogsMessage_IdentifierSchema, {
      node: options.node,
      logName: options.logName,
    });
    this.#identifier = field(1, Buffer.from(toBinary(StreamAccessLogsMessage_IdentifierSchema, identifier)));
    this.#written = options.stats.counter("access_logs.grpc_access_log.logs_written");
    this.#dropped = options.stats.counter("access_logs.grpc_access_log.logs_dropped");
  }

  append(record: RequestRecord, options: EntryOptions): void {
    if (this.#closing) {
      this.#dropped.inc();
      return;
    }
    if (this.#options.kind === "tcp") encodeTcpEntry(this.#writer, record, options);
    else encodeEntry(this.#writer, record, options);
    this.#entries++;
    if (this.#writer.position >= this.#options.bufferSizeBytes) this.#flush();
    else this.#flushTimer ??= this.#options.clock.setTimeout(() => this.#flush(), this.#options.flushIntervalMs);
  }

  /** Sends what is left and ends the stream, waiting at most `timeoutMs` for it. */
  async close(timeoutMs = 1_000): Promise<void> {
    this.#flush();
    this.#closing = true;
    this.#retryTimer?.cancel();
    const stream = this.#stream;
    if (stream === undefined) {
      this.#drop();
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimeout(() => {
        stream.cancel();
        resolve();
      }, timeoutMs);
      const done = () => {
        timer.cancel();
        resolve();
      };
      stream.once("status", done);
      stream.once("error", done);
      stream.end();
    });
    this.#drop();
  }

  #flush(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    if (this.#entries > 0) {
      const bytes = Buffer.from(this.#writer.buffer.subarray(0, this.#writer.position));
      this.#queue.push({ bytes, entries: this.#entries });
      this.#queuedBytes += bytes.length;
      this.#writer.reset();
      this.#entries = 0;
    }
    const most = this.#options.maxQueueBytes ?? 1_048_576;
    while (this.#queuedBytes > most && this.#queue.length > 0) this.#dropOldest();
    this.#send();
  }

  #send(): void {
    if (this.#queue.length === 0 || this.#retryTimer !== undefined) return;
    this.#stream ??= this.#open();
    const stream = this.#stream;
    while (stream !== undefined && this.#inFlight.length < maxInFlight) {
      const batch = this.#queue.shift();
      if (batch === undefined) return;
      this.#queuedBytes -= batch.bytes.length;
      this.#inFlight.push(batch);
      stream.write(batch.bytes, () => {
        if (this.#stream !== stream) return;
        this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
        this.#written.inc(batch.entries);
        this.#backoff.reset();
        this.#send();
      });
    }
  }

  #open(): ClientWritableStream<Buffer> | undefined {
    const channel = this.#options.channel();
    if (channel === undefined) {
      this.#retryLater();
      return undefined;
    }
    let first = true;
    const serialize = (entries: Buffer) => {
      const logs = field(this.#options.kind === "tcp" ? 3 : 2, entries);
      const message = first ? Buffer.concat([this.#identifier, logs]) : logs;
      first = false;
      return message;
    };
    const stream = channel.makeClientStreamRequest(
      method,
      serialize,
      (bytes: Buffer) => bytes,
      // While the collector is away the stream waits for it, instead of failing with what it was given.
      new Metadata({ waitForReady: true }),
      () => {},
    );
    stream.on("error", () => {}); // its status follows
    stream.on("status", () => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      // Whatever was not handed to the transport goes out on the next stream, before newer batches.
      for (const batch of this.#inFlight.splice(0).reverse()) {
        this.#queue.unshift(batch);
        this.#queuedBytes += batch.bytes.length;
      }
      if (!this.#closing) this.#retryLater();
    });
    return stream;
  }

  #retryLater(): void {
    this.#retryTimer = this.#options.clock.setTimeout(() => {
      this.#retryTimer = undefined;
      this.#send();
    }, this.#backoff.next());
  }

  #drop(): void {
    for (const batch of this.#inFlight.splice(0)) this.#dropped.inc(batch.entries);
    while (this.#queue.length > 0) this.#dropOldest();
  }

  #dropOldest(): void {
    const batch = this.#queue.shift();
    if (batch === undefined) return;
    this.#queuedBytes -= batch.bytes.length;
    this.#dropped.inc(batch.entries);
  }
}

/** A length-delimited field around bytes that are encoded already. */
function field(number: number, bytes: Buffer): Buffer {
  const head = new ProtoWriter(16);
  head.varint((number << 3) | 2);
  head.varint(bytes.length);
  return Buffer.concat([head.buffer.subarray(0, head.position), bytes]);
}
