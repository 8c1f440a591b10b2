import { WheelTimer } from "../../../lib/timer-wheel.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Endpoint } from "../../cluster/endpoint.ts";
import { getHeader, setHeader } from "../../http/headers.ts";
import type { Fields, StreamResponseHead } from "../../http/stream.ts";
import { ResponseFlag } from "../../record.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { TerminalStream } from "../../request/filter.ts";
import type { CompiledRoute, ForwardTarget } from "../../route/compile-route.ts";
import { type ResetReason, requestRetriable } from "../../route/retry-policy.ts";
import type { RouteStats } from "../../route/route-stats.ts";
import { answerHere, needsTls } from "./answer-here.ts";
import { Attempt } from "./attempt.ts";
import { dropsOverload } from "./drop-overload.ts";
import { durationLeft } from "./duration-limit.ts";
import { judge } from "./endpoint-verdict.ts";
import { KeptBody } from "./kept-body.ts";
import { sendMirrors } from "./mirror.ts";
import { resetReply } from "./reset-reply.ts";
import { count, countResponse, countTime } from "./response-counts.ts";
import { RetryState } from "./retry-state.ts";
import { noTimeouts, type Timeouts, timeoutsOf } from "./timeouts.ts";
import { allowsUpgrade } from "./upgrades.ts";
import { finishUpstreamHeaders } from "./upstream-headers.ts";
import { anyWish, type Wishes, wishesOf } from "./wishes.ts";

/**
 * The last filter: sends the request to its cluster, tries again where the route says so, and passes one response back.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
 */
export class Router implements TerminalStream {
  readonly exchange: Exchange;
  readonly envoyHeaders: boolean;
  cluster: Cluster | undefined = undefined;
  action: ForwardTarget | undefined = undefined;
  requestDone = false;
  /** Of the request, once it is whole. */
  trailers: Fields | undefined = undefined;
  private attempt: Attempt | undefined = undefined;
  /** Earlier attempts that took too long and may answer still: hedging. */
  private hedged: readonly Attempt[] = none;
  timeouts: Timeouts = noTimeouts;
  /** Of a route with a `stat_prefix`. */
  routeStats: RouteStats | undefined = undefined;
  private retry: RetryState | undefined = undefined;
  private wishes: Wishes = anyWish;
  private tunnel = false;
  /** Whether the body may be sent again; what there is of it, once something has come. */
  private keepsBody = false;
  private kept: KeptBody | undefined = undefined;
  private timeout: WheelTimer | undefined = undefined;
  private duration: WheelTimer | undefined = undefined;
  private counted = false;
  /** Takes the question back where a host is. */
  private stopFinding: () => void = nothing;

  constructor(exchange: Exchange, envoyHeaders: boolean) {
    this.exchange = exchange;
    this.envoyHeaders = envoyHeaders;
  }

  /** Acts on the route chosen. */
  begin(end: boolean): void {
    this.requestDone = end;
    const { exchange } = this;
    exchange.manager.stats.rqForwarded.inc();
    const { route } = exchange;
    if (route?.action.kind === "forward" && !needsTls(exchange)) this.forward(route, route.action);
    else answerHere(exchange);
  }

  requestData(bytes: Buffer, start: number, end: number): void {
    const { attempt } = this;
    if (this.tunnel) {
      attempt?.sendData(bytes, start, end);
      return;
    }
    const sending = attempt?.ready === true;
    this.kept ??= new KeptBody(this.exchange.manager.options.bufferLimit, this.keepsBody);
    if ((!sending || this.kept.keeps) && !this.kept.add(bytes.subarray(start, end), sending)) {
      this.exchange.pauseRequest();
    }
    if (sending) attempt.sendData(bytes, start, end);
  }

  requestEnd(trailers: Fields | undefined): void {
    if (this.tunnel) {
      this.attempt?.endTunnel();
      return;
    }
    this.requestDone = true;
    this.trailers = trailers;
    if (this.cluster === undefined) return;
    this.armTimeout();
    this.attempt?.onRequestDone();
    this.mirror();
  }

  /** @returns false when the response is not passed on, because the request is tried again or another attempt may do better */
  onResponseHead(attempt: Attempt, head: StreamResponseHead, end: boolean): boolean {
    const { exchange, cluster, retry } = this;
    const { record } = exchange;
    if (cluster !== undefined) judge(cluster, attempt.endpoint, head);
    if (retry?.wouldRetry(head.status, head.headers)) {
      // One that has been tried again already is not tried again for its answer, too.
      if (!attempt.retried && !this.bodyLost() && retry.tryAgain(head.headers)) {
        cluster?.stats.retried(head.status);
        this.forget(attempt);
        return false;
      }
      if (this.othersThan(attempt)) {
        this.forget(attempt);
        return false;
      }
    } else if (retry !== undefined && retry.retries > 0) count(this.cluster, this.routeStats, "rqRetrySuccess");
    countResponse(this.cluster, this.routeStats, head.status);
    this.settleFor(attempt);
    if (record.responseCodeDetails === "") record.responseCodeDetails = "via_upstream";
    if (this.envoyHeaders) {
      const serviceTime = Math.max(0, Math.round(performance.now() - exchange.start - record.timeToFirstUpstreamTxMs));
      setHeader(head.headers, "x-envoy-upstream-service-time", String(serviceTime));
    }
    for (const cookie of this.wishes.cookies) head.headers.push("set-cookie", cookie);
    if (end) {
      this.attempt = undefined;
      this.recordTime();
      this.release();
    }
    exchange.respond(head, end);
    return true;
  }

  onResponseEnd(trailers: Fields | undefined): void {
    this.attempt = undefined;
    this.recordTime();
    this.release();
    this.exchange.respondEnd(trailers);
  }

  /** The attempt ended without a whole response. */
  onReset(attempt: Attempt, reason: ResetReason, detail: string): void {
    const { exchange, cluster, retry } = this;
    this.forget(attempt);
    const overflow = reason === "overflow";
    if (!overflow) cluster?.onLocalFailure(attempt.endpoint);
    if (!exchange.responseStarted) {
      const again =
        retry !== undefined && !attempt.retried && !this.bodyLost() && retry.wouldRetryReset(reason, attempt.sent);
      if (again && retry.tryAgain(undefined)) return;
      if (this.othersThan(attempt)) return;
    }
    const outcome = resetReply(reason, detail, this.retries > 0);
    exchange.record.upstreamTransportFailureReason = outcome.transportFailure;
    if (!exchange.responseStarted) countResponse(this.cluster, this.routeStats, outcome.status);
    this.release();
    const details = exchange.responseStarted ? outcome.detailsAfterStart : outcome.details;
    exchange.reply(outcome.status, outcome.body, details, outcome.flag, overflow ? ["x-envoy-overloaded", "true"] : []);
  }

  /** The attempt takes too long, but is not given up: another one begins beside it. */
  onSoftTimeout(attempt: Attempt): void {
    const { cluster, exchange, retry } = this;
    cluster?.onLocalFailure(attempt.endpoint);
    if (exchange.responseStarted || retry === undefined || attempt.retried || this.bodyLost()) return;
    if (!retry.tryAgain(undefined)) return;
    attempt.retried = true;
    this.hedged = [...this.hedged, attempt];
    if (this.attempt === attempt) this.attempt = undefined;
  }

  /** Lets go of everything upstream: the client is gone or has its answer. */
  abandon(): void {
    const { attempt } = this;
    this.attempt = undefined;
    for (const each of attempt === undefined ? this.hedged : [...this.hedged, attempt]) {
      // In Envoy's words a request is cancelled while it waits for a connection, and reset after that.
      if (!each.ready) this.cluster?.stats.rqCancelled.inc();
      each.cancel();
    }
    this.hedged = none;
    this.release();
  }

  get retries(): number {
    return this.retry?.retries ?? 0;
  }

  /** Whether an attempt other than this one may still bring an answer. */
  private othersThan(attempt: Attempt): boolean {
    if (this.retry?.pending === true) return true;
    return (this.attempt !== undefined && this.attempt !== attempt) || this.hedged.some((each) => each !== attempt);
  }

  private forget(attempt: Attempt): void {
    if (this.attempt === attempt) this.attempt = undefined;
    if (this.hedged !== none) this.hedged = this.hedged.filter((each) => each !== attempt);
  }

  /** This one answers: the others are given up, and none begins any more. */
  private settleFor(attempt: Attempt): void {
    this.retry?.close();
    if (this.hedged === none) return;
    const { attempt: latest } = this;
    for (const each of latest === undefined ? this.hedged : [...this.hedged, latest]) {
      if (each !== attempt) each.cancel();
    }
    this.hedged = none;
    this.attempt = attempt;
    attempt.answers();
  }

  /** The exchange becomes a tunnel: only idle and stream limits hold. */
  onTunnel(head: StreamResponseHead): void {
    this.tunnel = true;
    this.timeout?.cancel();
    this.exchange.startTunnel(head);
  }

  onDrain(): void {
    this.attempt?.resumeReading();
  }

  pauseResponse(): void {
    this.attempt?.pauseReading();
  }

  private forward(route: CompiledRoute, action: ForwardTarget): void {
    const { exchange } = this;
    const { manager, record } = exchange;
    const name =
      action.clusterHeader === "" ? exchange.target?.cluster : getHeader(exchange.headers, action.clusterHeader);
    const cluster = name === undefined ? undefined : manager.clusters.get(name);
    record.upstreamCluster = name ?? "";
    if (cluster === undefined) {
      manager.stats.noCluster.inc();
      exchange.reply(action.notFoundStatus, "", "cluster_not_found", ResponseFlag.noClusterFound);
      return;
    }
    this.cluster = cluster;
    this.action = action;
    if (route.statPrefix !== "") this.routeStats = manager.stats.ofRoute(route.statPrefix);
    record.clusterMetadata = cluster.config.metadata;
    if (cluster.dropped > 0 && dropsOverload(exchange, cluster, this.envoyHeaders)) return;
    if (!allowsUpgrade(exchange, action)) {
      exchange.reply(403, "", "upgrade_failed", 0);
      return;
    }
    this.wishes = wishesOf(exchange, cluster, action);
    this.timeouts = timeoutsOf(exchange, action);
    finishUpstreamHeaders(exchange, route, action, cluster);
    if (cluster.activeRequests >= cluster.config.maxRequests) {
      cluster.stats.rqPendingOverflow.inc();
      this.overflow();
      return;
    }
    cluster.activeRequests++;
    this.counted = true;
    cluster.stats.rqActive.set(cluster.activeRequests);
    const { retry: policy } = this.timeouts;
    if (policy !== undefined && requestRetriable(policy, exchange)) {
      this.retry = new RetryState(policy, cluster, exchange, () => this.startAttempt(), this.routeStats);
    }
    this.keepsBody = exchange.hasBody && (this.retry !== undefined || action.mirrors.length > 0);
    this.armDuration(action);
    if (exchange.finished) return;
    this.startAttempt();
    if (this.requestDone && !exchange.finished) {
      this.armTimeout();
      this.mirror();
    }
  }

  private startAttempt(): void {
    const { cluster, exchange, retry } = this;
    if (cluster === undefined) return;
    if (cluster.finder === undefined) {
      const { context, cookies } = this.wishes;
      const endpoint = cluster.pick(retry === undefined ? context : retry.context(context));
      // A host that was asked for has one chance.
      if (context.override !== undefined) this.wishes = { context: { ...context, override: undefined }, cookies };
      this.tryAt(cluster, endpoint ?? "no_healthy_upstream");
      return;
    }
    const { connection, authority: host, headers } = exchange;
    const target = { host, port: undefined, headers, destination: connection.proxied?.destination };
    this.stopFinding = cluster.finder.find(target, (found) => this.tryAt(cluster, found));
  }

  /** @param found where, or why nowhere */
  private tryAt(cluster: Cluster, found: Endpoint | string): void {
    const { exchange } = this;
    exchange.record.upstreamAttempts++;
    if (typeof found === "string") {
      cluster.stats.cxNoneHealthy.inc();
      // A hedged request may be answered still.
      if (this.hedged.length > 0) return;
      countResponse(this.cluster, this.routeStats, 503);
      this.release();
      exchange.reply(503, "no healthy upstream", found, ResponseFlag.noHealthyUpstream);
      return;
    }
    this.retry?.onPicked(found);
    const attempt = new Attempt(this, cluster, found);
    this.attempt = attempt;
    attempt.start();
  }

  get body(): readonly Buffer[] | undefined {
    return this.kept?.parts;
  }

  private bodyLost(): boolean {
    return this.kept?.lost === true;
  }

  /** Called by an attempt once it has sent what is there. */
  bodySent(): void {
    this.kept?.sent();
    this.exchange.resumeRequest();
  }

  private overflow(): void {
    const { exchange } = this;
    const outcome = resetReply("overflow", "", false);
    exchange.record.upstreamAttempts = 1;
    countResponse(this.cluster, this.routeStats, 503);
    exchange.reply(503, outcome.body, outcome.details, outcome.flag, ["x-envoy-overloaded", "true"]);
  }

  /** The route timeout runs from the end of the request to the end of the response, over all attempts. */
  private armTimeout(): void {
    const { action, exchange } = this;
    const { timeoutMs } = this.timeouts;
    if (action === undefined || timeoutMs === 0 || exchange.finished) return;
    this.timeout = new WheelTimer(() => this.onTimeout());
    exchange.manager.timers.arm(this.timeout, timeoutMs);
  }

  private armDuration(action: ForwardTarget): void {
    const { exchange } = this;
    const left = durationLeft(exchange, action);
    if (left === undefined) return;
    if (left <= 0) {
      this.onDuration();
      return;
    }
    this.duration = new WheelTimer(() => this.onDuration());
    exchange.manager.timers.arm(this.duration, left);
  }

  private onDuration(): void {
    const { exchange } = this;
    exchange.manager.stats.rqMaxDuration.inc();
    const status = this.requestDone ? 504 : 408;
    // Envoy has no flag for it: DT is of connections.
    exchange.reply(status, "downstream duration timeout", "max_duration_timeout", 0, [], deadlineExceeded);
  }

  private onTimeout(): void {
    const { cluster, exchange, attempt } = this;
    count(this.cluster, this.routeStats, "rqTimeout");
    if (!exchange.responseStarted) countResponse(this.cluster, this.routeStats, 504);
    if (attempt !== undefined) cluster?.onLocalFailure(attempt.endpoint);
    exchange.reply(504, "upstream request timeout", "response_timeout", ResponseFlag.upstreamRequestTimeout);
  }

  private mirror(): void {
    const { action } = this;
    if (action === undefined || action.mirrors.length === 0 || this.bodyLost()) return;
    sendMirrors(this, action, this.body ?? []);
  }

  private recordTime(): void {
    countTime(this.cluster, this.routeStats, performance.now() - this.exchange.start);
  }

  private release(): void {
    const { cluster } = this;
    this.timeout?.cancel();
    this.duration?.cancel();
    this.retry?.close();
    this.stopFinding();
    if (cluster === undefined || !this.counted) return;
    this.counted = false;
    cluster.activeRequests--;
    cluster.stats.rqActive.set(cluster.activeRequests);
  }
}

/** gRPC's status. */
const deadlineExceeded = 4;
const none: readonly Attempt[] = [];
const nothing = (): void => {};
