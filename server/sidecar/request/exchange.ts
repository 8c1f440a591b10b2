import { WheelTimer } from "../../lib/timer-wheel.ts";
import { grpcStatusFor, isGrpc } from "../http/grpc.ts";
import { type FlatHeaders, getHeader, removeHeader, setHeader } from "../http/headers.ts";
import {
  type DownstreamHandler,
  type DownstreamStream,
  type Fields,
  plainConnect,
  type StreamRequestHead,
  type StreamReset,
  type StreamResponseHead,
} from "../http/stream.ts";
import type { RequestView } from "../match/request-view.ts";
import { ResponseFlag, type TraceContext } from "../record.ts";
import { Replied, type RequestContext, type TerminalStream, Wants } from "./filter.ts";
import { FilterWalk, type WalkSink } from "./filter-walk.ts";
import type { Hold } from "./hold.ts";
import { grpcReply, plainReply } from "./local-reply.ts";
import type { HttpManager } from "./manager.ts";
import { prepareRequest, propagateTrace } from "./request-headers.ts";
import { applyResponseOps, finishResponseHeaders, headersSize } from "./response-headers.ts";
import { RoutedRequest } from "./routed-request.ts";

/**
 * One request and its response, from the head read to the log record written: connection manager → route → filters → router and back. It knows streams, and not
 * which protocol they came by.
 */
export class Exchange extends RoutedRequest implements RequestContext, RequestView, DownstreamHandler, WalkSink {
  requestDone: boolean;
  responseStarted = false;
  finished = false;
  private readonly terminal: TerminalStream;
  /** Of the filters that it walks through; the manager may have others by now. */
  private readonly wants: number;
  private readonly walk: FilterWalk;
  private readonly idle = new WheelTimer(() => this.onIdle());
  private lastActivity: number;
  private trace: TraceContext | undefined = undefined;
  private response: StreamResponseHead | undefined = undefined;
  private responseEnds = false;
  private tunnel = false;
  private headSent = false;
  /** A filter holds the response's head, and the upstream is paused for it. */
  private heldBack = false;
  /** Response data as sent, where filters may change them. */
  private sentBytes = 0;

  constructor(stream: DownstreamStream, manager: HttpManager, head: StreamRequestHead, end: boolean) {
    super(stream, manager, head, end);
    this.lastActivity = this.start;
    this.requestDone = end;
    this.terminal = manager.terminal.open(this);
    this.wants = manager.wants;
    this.walk = new FilterWalk(manager.filters, this, this, manager.options.bufferLimit);
    manager.stats.rqTotal.inc();
    manager.stats.rqActive.add(1);
  }

  /** Prepares, routes and runs the filters. */
  begin(): void {
    const { manager, stream } = this;
    const connects = this.upgrade === plainConnect;
    if (stream.protocol === "HTTP/1.0" && !manager.options.acceptHttp10) this.reply(426, "", "low_version", 0);
    else if (this.authority === "") this.reply(400, "", "missing_host_header", 0);
    else if (!prepareRequest(this, manager)) return;
    // OPTIONS * asks the server itself; no route names it.
    else if (this.path.charCodeAt(0) !== slash && !connects) this.reply(404, "", "absolute_path_rejected", 0);
    else this.proceed();
  }

  private proceed(): void {
    const { manager, stream } = this;
    if (manager.tracer !== undefined) {
      const trace = manager.tracer.begin(this.headers, manager.direction);
      this.trace = trace;
      this.record.traceId = trace.traceId;
      this.record.spanId = trace.spanId;
      this.record.sampled = trace.sampled;
      propagateTrace(this, trace.propagate);
    }
    this.reroute();
    if (this.chunked && !this.passesChunks(this.wants)) {
      stream.decode?.();
      this.chunked = false;
    }
    this.armIdle();
    this.walk.begin(this.requestDone);
  }

  hold(close: () => void, reads?: boolean): Hold {
    return this.walk.hold(close, reads);
  }

  get responseHasBody(): boolean {
    return !this.responseEnds;
  }

  setRequestLength(bytes: number): void {
    this.contentLength = bytes;
    setLength(this.headers, bytes);
  }

  setResponseLength(bytes: number): void {
    if (this.response !== undefined) this.response.contentLength = bytes;
    setLength(this.responseHeaders, bytes);
  }

  limitRequest(bytes: number, whole?: boolean): void {
    this.walk.limitRequest(bytes, whole);
  }

  onData(bytes: Buffer, start: number, end: number, total?: number): void {
    const { record } = this;
    record.requestBodyBytes = total ?? record.requestBodyBytes + end - start;
    if (this.finished) return;
    this.lastActivity = performance.now();
    if (this.tunnel) this.terminal.requestData(bytes, start, end);
    else this.walk.requestData(bytes, start, end);
  }

  onEnd(trailers: Fields | undefined): void {
    this.requestDone = true;
    this.record.timeToLastDownstreamRxMs = performance.now() - this.start;
    if (this.finished) return;
    if (this.tunnel) this.terminal.requestEnd(trailers);
    else this.walk.requestEnd(trailers);
  }

  onBadRequest(status: number, body: string, detail: string): void {
    this.reply(status, body, detail, ResponseFlag.downstreamProtocolError);
  }

  /** The client went away. */
  onReset(reason: StreamReset, detail: string): void {
    if (this.finished) return;
    const { record } = this;
    const broken = reason === "protocol_error";
    record.responseFlags |= broken
      ? ResponseFlag.downstreamProtocolError
      : ResponseFlag.downstreamConnectionTermination;
    record.responseCodeDetails = broken ? detail : "downstream_remote_disconnect";
    this.manager.stats.rqRxReset.inc();
    this.terminal.abandon();
    this.finish();
  }

  onDrain(): void {
    this.terminal.onDrain();
  }

  pauseRequest(): void {
    this.stream.pause();
  }

  resumeRequest(): void {
    this.stream.resume();
  }

  onRequestHead(end: boolean): void {
    this.terminal.begin(end);
  }

  onRequestData(bytes: Buffer, start: number, end: number): void {
    this.terminal.requestData(bytes, start, end);
  }

  onRequestEnd(trailers: Fields | undefined): void {
    this.terminal.requestEnd(trailers);
  }

  onRequestTooLarge(): void {
    this.manager.stats.rqTooLarge.inc();
    this.reply(413, "Payload Too Large", "request_payload_too_large", 0);
  }

  onResponseTooLarge(): void {
    this.manager.stats.rsTooLarge.inc();
    this.reply(500, "Internal Server Error", "response_payload_too_large", 0);
  }

  /** A response made here. Once a response has begun only breaking the stream can tell the client that it is wrong. */
  reply(
    status: number,
    body: string,
    details: string,
    flags: number,
    extra: readonly string[] = [],
    grpcStatus = grpcStatusFor(status),
  ): Replied {
    if (this.finished) return replied;
    this.record.responseFlags |= flags;
    if (this.headSent) {
      this.record.responseCodeDetails = details;
      this.abort();
      return replied;
    }
    this.terminal.abandon();
    this.record.responseCodeDetails = details;
    const toGrpc = !this.answersAsHttp && isGrpc(this.headers) && getHeader(extra, "grpc-status") === undefined;
    const { protocol } = this.stream;
    const head = toGrpc ? grpcReply(protocol, grpcStatus, body, extra) : plainReply(protocol, status, body, extra);
    const end = toGrpc || body === "" || this.method === "HEAD";
    this.respond(head, end);
    if (end || this.finished) return replied;
    const bytes = Buffer.from(body, "latin1");
    this.record.responseBodyBytes = bytes.length;
    this.respondData(bytes, 0, bytes.length);
    this.respondEnd(undefined);
    return replied;
  }

  /** Begins the response: route, then filters in reverse, then the client. @param end no data follow; `respondEnd` isn't called */
  respond(head: StreamResponseHead, end: boolean): void {
    this.response = head;
    this.responseEnds = end;
    this.status = head.status;
    this.responseHeaders = head.headers;
    this.responseStarted = true;
    const { record } = this;
    record.responseCode = head.status;
    record.responseHeaders = head.headers;
    applyResponseOps(this);
    this.walk.respond();
    if (!this.walk.responseWaits || this.finished) return;
    this.heldBack = true;
    if (!this.walk.readsWhileHeld) this.terminal.pauseResponse();
  }

  onResponseHead(): void {
    const { record, manager, response, stream } = this;
    if (response === undefined || this.finished) return;
    finishResponseHeaders(response.headers, manager.options, record);
    response.status = this.status;
    record.responseCode = this.status;
    record.responseHeadersBytes = headersSize(response);
    record.timeToFirstDownstreamTxMs = performance.now() - this.start;
    this.headSent = true;
    stream.sendHead(response, this.responseEnds);
    if (this.responseEnds) this.finish();
    else if (this.heldBack) {
      this.heldBack = false;
      this.terminal.onDrain();
    }
  }

  /** @returns false when the client reads too slowly: stop until the terminal filter's `onDrain` */
  respondData(bytes: Buffer, start: number, end: number): boolean {
    this.lastActivity = performance.now();
    return this.tunnel ? this.stream.sendData(bytes, start, end) : this.walk.responseData(bytes, start, end);
  }

  onResponseData(bytes: Buffer, start: number, end: number): boolean {
    this.sentBytes += end - start;
    return this.finished || this.stream.sendData(bytes, start, end);
  }

  respondEnd(trailers: Fields | undefined): void {
    this.record.responseTrailers = trailers;
    if (this.tunnel) this.onResponseEnd(trailers);
    else this.walk.responseEnd(trailers);
  }

  onResponseEnd(trailers: Fields | undefined): void {
    if (this.finished) return;
    this.stream.sendEnd(trailers);
    this.finish();
  }

  /** Whether this client takes chunks as they come from an HTTP/1 upstream. */
  get takesChunks(): boolean {
    return this.stream.protocol === "HTTP/1.1" && (this.wants & Wants.responseData) === 0;
  }

  /** Writes what waits. */
  flush(): boolean {
    return this.finished || this.stream.flush();
  }

  /** 101: the stream becomes a tunnel. */
  startTunnel(head: StreamResponseHead): void {
    this.responseStarted = true;
    this.headSent = true;
    this.tunnel = true;
    const status = this.upgrade === plainConnect ? 200 : 101;
    this.status = status;
    const { record } = this;
    record.responseCode = status;
    record.responseHeaders = head.headers;
    finishResponseHeaders(head.headers, this.manager.options, record);
    record.responseCodeDetails = "via_upstream";
    record.responseHeadersBytes = headersSize(head);
    this.manager.stats.cxUpgradesTotal.inc();
    this.stream.sendHead(head, false);
    this.stream.resume();
  }

  /** Breaks off: the client sees its stream reset or cut, never a response that looks whole. */
  abort(): void {
    if (this.finished) return;
    this.manager.stats.rqTxReset.inc();
    this.terminal.abandon();
    this.finish();
    this.stream.reset("local_reset");
  }

  /** Writes record and stats, once. */
  private finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.idle.cancel();
    this.walk.close();
    const { record, manager } = this;
    const { stats } = manager;
    const duration = performance.now() - this.start;
    record.durationMs = duration;
    record.startMs = manager.wall.at(this.start);
    if ((this.wants & Wants.responseData) !== 0) record.responseBodyBytes = this.sentBytes;
    if (this.responseStarted) record.timeToLastDownstreamTxMs = duration;
    stats.rqActive.add(-1);
    stats.rqTime.record(duration);
    if (record.responseCode !== 0) {
      stats.rqCompleted.inc();
      stats.byClass[Math.floor(record.responseCode / 100)]?.inc();
    }
    for (const logger of manager.accessLoggers) logger.log(record);
    // What a filter has found to be a health check is no trace's, also where it was sampled before.
    if (this.trace !== undefined && !record.healthCheck) manager.tracer?.end(this.trace, record);
  }

  private armIdle(): void {
    const limit = this.idleLimitMs;
    if (limit > 0) this.manager.timers.arm(this.idle, limit);
  }

  /** Re-armed lazily, so that data cost no timer. */
  private onIdle(): void {
    const { manager } = this;
    const left = this.lastActivity + this.idleLimitMs - performance.now();
    if (left > 0) {
      manager.timers.arm(this.idle, left);
      return;
    }
    manager.stats.rqIdleTimeout.inc();
    const status = this.requestDone ? 504 : 408;
    this.reply(status, "stream timeout", "stream_idle_timeout", ResponseFlag.streamIdleTimeout);
  }
}

function setLength(headers: FlatHeaders, bytes: number): void {
  if (bytes < 0) removeHeader(headers, "content-length");
  else setHeader(headers, "content-length", String(bytes));
}

const slash = 0x2f;
const replied = new Replied();
