import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, type ClientDuplexStream, connectivityState, Metadata, status } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { StreamAccessLogsMessage_IdentifierSchema } from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { acknowledgesKey, decodeAcknowledgement, formatLogBatches, logBatchesKey } from "../../wire/log-batches.ts";
import type { RequestRecord } from "../record.ts";
import type { Counter, Stats } from "../stats.ts";
import { type EntryOptions, encodeEntry, encodeTcpEntry } from "./encode-entry.ts";
import { FoldedCounts } from "./folded-counts.ts";
import { delimited, ProtoWriter } from "./proto-writer.ts";

interface AlsClientOptions {
  node: Node;
  logName: string;
  /** TCP entries have messages, and by that streams, of their own. */
  kind: "http" | "tcp";
  /** A batch goes out when it is this big … */
  bufferSizeBytes: number;
  /** … or this old. */
  flushIntervalMs: number;
  /** What may wait for a collector that is away or slow; past it requests are only counted. */
  maxQueueBytes?: number;
  /** Bound of the table of counts. */
  maxCounts?: number;
  channel: () => Client | undefined;
  stats: Stats;
  clock: Clock;
}

/** Encoded log entries that travel as one message. */
interface Batch {
  bytes: Buffer;
  /** How many requests they stand for. */
  entries: number;
  /** Its own for as long as the proxy runs. */
  number: number;
}

const method = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";
/** Few, so that little is in doubt when a stream to a server that acknowledges nothing breaks. */
const maxInFlight = 4;
/** A server that acknowledges says so at once. One that has been there for so long and said nothing does not. */
const offerWaitMs = 2_000;
const backoffMs = { baseMs: 100, maxMs: 5_000 };

/**
 * One access-log stream: batches records and keeps the stream up. A batch is kept until the collector says that it is written, and sent again when the stream
 * breaks before that (server/wire/log-batches.ts); with a server that says nothing of the kind it is kept until the transport has it. While there is no room
 * requests lose their details and are counted; the counts go out as entries of `limpid.count` requests each, after what waited before them and before
 * newer batches. Never throws, never blocks.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/access_loggers/grpc/v3/als.proto
 */
export class AlsClient {
  readonly #options: AlsClientOptions;
  readonly #identifier: Buffer;
  readonly #writer = new ProtoWriter();
  readonly #written: Counter;
  /** Requests whose details were given up. */
  readonly #dropped: Counter;
  /** Those of them that are counted nevertheless. */
  readonly #folded: Counter;
  readonly #counts: FoldedCounts;
  readonly #sender = randomBytes(16).toString("hex");
  #lastNumber = 0;
  readonly #queue: Batch[] = [];
  /** What was given to the stream, in order: first what the transport has taken and nobody acknowledged, then what it has yet to take. */
  readonly #sent: Batch[] = [];
  /** How many it has yet to take. */
  #inFlight = 0;
  /** Whether the server acknowledges; undefined: not known yet. */
  #acknowledges: boolean | undefined;
  #entries = 0;
  /** Of the queue and of what was sent, which comes back to it when the stream breaks. */
  #heldBytes = 0;
  #flushTimer: { cancel(): void } | undefined;
  #retryTimer: { cancel(): void } | undefined;
  readonly #backoff = new Backoff(backoffMs);
  #stream: ClientDuplexStream<Buffer, Buffer> | undefined;
  #closing = false;

  constructor(options: AlsClientOptions) {
    this.#options = options;
    const identifier = create(StreamAccessLogsMessage_IdentifierSchema, {
      node: options.node,
      logName: options.logName,
    });
    this.#identifier = delimited(1, toBinary(StreamAccessLogsMessage_IdentifierSchema, identifier));
    this.#written = options.stats.counter("access_logs.grpc_access_log.logs_written");
    this.#dropped = options.stats.counter("access_logs.grpc_access_log.logs_dropped");
    this.#folded = options.stats.counter("access_logs.grpc_access_log.logs_folded");
    this.#counts = new FoldedCounts(options.maxCounts);
  }

  append(record: RequestRecord, options: EntryOptions): void {
    if (this.#closing) {
      this.#dropped.inc();
      return;
    }
    // While counts wait newer requests join them, so that their order stays.
    if (this.#counts.size > 0 || this.#heldBytes >= this.#maxBytes) {
      this.#fold(record, options);
      return;
    }
    this.#encode(record, options, 1);
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
    // Nothing else comes, so the counts need not wait for room.
    this.#encodeCounts(Number.POSITIVE_INFINITY);
    this.#send();
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
    this.#enqueue();
    this.#send();
  }

  #enqueue(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    if (this.#entries > 0) {
      const bytes = Buffer.from(this.#writer.buffer.subarray(0, this.#writer.position));
      this.#queue.push({ bytes, entries: this.#entries, number: ++this.#lastNumber });
      this.#heldBytes += bytes.length;
      this.#writer.reset();
      this.#entries = 0;
    }
  }

  get #maxBytes(): number {
    return this.#options.maxQueueBytes ?? 1_048_576;
  }

  #encode(record: RequestRecord, options: EntryOptions, count: number): void {
    if (this.#options.kind === "tcp") encodeTcpEntry(this.#writer, record, options, count);
    else encodeEntry(this.#writer, record, options, count);
    this.#entries += count;
  }

  #fold(record: RequestRecord, options: EntryOptions): void {
    this.#dropped.inc();
    if (this.#counts.add(record, options)) this.#folded.inc();
    this.#flush();
  }

  /** Moves counts into the queue while it holds less than `limit`. */
  #encodeCounts(limit: number): void {
    while (this.#counts.size > 0 && this.#heldBytes < limit) {
      while (this.#writer.position < this.#options.bufferSizeBytes) {
        const entry = this.#counts.take();
        if (entry === undefined) break;
        this.#encode(entry.record, entry.options, entry.count);
      }
      this.#enqueue();
    }
  }

  #send(): void {
    if (this.#queue.length === 0 || this.#retryTimer !== undefined) return;
    this.#stream ??= this.#open();
    const stream = this.#stream;
    while (stream !== undefined && (this.#closing || this.#inFlight < maxInFlight)) {
      const batch = this.#queue.shift();
      if (batch === undefined) return;
      this.#sent.push(batch);
      this.#inFlight++;
      stream.write(batch.bytes, () => {
        if (this.#stream !== stream) return;
        this.#inFlight--;
        if (this.#acknowledges === false) this.#releaseTaken();
        this.#send();
      });
    }
  }

  /** Forgets the first `count` of what was sent: it is where it should be. */
  #release(count: number): void {
    if (count <= 0) return;
    for (const batch of this.#sent.splice(0, count)) {
      this.#heldBytes -= batch.bytes.length;
      this.#written.inc(batch.entries);
    }
    this.#encodeCounts(this.#maxBytes / 2);
    this.#backoff.reset();
  }

  #releaseTaken(): void {
    this.#release(this.#sent.length - this.#inFlight);
  }

  #acknowledged(answer: Buffer): void {
    const number = decodeAcknowledgement(answer);
    if (number === undefined) return;
    this.#release(this.#sent.findLastIndex((batch) => batch.number <= number) + 1);
    this.#send();
  }

  #open(): ClientDuplexStream<Buffer, Buffer> | undefined {
    const channel = this.#options.channel();
    if (channel === undefined) {
      this.#retryLater();
      return undefined;
    }
    let isFirst = true;
    const serialize = (entries: Buffer) => {
      const logs = delimited(this.#options.kind === "tcp" ? 3 : 2, entries);
      const message = isFirst ? Buffer.concat([this.#identifier, logs]) : logs;
      isFirst = false;
      return message;
    };
    // While the collector is away the stream waits for it, instead of failing with what it was given.
    const metadata = new Metadata({ waitForReady: true });
    const first = this.#queue[0]?.number ?? this.#lastNumber + 1;
    metadata.set(logBatchesKey, formatLogBatches({ sender: this.#sender, first }));
    const asIs = (bytes: Buffer) => bytes;
    const stream = channel.makeBidiStreamRequest(method, serialize, asIs, metadata);
    this.#acknowledges = undefined;
    const offer = this.#awaitOffer(stream, channel);
    stream.on("data", (answer: Buffer) => this.#acknowledged(answer));
    stream.on("error", () => {}); // its status follows
    stream.on("status", ({ code }) => {
      offer.cancel();
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      // An end that is OK says that all is written. One that does not acknowledge has refused what it took, and would again.
      if (code === status.OK) this.#release(this.#sent.length);
      else if (code !== status.UNAVAILABLE && this.#acknowledges !== true) this.#releaseTaken();
      // What is in doubt goes out on the next stream, before newer batches.
      this.#queue.unshift(...this.#sent.splice(0));
      this.#inFlight = 0;
      if (!this.#closing) this.#retryLater();
    });
    return stream;
  }

  /** Finds out whether the server acknowledges. While it can't be reached it has not been asked. */
  #awaitOffer(stream: ClientDuplexStream<Buffer, Buffer>, channel: Client): { cancel(): void } {
    const { clock } = this.#options;
    const learn = (acknowledges: boolean): void => {
      timer.cancel();
      if (this.#stream !== stream) return;
      this.#acknowledges = acknowledges;
      if (!acknowledges) this.#releaseTaken();
      this.#send();
    };
    let wasReady = false;
    const check = (): void => {
      const isReady = channel.getChannel().getConnectivityState(false) === connectivityState.READY;
      if (isReady && wasReady) {
        learn(false);
        return;
      }
      wasReady = isReady;
      timer = clock.setTimeout(check, offerWaitMs / 2);
    };
    let timer = clock.setTimeout(check, offerWaitMs / 2);
    stream.on("metadata", (offered) => learn(offered.get(acknowledgesKey).length > 0));
    return { cancel: () => timer.cancel() };
  }

  #retryLater(): void {
    this.#retryTimer = this.#options.clock.setTimeout(() => {
      this.#retryTimer = undefined;
      this.#send();
    }, this.#backoff.next());
  }

  #drop(): void {
    for (const batch of [...this.#sent.splice(0), ...this.#queue.splice(0)]) this.#dropped.inc(batch.entries);
    this.#heldBytes = 0;
  }
}
