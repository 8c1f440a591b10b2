import type {
  ClientConnection,
  ClientConnectionOwner,
  Fields,
  StreamRequestHead,
  StreamResponseHead,
  UpstreamHandler,
  UpstreamStream,
} from "../../http/stream.ts";

export interface ExchangeResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[] | undefined;
}

export interface ExchangeOptions {
  /** Opens a connection outside of the cluster's pool. */
  open(owner: ClientConnectionOwner): ClientConnection;
  head(): StreamRequestHead;
  readonly body: Buffer;
  /** What is longer is not kept. */
  readonly maxBytes: number;
  readonly reuse: boolean;
  /** Undefined: there was no whole response. */
  done(response: ExchangeResponse | undefined): void;
}

/** Requests to one host, one at a time, over a connection of their own that is kept where it may be. */
export class HttpExchange implements ClientConnectionOwner, UpstreamHandler {
  private readonly options: ExchangeOptions;
  private connection: ClientConnection | undefined = undefined;
  private stream: UpstreamStream | undefined = undefined;
  private head: StreamResponseHead | undefined = undefined;
  private parts: Buffer[] = [];
  private bytes = 0;
  private asking = false;

  constructor(options: ExchangeOptions) {
    this.options = options;
  }

  start(): void {
    this.asking = true;
    // A connection that the peer is closing, or has closed half, takes no request.
    if (this.connection !== undefined && this.connection.capacity === 0) this.drop();
    if (this.connection === undefined) this.connection = this.options.open(this);
    else this.send(this.connection);
  }

  abort(): void {
    this.asking = false;
    this.drop();
  }

  close(): void {
    this.abort();
  }

  onConnected(connection: ClientConnection): void {
    if (connection === this.connection && this.asking) this.send(connection);
  }

  onCapacity(): void {}

  onClosed(connection: ClientConnection): void {
    if (connection !== this.connection) return;
    this.connection = undefined;
    // A request under way hears of it by itself.
    if (this.stream === undefined) this.finish(undefined);
  }

  onInformational(): void {}

  onHead(head: StreamResponseHead, end: boolean): void {
    this.head = head;
    if (head.chunked === true && !end) this.stream?.decode?.();
    if (end) this.onEnd(undefined);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    const room = Math.min(end - start, this.options.maxBytes - this.bytes);
    if (room <= 0) return;
    this.bytes += room;
    this.parts.push(Buffer.from(bytes.subarray(start, start + room)));
  }

  onEnd(trailers: Fields | undefined): void {
    const { head } = this;
    if (head === undefined) return;
    const { status, headers } = head;
    this.finish({ status, headers, body: Buffer.concat(this.parts), trailers });
    if (!this.options.reuse) this.drop();
  }

  onReset(): void {
    this.finish(undefined);
    if (!this.options.reuse) this.drop();
  }

  onDrain(): void {}

  onReadComplete(): void {}

  private send(connection: ClientConnection): void {
    const { body } = this.options;
    const stream = connection.newStream(this);
    this.stream = stream;
    stream.sendHead(this.options.head(), body.length === 0);
    if (body.length === 0) return;
    stream.sendData(body, 0, body.length);
    stream.sendEnd(undefined);
  }

  private finish(response: ExchangeResponse | undefined): void {
    this.stream = undefined;
    this.head = undefined;
    this.parts = [];
    this.bytes = 0;
    if (!this.asking) return;
    this.asking = false;
    this.options.done(response);
  }

  private drop(): void {
    const { connection } = this;
    this.connection = undefined;
    this.stream = undefined;
    connection?.close("health check over");
  }
}
