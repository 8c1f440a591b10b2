import type { Fields, StreamRequestHead, StreamReset, StreamResponseHead } from "../../http2/messages.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import type { Proxied } from "./addresses.ts";

/**
 * What codecs, filters and router have in common: a request and its response as two streams of head, data and trailers, whatever protocol they came by. A codec
 * makes streams and implements the `…Stream` interfaces, by which it is told what to send; whoever uses a stream implements the `…Handler`, by which it hears
 * what came. Calls are synchronous; nothing is told after `onReset`, nor after both directions have ended.
 */

export { plainConnect } from "../../http2/messages.ts";
export type { Fields, StreamRequestHead, StreamReset, StreamResponseHead };

export type Protocol = "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";

/** The connection that a request came by; the same object for all its streams. */
export interface DownstreamFacts {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** What somebody in front has said of the connection; undefined: the addresses are the socket's own. */
  readonly proxied: Proxied | undefined;
  /** Undefined: plain text. */
  readonly tls: TlsConnection | undefined;
  /** No further request is wanted on it: the codec says so with the next response (`connection: close`, GOAWAY). */
  readonly draining: boolean;
}

/** The answering side of one request. */
export interface DownstreamStream {
  readonly protocol: Protocol;
  readonly connection: DownstreamFacts;
  /** 1xx other than 101. */
  sendInformational(status: number, headers: Fields): void;
  /**
   * @param end no data and no trailers follow
   * The head may wait for the first data, so that both make one write: {@link flush} sends it.
   */
  sendHead(head: StreamResponseHead, end: boolean): void;
  /** `bytes` are valid during the call only: a codec copies what it keeps. @returns false: stop until `onDrain` */
  sendData(bytes: Buffer, start: number, end: number): boolean;
  /** Ends the response. */
  sendEnd(trailers: Fields | undefined): void;
  /** Writes what waits. @returns as `sendData` */
  flush(): boolean;
  /** Breaks off: the client never takes what it got for a whole response. Once only, and nothing after it; not told to the handler. */
  reset(reason: StreamReset): void;
  /** Stops and goes on reading request data. HTTP/2: the window of this stream isn't opened meanwhile. */
  pause(): void;
  resume(): void;
  /**
   * HTTP/1 only: chunked data are handed on verbatim, which costs nothing where the other end is HTTP/1, too. Called before the first data, this has them told as
   * what is inside, and trailers by themselves; the head is then no longer `chunked`.
   */
  decode?(): void;
}

/** Whoever answers a request: told by the codec. */
export interface DownstreamHandler {
  /**
   * `bytes` are valid during the call only.
   * @param total of chunked data: bytes inside them so far
   */
  onData(bytes: Buffer, start: number, end: number, total?: number): void;
  /** The request is whole. */
  onEnd(trailers: Fields | undefined): void;
  /** The client gave up, or broke the protocol: nothing can be answered any more. Also when the response is whole and the request isn't. */
  onReset(reason: StreamReset, detail: string): void;
  /** After `sendData` said stop. */
  onDrain(): void;
  /** HTTP/1 only: the rest of the request can't be read. An answer is still possible, if none has begun, and the last of the connection. */
  onBadRequest?(status: number, body: string, detail: string): void;
}

/** Makes handlers for the requests of a connection. */
export interface StreamServer {
  /** @param end no data and no trailers follow: the handler's `onEnd` isn't called */
  onStream(stream: DownstreamStream, head: StreamRequestHead, end: boolean): DownstreamHandler;
}

/** The asking side of one request. */
export interface UpstreamStream {
  /** @param end no data and no trailers follow */
  sendHead(head: StreamRequestHead, end: boolean): void;
  /** As {@link DownstreamStream.sendData}. */
  sendData(bytes: Buffer, start: number, end: number): boolean;
  sendEnd(trailers: Fields | undefined): void;
  /** Writes what waits. @returns as `sendData` */
  flush(): boolean;
  /** Nothing more is wanted: HTTP/1 closes the connection, HTTP/2 sends RST_STREAM. Not told to the handler. */
  reset(reason: StreamReset): void;
  /** Stops and goes on reading response data. */
  pause(): void;
  resume(): void;
  /** As {@link DownstreamStream.decode}; called while the head is told. */
  decode?(): void;
}

/** Whoever waits for a response: told by the codec. */
export interface UpstreamHandler {
  onInformational(status: number, headers: Fields): void;
  /** @param end no data and no trailers follow: `onEnd` isn't called */
  onHead(head: StreamResponseHead, end: boolean): void;
  /** As {@link DownstreamHandler.onData}. */
  onData(bytes: Buffer, start: number, end: number, total?: number): void;
  onEnd(trailers: Fields | undefined): void;
  /** @param detail such as a socket's error code; "" when there is none */
  onReset(reason: StreamReset, detail: string): void;
  onDrain(): void;
  /** All that one read brought was told: time to flush. */
  onReadComplete(): void;
}

/** A connection to an endpoint as a pool sees it. HTTP/1 has one stream at a time, HTTP/2 as many as both sides allow. */
export interface ClientConnection {
  readonly protocol: Protocol;
  /** How many streams may be opened now; 0 while all are taken, and for good once the connection drains or is closed. */
  readonly capacity: number;
  /** Streams that are open. */
  readonly active: number;
  /** Only with capacity left. */
  newStream(handler: UpstreamHandler): UpstreamStream;
  /** No further stream; closes with the last one. */
  drain(): void;
  /** Breaks off; open streams are told. */
  close(reason: string): void;
}

/** What a pool hears of its connections. */
export interface ClientConnectionOwner {
  /** Streams may be opened. */
  onConnected(connection: ClientConnection): void;
  /** A stream has ended or the peer allows more: capacity has grown. */
  onCapacity(connection: ClientConnection): void;
  /** Once; also when it never connected, and then `connected` is false. */
  onClosed(connection: ClientConnection, reason: string, connected: boolean): void;
}
