import { anyHost, type PickContext } from "../../cluster/balancer.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Endpoint } from "../../cluster/endpoint.ts";
import { isGrpc } from "../../http/grpc.ts";
import { getHeader, setHeader } from "../../http/headers.ts";
import type { Fields, StreamResponseHead } from "../../http/stream.ts";
import { criteriaFor } from "../../match/criteria.ts";
import { ResponseFlag } from "../../record.ts";
import type { Exchange } from "../../request/exchange.ts";
import type { TerminalStream } from "../../request/filter.ts";
import type { CompiledRoute, ForwardTarget } from "../../route/compile-route.ts";
import { takeOverrides } from "../../route/request-overrides.ts";
import { type CompiledRetryPolicy, type ResetReason, requestRetriable } from "../../route/retry-policy.ts";
import { WheelTimer } from "../../timer-wheel.ts";
import { answerHere, needsTls } from "./answer-here.ts";
import { Attempt } from "./attempt.ts";
import { dropsOverload } from "./drop-overload.ts";
import { durationLeft } from "./duration-limit.ts";
import { judge } from "./endpoint-verdict.ts";
import { grpcRouteTimeout } from "./grpc-timeout.ts";
import { sendMirrors } from "./mirror.ts";
import { resetReply } from "./reset-reply.ts";
import { RetryState } from "./retry-state.ts";
import { allowsUpgrade } from "./upgrades.ts";
import { finishUpstreamHeaders } from "./upstream-headers.ts";

/**
 * The last filter: sends the request to its cluster, tries again where the route says so, and passes one response back.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
 */
export class Router implements TerminalStream {
  readonly exchange: Exchange;
  readonly envoyHeaders: boolean;
  cluster: Cluster | undefined = undefined;
  action: ForwardTarget | undefined = undefined;
  /** Request body so far, for upstreams to come; undefined once it is too long to keep. */
  body: Buffer[] | undefined = undefined;
  bodyBytes = 0;
  requestDone = false;
  /** Of the request, once it is whole. */
  trailers: Fields | undefined = undefined;
  private attempt: Attempt | undefined = undefined;
  /** Earlier attempts that took too long and may answer still: hedging. */
  private hedged: readonly Attempt[] = none;
  /** The route's, or what the request asked for. 0 is none. */
  timeoutMs = 0;
  private retry: RetryState | undefined = undefined;
  perTryTimeoutMs = 0;
  perTryIdleMs = 0;
  /** Whether a try that takes too long goes on beside the next one. */
  hedges = false;
  /** For picks: the hash of the request as it came, before the route changed it. */
  private balancing: PickContext = anyHost;
  /** What the client is to get with its response, so that it comes back to its endpoint. */
  private cookies: readonly string[] = [];
  /** Whether the upstream is told in `grpc-timeout` what is left for an attempt. */
  tellsGrpcTimeout = false;
  private tunnel = false;
  private keepBody = false;
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
    if (!sending || this.keepBody) this.keep(bytes.subarray(start, end), sending);
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
    } else if (retry !== undefined && retry.retries > 0) cluster?.stats.rqRetrySuccess.inc();
    cluster?.stats.response(head.status);
    this.settleFor(attempt);
    if (record.responseCodeDetails === "") record.responseCodeDetails = "via_upstream";
    if (this.envoyHeaders) {
      const serviceTime = Math.max(0, Math.round(performance.now() - exchange.start - record.timeToFirstUpstreamTxMs));
      setHeader(head.headers, "x-envoy-upstream-service-time", String(serviceTime));
    }
    for (const cookie of this.cookies) head.headers.push("set-cookie", cookie);
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
    if (!exchange.responseStarted) cluster?.stats.response(outcome.status);
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
    record.clusterMetadata = cluster.config.metadata;
    if (cluster.dropped > 0 && dropsOverload(exchange, cluster, this.envoyHeaders)) return;
    if (!allowsUpgrade(exchange, action)) {
      exchange.reply(403, "", "upgrade_failed", 0);
      return;
    }
    if (action.hasher !== undefined && cluster.usesHash) {
      const { hash, cookies } = action.hasher(exchange, {
        connection: exchange.connection,
        atEdge: manager.options.useRemoteAddress,
      });
      this.balancing = { ...anyHost, hash };
      this.cookies = cookies;
    }
    if (cluster.split) {
      const criteria = criteriaFor(exchange.target?.criteria, record.dynamicMetadata?.["envoy.lb"]);
      this.balancing = { ...this.balancing, criteria };
    }
    if (exchange.hostOverride !== undefined) {
      this.balancing = { ...this.balancing, override: exchange.hostOverride };
    }
    const policy = this.setTimeouts(action);
    finishUpstreamHeaders(exchange, route, action, cluster);
    if (cluster.activeRequests >= cluster.config.maxRequests) {
      cluster.stats.rqPendingOverflow.inc();
      this.overflow();
      return;
    }
    cluster.activeRequests++;
    this.counted = true;
    cluster.stats.rqActive.set(cluster.activeRequests);
    if (policy !== undefined && requestRetriable(policy, exchange)) {
      this.retry = new RetryState(policy, cluster, exchange, () => this.startAttempt());
    }
    this.keepBody = exchange.hasBody && (this.retry !== undefined || action.mirrors.length > 0);
    this.armDuration(action);
    if (exchange.finished) return;
    this.startAttempt();
    if (this.requestDone && !exchange.finished) {
      this.armTimeout();
      this.mirror();
    }
  }

  /** What the route allows, a gRPC client asks for, and `x-envoy-` fields set in place of both. */
  private setTimeouts(action: ForwardTarget): CompiledRetryPolicy | undefined {
    const { headers, envoyFields } = this.exchange;
    const limit = action.grpcTimeout;
    this.tellsGrpcTimeout = limit !== undefined && isGrpc(headers);
    const routeMs = limit !== undefined && this.tellsGrpcTimeout ? grpcRouteTimeout(headers, limit) : action.timeoutMs;
    const own = { timeoutMs: routeMs, retry: action.retry, hedges: action.hedges };
    const { timeoutMs, retry, hedges } = envoyFields ? takeOverrides(headers, own) : own;
    this.timeoutMs = timeoutMs;
    this.hedges = hedges;
    this.perTryIdleMs = retry?.perTryIdleMs ?? 0;
    const perTryMs = retry?.perTryTimeoutMs ?? 0;
    // One that the other comes before is none.
    this.perTryTimeoutMs = timeoutMs !== 0 && perTryMs >= timeoutMs ? 0 : perTryMs;
    return retry;
  }

  private startAttempt(): void {
    const { cluster, exchange, retry } = this;
    if (cluster === undefined) return;
    if (cluster.finder === undefined) {
      const endpoint = cluster.pick(retry === undefined ? this.balancing : retry.context(this.balancing));
      // A host that was asked for has one chance.
      if (this.balancing.override !== undefined) this.balancing = { ...this.balancing, override: undefined };
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
    if (typeof found === "string") {
      cluster.stats.cxNoneHealthy.inc();
      // A hedged request may be answered still.
      if (this.hedged.length > 0) return;
      cluster.stats.response(503);
      this.release();
      exchange.reply(503, "no healthy upstream", found, ResponseFlag.noHealthyUpstream);
      return;
    }
    this.retry?.onPicked(found);
    exchange.record.upstreamAttempts++;
    const attempt = new Attempt(this, cluster, found);
    this.attempt = attempt;
    attempt.start();
  }

  /** Whether body bytes were sent that are not there to be sent again. */
  private bodyLost(): boolean {
    return this.bodyBytes > 0 && this.body === undefined;
  }

  private keep(slice: Buffer, sending: boolean): void {
    const { exchange } = this;
    this.bodyBytes += slice.length;
    if (sending && this.body === undefined && this.bodyBytes > slice.length) return;
    if (this.bodyBytes > exchange.manager.options.bufferLimit) {
      if (sending) {
        // Too long to replay: Envoy gives up retry and mirror, not the request.
        this.body = undefined;
        this.keepBody = false;
        return;
      }
      exchange.pauseRequest();
    }
    this.body ??= [];
    this.body.push(Buffer.from(slice));
  }

  /** Called by an attempt once it has sent what is there. */
  bodySent(): void {
    if (!this.keepBody) this.body = undefined;
    this.exchange.resumeRequest();
  }

  private overflow(): void {
    const { cluster, exchange } = this;
    const outcome = resetReply("overflow", "", false);
    cluster?.stats.response(503);
    exchange.reply(503, outcome.body, outcome.details, outcome.flag, ["x-envoy-overloaded", "true"]);
  }

  /** The route timeout runs from the end of the request to the end of the response, over all attempts. */
  private armTimeout(): void {
    const { action, exchange } = this;
    if (action === undefined || this.timeoutMs === 0 || exchange.finished) return;
    this.timeout = new WheelTimer(() => this.onTimeout());
    exchange.manager.timers.arm(this.timeout, this.timeoutMs);
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
    cluster?.stats.rqTimeout.inc();
    if (!exchange.responseStarted) cluster?.stats.response(504);
    if (attempt !== undefined) cluster?.onLocalFailure(attempt.endpoint);
    exchange.reply(504, "upstream request timeout", "response_timeout", ResponseFlag.upstreamRequestTimeout);
  }

  private mirror(): void {
    const { action } = this;
    if (action === undefined || action.mirrors.length === 0 || this.bodyLost()) return;
    sendMirrors(this, action, this.body ?? []);
  }

  private recordTime(): void {
    this.cluster?.stats.rqTime.record(performance.now() - this.exchange.start);
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
