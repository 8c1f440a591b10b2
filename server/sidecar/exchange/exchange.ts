import { Replied } from "../filters/filter.ts";
import { Hold } from "../filters/hold.ts";
import type { RequestHead } from "../http1/head.ts";
import { type FlatHeaders, getHeader, headerLines, setHeader, toWire } from "../http1/headers.ts";
import type { DownstreamConnection } from "../listener/downstream-connection.ts";
import type { HttpManager } from "../listener/manager.ts";
import type { RequestView } from "../match/request-view.ts";
import { newRecord, type RequestRecord, ResponseFlag, type TraceContext } from "../record.ts";
import type { CompiledRoute, WeightedTarget } from "../route/compile-route.ts";
import { applyHeaderOps } from "../route/header-ops.ts";
import { pickTarget } from "../route/match-route.ts";
import { type CompiledVirtualHost, findRoute, type RouteTable } from "../route/route-table.ts";
import { prepareRequest, propagateTrace } from "./request-headers.ts";
import { Router } from "./router.ts";
import { httpDate, statusLine } from "./status-text.ts";

/** How a response body comes: with a length (or none at all), chunked, or until the upstream closes. */
export const Framing = { length: 0, chunked: 1, close: 2 } as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** How it leaves. */
const BodyMode = { none: 0, verbatim: 1, rechunk: 2, dechunk: 3 } as const;
type BodyMode = (typeof BodyMode)[keyof typeof BodyMode];

/**
 * One request and its response, from the head read to the log record written: connection manager → route → filters → router and back. The router
 * owns the upstream side; this class owns the downstream side and the record.
 */
export class Exchange implements RequestView {
  readonly connection: DownstreamConnection;
  readonly manager: HttpManager;
  readonly record: RequestRecord;
  readonly method: string;
  readonly headers: FlatHeaders;
  readonly minor: number;
  /** Whether any `x-envoy-` field came in; those that ask for timeouts and retries are the router's. */
  envoyFields = false;
  /** The Upgrade protocol asked for and allowed, or "". */
  upgrade: string;
  readonly chunked: boolean;
  readonly hasBody: boolean;
  /** -1: not told. */
  readonly contentLength: number;
  path: string;
  authority: string;
  scheme = "http";
  /** Monotonic ms. */
  readonly start: number;
  table: RouteTable | undefined = undefined;
  host: CompiledVirtualHost | undefined = undefined;
  route: CompiledRoute | undefined = undefined;
  target: WeightedTarget | undefined = undefined;
  status = 0;
  responseHeaders: FlatHeaders = [];
  requestDone = false;
  responseStarted = false;
  finished = false;
  readonly router: Router;
  private trace: TraceContext | undefined = undefined;
  private filterIndex = 0;
  private held: Hold | undefined = undefined;
  private keepAlive: boolean;
  private mode: BodyMode = BodyMode.verbatim;
  /** A head not yet written: it goes out with the first body bytes. */
  private pending = "";

  constructor(connection: DownstreamConnection, manager: HttpManager, head: RequestHead, start: number) {
    this.connection = connection;
    this.manager = manager;
    this.start = start;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority || manager.options.defaultHost;
    this.headers = head.headers;
    this.minor = head.minor;
    this.upgrade = head.upgrade;
    this.chunked = head.chunked;
    this.contentLength = head.contentLength;
    this.hasBody = head.chunked || head.contentLength > 0;
    this.keepAlive = head.keepAlive;
    const record = newRecord(manager.wall.at(start), start);
    this.record = record;
    record.downstreamRemoteAddress = connection.remoteAddress;
    record.downstreamRemotePort = connection.remotePort;
    record.downstreamLocalAddress = connection.localAddress;
    record.downstreamLocalPort = connection.localPort;
    record.downstreamTls = connection.tls;
    record.requestHeadersBytes = head.bytes;
    record.requestHeaders = head.headers;
    if (head.minor === 0) record.protocol = "HTTP/1.0";
    this.router = new Router(this);
    manager.stats.rqTotal.inc();
    manager.stats.rqActive.add(1);
  }

  /** Prepares, routes and runs the filters. */
  begin(): void {
    const { manager } = this;
    if (!prepareRequest(this, manager)) {
      this.reply(400, "", "path_normalization_failed", 0);
      return;
    }
    if (this.path.charCodeAt(0) !== slash) {
      // OPTIONS * asks the server itself; no route names it.
      this.reply(404, "", "absolute_path_rejected", 0);
      return;
    }
    if (manager.tracer !== undefined) {
      const trace = manager.tracer.begin(this.headers, manager.direction);
      this.trace = trace;
      this.record.traceId = trace.traceId;
      this.record.spanId = trace.spanId;
      this.record.sampled = trace.sampled;
      propagateTrace(this, trace.propagate);
    }
    this.selectRoute();
    this.goOn();
  }

  /** Stops the request at the filter that calls, until that resumes it or answers. `close` is called exactly once, whatever ends the wait. */
  hold(close: () => void): Hold {
    this.held = new Hold(() => this.goOn(), close);
    return this.held;
  }

  /** Goes on with the next filter; the router comes last. */
  private goOn(): void {
    this.held = undefined;
    const { filters } = this.manager;
    while (this.filterIndex < filters.length) {
      const filter = filters[this.filterIndex++];
      if (filter?.onRequest !== undefined && filter.onRequest(this) !== "go") return;
    }
    this.router.begin();
  }

  private release(): void {
    const { held } = this;
    this.held = undefined;
    held?.release();
  }

  /** The most specific config of a filter: weighted cluster, route, virtual host, route table. */
  perFilter(name: string): unknown {
    return (
      this.target?.perFilter.get(name) ??
      this.route?.perFilter.get(name) ??
      this.host?.perFilter.get(name) ??
      this.table?.perFilter.get(name)
    );
  }

  /** @param total decoded body bytes so far */
  onRequestBody(bytes: Buffer, start: number, end: number, total: number): void {
    this.record.requestBodyBytes = total;
    if (!this.finished) this.router.onRequestBody(bytes, start, end);
  }

  onRequestEnd(bodyBytes: number): void {
    this.requestDone = true;
    this.record.requestBodyBytes = bodyBytes;
    this.record.timeToLastDownstreamRxMs = performance.now() - this.start;
    if (!this.finished) this.router.onRequestEnd();
  }

  /** A response made here. Once a response has begun only breaking the connection can tell the client that it is wrong. */
  reply(status: number, body: string, details: string, flags: number, extra: readonly string[] = []): Replied {
    if (this.finished) return replied;
    this.record.responseFlags |= flags;
    if (this.responseStarted) {
      this.record.responseCodeDetails = details;
      this.abort();
      return replied;
    }
    const headers: FlatHeaders = [];
    if (body !== "") headers.push("content-length", String(body.length), "content-type", "text/plain");
    else if (status !== 204) headers.push("content-length", "0"); // RFC 9110, 8.6
    for (let i = 0; i < extra.length; i += 2) setHeader(headers, extra[i] as string, extra[i + 1] as string);
    this.router.abandon();
    this.release();
    this.record.responseCodeDetails = details;
    // What is left of the request is not read, so the connection cannot serve another one.
    if (!this.requestDone) this.keepAlive = false;
    this.respond(status, headers, Framing.length);
    if (this.mode !== BodyMode.none && body !== "") {
      this.pending += body;
      this.record.responseBodyBytes = body.length;
    }
    this.respondEnd();
    return replied;
  }

  /** Begins the response: filters in reverse, then the head, which waits for body bytes or {@link flush}. */
  respond(status: number, headers: FlatHeaders, framing: Framing): void {
    this.status = status;
    this.responseHeaders = headers;
    this.responseStarted = true;
    const { record, manager } = this;
    record.responseCode = status;
    record.responseHeaders = headers;
    this.applyResponseOps();
    const { filters, options } = manager;
    for (let i = Math.min(this.filterIndex, filters.length) - 1; i >= 0; i--) filters[i]?.onResponse?.(this);
    finishResponseHeaders(headers, options, record);
    this.mode = this.modeFor(framing);
    const line = this.minor === 0 ? statusLine(this.status).replace("1.1", "1.0") : statusLine(this.status);
    const text = line + headerLines(headers) + this.framingLines(framing);
    record.responseHeadersBytes = text.length;
    record.timeToFirstDownstreamTxMs = performance.now() - this.start;
    this.pending = text;
  }

  /** @param ranges decoded ranges of a chunked body, when {@link needsRanges} asked for them */
  respondBody(bytes: Buffer, start: number, end: number, ranges: number[] | undefined): boolean {
    switch (this.mode) {
      case BodyMode.verbatim:
        return this.write(bytes, start, end);
      case BodyMode.rechunk: {
        this.pending += `${(end - start).toString(16)}\r\n`;
        this.write(bytes, start, end);
        this.pending = "\r\n";
        return this.flush();
      }
      case BodyMode.dechunk: {
        if (ranges === undefined) return this.write(bytes, start, end);
        let ok = true;
        for (let i = 0; i < ranges.length; i += 2) ok = this.write(bytes, ranges[i] as number, ranges[i + 1] as number);
        return ok;
      }
      default:
        return true;
    }
  }

  /** Whether this client cannot take a chunked body. */
  get needsRanges(): boolean {
    return this.minor === 0;
  }

  /** Writes a head that waits. */
  flush(): boolean {
    if (this.pending === "") return true;
    const text = this.pending;
    this.pending = "";
    return this.connection.send(text, undefined, 0, 0);
  }

  respondEnd(): void {
    if (this.mode === BodyMode.rechunk) this.pending += "0\r\n\r\n";
    this.flush();
    this.finish();
  }

  /** 101: the connection becomes a tunnel. */
  startTunnel(headers: FlatHeaders): void {
    this.responseStarted = true;
    this.status = 101;
    this.record.responseCode = 101;
    this.record.responseHeaders = headers;
    this.record.responseCodeDetails = "via_upstream";
    this.keepAlive = false;
    this.manager.stats.cxUpgradesTotal.inc();
    const text = `${statusLine(101)}${headerLines(headers)}connection: upgrade\r\nupgrade: ${this.upgrade}\r\n\r\n`;
    this.record.responseHeadersBytes = text.length;
    this.connection.startTunnel();
    this.connection.send(text, undefined, 0, 0);
  }

  /** Breaks off: the client sees its connection reset or cut, never a response that looks whole. */
  abort(): void {
    if (this.finished) return;
    this.keepAlive = false;
    this.manager.stats.rqTxReset.inc();
    this.router.abandon();
    this.flush();
    this.finish();
    this.connection.destroy();
  }

  /** The client went away. */
  onDownstreamClose(): void {
    if (this.finished) return;
    this.record.responseFlags |= ResponseFlag.downstreamConnectionTermination;
    this.record.responseCodeDetails = "downstream_remote_disconnect";
    this.manager.stats.rqRxReset.inc();
    this.release();
    this.router.abandon();
    this.finish();
  }

  /** Writes record and stats, once, and frees the connection for the next request. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    const { record, manager } = this;
    const { stats } = manager;
    const duration = performance.now() - this.start;
    record.durationMs = duration;
    record.startMs = manager.wall.at(this.start);
    if (this.responseStarted) record.timeToLastDownstreamTxMs = duration;
    stats.rqActive.add(-1);
    stats.rqTime.record(duration);
    if (record.responseCode !== 0) {
      stats.rqCompleted.inc();
      stats.byClass[Math.floor(record.responseCode / 100)]?.inc();
    }
    for (const logger of manager.accessLoggers) logger.log(record);
    if (this.trace !== undefined) manager.tracer?.end(this.trace, record);
    this.connection.exchangeFinished(this, this.keepAlive && this.requestDone);
  }

  private selectRoute(): void {
    const { manager, record } = this;
    const table = manager.routes.table;
    this.table = table;
    this.host = table?.find(this.authority);
    if (this.host === undefined) return;
    const route = findRoute(this.host, this, manager.random);
    if (route === undefined) return;
    this.route = route;
    record.routeName = route.name;
    record.operation = route.operation;
    record.routeMetadata = route.metadata;
    const { action } = route;
    if (action.kind !== "forward") return;
    this.target = pickTarget(action.clusters, action.totalWeight, manager.random);
    record.routedCluster = this.target?.cluster ?? "";
  }

  private applyResponseOps(): void {
    const { route, host, table, responseHeaders, record } = this;
    if (route === undefined || host === undefined || table === undefined) return;
    if (table.mostSpecificWins) {
      applyHeaderOps(table.responseOps, responseHeaders, record);
      applyHeaderOps(host.responseOps, responseHeaders, record);
    }
    if (!table.mostSpecificWins && this.target !== undefined) {
      applyHeaderOps(this.target.responseOps, responseHeaders, record);
    }
    applyHeaderOps(route.responseOps, responseHeaders, record);
    if (table.mostSpecificWins && this.target !== undefined) {
      applyHeaderOps(this.target.responseOps, responseHeaders, record);
    }
    if (!table.mostSpecificWins) {
      applyHeaderOps(host.responseOps, responseHeaders, record);
      applyHeaderOps(table.responseOps, responseHeaders, record);
    }
    if (host.attemptCountInResponse)
      setHeader(responseHeaders, "x-envoy-attempt-count", String(record.upstreamAttempts));
  }

  private modeFor(framing: Framing): BodyMode {
    if (this.method === "HEAD" || this.status === 204 || this.status === 304) return BodyMode.none;
    if (framing === Framing.length) return BodyMode.verbatim;
    // HTTP/1.0 knows no chunks: the end of the connection ends the body (RFC 9112, 6.3).
    if (this.minor === 0) return BodyMode.dechunk;
    return framing === Framing.chunked ? BodyMode.verbatim : BodyMode.rechunk;
  }

  private framingLines(framing: Framing): string {
    // A response that begins before its request is whole ends the connection: what is left of the request is not waited for.
    if (!this.requestDone || this.connection.draining || this.mode === BodyMode.dechunk) this.keepAlive = false;
    // A chunked response to HEAD says so too: the field describes what GET would have got.
    const chunked = framing !== Framing.length && this.minor === 1 && this.status !== 204 && this.status !== 304;
    const lines = chunked ? "transfer-encoding: chunked\r\n" : "";
    if (!this.keepAlive) return `${lines}connection: close\r\n\r\n`;
    return this.minor === 0 ? `${lines}connection: keep-alive\r\n\r\n` : `${lines}\r\n`;
  }

  private write(bytes: Buffer, start: number, end: number): boolean {
    const head = this.pending;
    this.pending = "";
    return this.connection.send(head, bytes, start, end);
  }
}

const slash = 0x2f;
const replied = new Replied();

function finishResponseHeaders(headers: FlatHeaders, options: HttpManager["options"], record: RequestRecord): void {
  if (options.serverHeader === "overwrite") setHeader(headers, "server", options.serverName);
  else if (options.serverHeader === "append_if_absent" && getHeader(headers, "server") === undefined) {
    headers.push("server", options.serverName);
  }
  if (getHeader(headers, "date") === undefined) headers.push("date", httpDate());
  if (options.via !== "") headers.push("via", options.via);
  if (options.requestIdInResponse) setHeader(headers, "x-request-id", toWire(record.requestId));
}
