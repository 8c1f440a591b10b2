import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";

export interface LastingStreamOptions<Sent extends DescMessage, Got extends DescMessage> {
  method: DescMethodBiDiStreaming<Sent, Got>;
  /** Undefined: not to be had now. */
  channel(): Client | undefined;
  clock: Clock;
  /** It is there: the first message may be sent. */
  onOpen(): void;
  onMessage(message: MessageShape<Got>): void;
  /** It is not there, and is tried again in a while. @param ended it was there before */
  onLost(ended: boolean): void;
}

/** A stream to a server that says how often it wants to hear: begun again with growing pauses when it ends, with one timer for what is said next. */
export class LastingStream<Sent extends DescMessage, Got extends DescMessage> {
  readonly #options: LastingStreamOptions<Sent, Got>;
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: 30_000 });
  #stream: ClientDuplexStream<MessageShape<Sent>, MessageShape<Got>> | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(options: LastingStreamOptions<Sent, Got>) {
    this.#options = options;
  }

  start(): void {
    const { method, onOpen, onMessage } = this.#options;
    const channel = this.#options.channel();
    if (channel === undefined) {
      this.#again(false);
      return;
    }
    const stream = channel.makeBidiStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<Sent>) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
    );
    this.#stream = stream;
    stream.on("data", (message: MessageShape<Got>) => {
      if (this.#stream !== stream) return;
      this.#backoff.reset();
      onMessage(message);
    });
    stream.on("error", () => {}); // its status follows
    stream.on("status", () => {
      if (this.#stream === stream) this.#again(true);
    });
    onOpen();
  }

  stop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#timer?.cancel();
    stream?.cancel();
  }

  /** Changes with each beginning: what was asked of one is not told to the next. */
  get current(): object | undefined {
    return this.#stream;
  }

  /** Whether the server takes what it is sent. */
  get takes(): boolean {
    return this.#stream?.writableNeedDrain === false;
  }

  send(message: MessageInitShape<Sent>): void {
    this.#stream?.write(create(this.#options.method.input, message));
  }

  /** In the place of what was to be done later. An interval of less than a tenth of a second is somebody's mistake, and costs both sides. */
  later(work: () => void, ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimeout(work, Math.max(ms, leastMs));
  }

  /** Nothing is to be done later. */
  rest(): void {
    this.#timer?.cancel();
  }

  #again(ended: boolean): void {
    this.#stream = undefined;
    this.#options.onLost(ended);
    this.later(() => this.start(), this.#backoff.next());
  }
}

const leastMs = 100;
