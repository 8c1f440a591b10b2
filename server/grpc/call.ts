import { EventEmitter } from "node:events";
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { type Metadata, type StatusObject, type sendUnaryData, status } from "@grpc/grpc-js";
import type { BodyHandler, Fields } from "../http2/messages.ts";
import type { Clock } from "../lib/clock.ts";
import type { DuplexCall, SingleCall } from "../lib/grpc.ts";
import { type BufferAllocator, freshBuffers } from "./buffer-pool.ts";
import type { GrpcStream } from "./connection.ts";
import { encodeDetails, fieldOf, fieldsOf, metadataOf, timeoutMs } from "./fields.ts";
import type { LargeMessages, Place } from "./large-messages.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import type { Method } from "./method.ts";
import { sendMessage } from "./send-message.ts";

/** What a call ends with. */
type Ending = Pick<StatusObject, "code" | "details"> & { metadata?: Metadata | null | undefined };

type Timer = ReturnType<Clock["setTimeout"]>;

/** What a call needs of its server. */
export interface CallHost {
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  readonly firstMessageMs: number;
  readonly largeMessages: LargeMessages;
  readonly buffers: BufferAllocator;
  /** Once, whatever ended it. */
  onOver(call: Call): void;
}

const responseFields: Fields = [
  "content-type",
  "application/grpc+proto",
  "grpc-accept-encoding",
  "identity,deflate,gzip",
];
const inflaters = { gzip: promisify(gunzip), deflate: promisify(inflate) };
/** What a timer can wait for. */
const maxTimerMs = 2 ** 31 - 1;

/** One call: its messages in and out, its status, and what ends it before. */
export class Call<Request = unknown, Response = unknown>
  extends EventEmitter
  implements BodyHandler, MessageSink, DuplexCall<Request, Response>, SingleCall<Request>
{
  cancelled = false;
  readonly metadata: Metadata;
  readonly #stream: GrpcStream;
  readonly #method: Method<Request, Response>;
  readonly #host: CallHost;
  readonly #reader: MessageReader;
  readonly #buffers: BufferAllocator;
  /** Given to a listener that is not done with it. */
  #borrowed: Buffer | undefined = undefined;
  readonly #encoding: string;
  readonly #silence: Timer;
  readonly #deadline: Timer | undefined;
  #over = false;
  #headSent = false;
  /** Of a call with one request: it, once it is here. */
  #request: Request | undefined = undefined;
  #requests = 0;
  /** Somebody listens, and has not said stop. */
  #flowing = false;
  #place: Place | undefined = undefined;
  #waitsForPlace = false;
  #isInflating = false;
  #isTaking = false;
  /** Came, and is not taken yet. */
  #rest: Buffer | undefined = undefined;
  /** The client has said all. */
  #ended = false;
  #endTold = false;
  /** Who wants to know when what was written is taken. */
  #taken: (() => void)[] = [];
  #isStalled = false;

  constructor(stream: GrpcStream, headers: Fields, method: Method<Request, Response>, host: CallHost) {
    super();
    this.#stream = stream;
    this.#method = method;
    this.#host = host;
    this.#buffers = method.borrowsRequests ? host.buffers : freshBuffers;
    this.#reader = new MessageReader(this, host.maxMessageBytes, this.#buffers);
    this.metadata = metadataOf(headers);
    this.#encoding = fieldOf(headers, "grpc-encoding") ?? "identity";
    const { clock } = host;
    this.#silence = clock.setTimeout(
      () => this.#fail(status.DEADLINE_EXCEEDED, "no message came"),
      host.firstMessageMs,
    );
    const timeout = fieldOf(headers, "grpc-timeout");
    const ms = timeout === undefined ? Number.POSITIVE_INFINITY : timeoutMs(timeout);
    if (ms === undefined)
      queueMicrotask(() => this.#fail(status.INTERNAL, `grpc-timeout ${JSON.stringify(timeout)} is none`));
    else if (ms <= maxTimerMs) this.#deadline = clock.setTimeout(() => this.#onDeadline(), ms);
  }

  /** Whoever calls may: the call goes to its handler. */
  begin(): void {
    if (this.#over) return;
    const { handler } = this.#method;
    if (handler.kind === "bidi") handler.handle(this);
    else if (handler.kind === "clientStream") handler.handle(this, this.#answer);
    else this.resume();
  }

  /** Whoever calls may not. */
  refuse(code: status, details: string): void {
    this.#fail(code, details);
  }

  /** Breaks off: nothing more is said to the client than that. */
  abort(code: number): void {
    this.#stream.abort(code);
    this.#end(true);
  }

  // What handlers do.

  get request(): Request {
    return this.#request as Request;
  }

  getPeer(): string {
    return this.#stream.connection.peerName;
  }

  getAuthContext() {
    return this.#stream.connection.authContext;
  }

  sendMetadata(metadata: Metadata): void {
    if (this.#over || this.#headSent) return;
    this.#sendHead(fieldsOf(metadata));
  }

  write(message: Response, taken?: () => void): boolean {
    if (this.#over) return true;
    let parts: readonly Uint8Array[];
    try {
      parts = this.#method.encode(message);
    } catch {
      this.#fail(status.INTERNAL, "the response can't be encoded");
      return true;
    }
    if (!this.#headSent) this.#sendHead([]);
    this.#isStalled = !sendMessage(this.#stream, parts) || this.#isStalled;
    if (taken) {
      this.#taken.push(taken);
      if (!this.#isStalled && this.#taken.length === 1) setImmediate(() => this.#tellTaken());
    }
    return !this.#isStalled;
  }

  end(metadata?: Metadata): void {
    this.#finish({ code: status.OK, details: "", ...(metadata && { metadata }) });
  }

  pause(): void {
    this.#flowing = false;
  }

  resume(): void {
    if (this.#over) return;
    this.#flowing = true;
    if (!this.#reader.inMessage) this.#leavePlace();
    this.#giveBack();
    this.#proceed();
  }

  override on(event: string, listener: (...args: never[]) => void): this {
    super.on(event, listener as () => void);
    // As with streams: what is there comes after this turn.
    if (event === "data" && !this.#flowing) process.nextTick(() => this.resume());
    return this;
  }

  override emit(event: string, ...args: unknown[]): boolean {
    if (event !== "error") return super.emit(event, ...args);
    const [error] = args as [Partial<StatusObject> & { message?: string }];
    this.#finish({ ...error, code: error.code ?? status.UNKNOWN, details: error.details ?? error.message ?? "" });
    return this.listenerCount("error") > 0 && super.emit(event, ...args);
  }

  // What the codec tells.

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    // At most a frame: the stream is paused by the first that has to wait.
    if (this.stopped || this.#rest !== undefined) this.#keep(bytes.subarray(start, end));
    else this.#take(bytes, start, end);
  }

  onEnd(): void {
    if (this.#over) return;
    this.#ended = true;
    if (this.#rest === undefined) this.#onAllTaken();
  }

  onReset(): void {
    this.#end(true);
  }

  onDrain(): void {
    this.#isStalled = false;
    this.#tellTaken();
    if (!this.#over) super.emit("drain");
  }

  // What the reader asks and tells.

  get stopped(): boolean {
    return !this.#flowing || this.#waitsForPlace || this.#isInflating || this.#over;
  }

  admits(bytes: number): boolean {
    if (this.#place !== undefined) return true;
    this.#place = this.#host.largeMessages.ask(this, bytes, (place) => {
      this.#place = place;
      this.#waitsForPlace = false;
      this.#stream.grant(bytes);
      this.#proceed();
    });
    this.#waitsForPlace = this.#place === undefined;
    if (!this.#waitsForPlace) this.#stream.grant(bytes);
    return !this.#waitsForPlace;
  }

  onTooLarge(bytes: number): void {
    this.#fail(
      status.RESOURCE_EXHAUSTED,
      `the message has ${bytes} bytes; at most ${this.#host.maxMessageBytes} are taken`,
    );
  }

  onMessage(bytes: Buffer, compressed: boolean): void {
    this.#silence.cancel();
    if (compressed) void this.#inflate(bytes);
    else this.#deliver(bytes);
  }

  async #inflate(bytes: Buffer): Promise<void> {
    const inflater = inflaters[this.#encoding as keyof typeof inflaters];
    if (inflater === undefined) {
      const known = this.#encoding === "identity" ? status.INTERNAL : status.UNIMPLEMENTED;
      this.#fail(known, `a message compressed by ${JSON.stringify(this.#encoding)} can't be read`);
      return;
    }
    this.#isInflating = true;
    const { maxMessageBytes } = this.#host;
    try {
      const message = await inflater(bytes, { maxOutputLength: maxMessageBytes });
      this.#isInflating = false;
      if (this.#over) return;
      this.#deliver(message);
      this.#proceed();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") this.onTooLarge(maxMessageBytes + 1);
      else this.#fail(status.INTERNAL, "the message can't be inflated");
    }
  }

  #deliver(bytes: Buffer): void {
    let message: Request;
    try {
      message = this.#method.decode(bytes);
    } catch {
      this.#fail(status.INTERNAL, "the request can't be decoded");
      return;
    }
    const { kind } = this.#method.handler;
    this.#borrowed = bytes;
    if (kind === "bidi" || kind === "clientStream") this.emit("data", message);
    else if (++this.#requests > 1) this.#fail(status.INTERNAL, "more than one request");
    else this.#request = message;
    // Whoever has said stop is not done with it.
    if (!this.#flowing) return;
    this.#leavePlace();
    this.#giveBack();
  }

  #take(bytes: Buffer, start: number, end: number): void {
    this.#isTaking = true;
    const at = this.#reader.take(bytes, start, end);
    this.#isTaking = false;
    if (this.#over) return;
    if (at < end) this.#keep(bytes.subarray(at, end));
    if (this.stopped) this.#stream.pause();
  }

  #keep(bytes: Buffer): void {
    this.#rest = this.#rest === undefined ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    this.#stream.pause();
  }

  /** Goes on with what had to wait, as far as it may. */
  #proceed(): void {
    if (this.#isTaking || this.stopped) return;
    while (this.#rest !== undefined) {
      const rest = this.#rest;
      this.#rest = undefined;
      this.#take(rest, 0, rest.length);
      if (this.stopped) return;
    }
    this.#stream.resume();
    if (this.#ended) this.#onAllTaken();
  }

  /** The client has said all, and all of it was taken. */
  #onAllTaken(): void {
    if (this.#over || this.#endTold || this.stopped) return;
    this.#endTold = true;
    this.#silence.cancel();
    const { handler } = this.#method;
    if (this.#reader.inMessage) this.#fail(status.INTERNAL, "the request ends within a message");
    else if (handler.kind === "bidi" || handler.kind === "clientStream") this.emit("end");
    else if (this.#requests === 0) this.#fail(status.INTERNAL, "there is no request");
    else if (handler.kind === "unary") handler.handle(this, this.#answer);
    else handler.handle(this);
  }

  readonly #answer: sendUnaryData<Response> = (error, response, metadata) => {
    if (error) {
      const { code = status.UNKNOWN, details = "message" in error ? error.message : "", metadata: own } = error;
      this.#finish({ code, details: details ?? "", metadata: own ?? metadata ?? null });
      return;
    }
    if (response) this.write(response);
    this.#finish({ code: status.OK, details: "", metadata: metadata ?? null });
  };

  #sendHead(fields: Fields): void {
    this.#headSent = true;
    this.#stream.sendHead({ status: 200, headers: [...responseFields, ...fields], contentLength: -1, bytes: 0 }, false);
  }

  #fail(code: status, details: string): void {
    this.emit("error", { code, details });
  }

  #onDeadline(): void {
    this.#finish({ code: status.DEADLINE_EXCEEDED, details: "the deadline has passed" }, true);
  }

  #finish({ code, details, metadata }: Ending, cancelled = false): void {
    if (this.#over) return;
    const told = details ? ["grpc-message", encodeDetails(details)] : [];
    const trailers = ["grpc-status", String(code), ...told, ...fieldsOf(metadata)];
    if (this.#headSent) this.#stream.sendEnd(trailers);
    else {
      const head = { status: 200, headers: [...responseFields, ...trailers], contentLength: -1, bytes: 0 };
      this.#stream.sendHead(head, true);
    }
    this.#end(cancelled);
  }

  #end(cancelled: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.cancelled = cancelled;
    this.#silence.cancel();
    this.#deadline?.cancel();
    this.#host.largeMessages.giveUp(this);
    this.#leavePlace();
    this.#rest = undefined;
    this.#borrowed = undefined;
    this.#taken = [];
    // What still comes is thrown away, so that it takes nothing of the connection's window.
    this.#stream.resume();
    this.#host.onOver(this as Call);
    if (cancelled) this.emit("cancelled");
    this.emit("close");
  }

  #leavePlace(): void {
    const place = this.#place;
    this.#place = undefined;
    place?.leave();
  }

  #giveBack(): void {
    const borrowed = this.#borrowed;
    this.#borrowed = undefined;
    if (borrowed) this.#buffers.release(borrowed);
  }

  #tellTaken(): void {
    if (this.#isStalled || this.#over) return;
    const taken = this.#taken;
    this.#taken = [];
    for (const tell of taken) tell();
  }
}
