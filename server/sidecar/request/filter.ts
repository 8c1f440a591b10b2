import type { DescMessage } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Timers } from "../../lib/timers.ts";
import type { HostOverride } from "../cluster/balancer.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { FlatHeaders } from "../http/headers.ts";
import type { DownstreamFacts, Fields } from "../http/stream.ts";
import type { RequestView } from "../match/request-view.ts";
import type { RequestRecord } from "../record.ts";
import type { RateLimitRule } from "../route/rate-limits.ts";
import type { Runtime } from "../runtime.ts";
import type { Stats } from "../stats.ts";
import type { WallClock } from "../wall-clock.ts";
import type { Exchange } from "./exchange.ts";
import type { Hold } from "./hold.ts";

/**
 * That a request which stops at a filter is looked after: it has been answered (`request.reply`), or somebody holds it (`request.hold`). Only these two make
 * one, so that no filter can stop a request and forget it.
 */
export type Stopped = Replied | Hold;

/** What `request.reply` returns. */
export class Replied {
  readonly answered = true;
}

/** What a filter says of a request or a response. */
export type Step = "go" | Stopped;

/** What a filter wants to see besides heads: {@link HttpFilter.wants}. */
export const Wants = { requestData: 1, responseData: 2 } as const;

/** A request as filters see it. */
export interface RequestContext extends RequestView {
  path: string;
  authority: string;
  readonly headers: FlatHeaders;
  readonly record: RequestRecord;
  readonly connection: DownstreamFacts;
  /** The cluster that the route chose; "": none, or it depends on a header. */
  readonly cluster: string;
  /** Whether data may follow the request's head. */
  readonly hasBody: boolean;
  /** Whether data may follow the response's head; known once there is one. */
  readonly responseHasBody: boolean;
  /** Answers made here take HTTP's form whatever `content-type` says by now: the client itself does not speak gRPC. */
  answersAsHttp: boolean;
  /** Of the response, once there is one. */
  status: number;
  readonly responseHeaders: FlatHeaders;
  /** Of the route and its virtual host; undefined: the request goes to no cluster. */
  readonly rateLimits: RateLimitPolicy | undefined;
  /** What a filter's compiler made of the most specific config for it: weighted cluster, route, virtual host, route table. */
  perFilter<C>(name: string): C | undefined;
  /** Answers here. @param extra flat headers @param grpcStatus to who speaks gRPC; absent: what goes with the status */
  reply(
    status: number,
    body: string,
    details: string,
    flags: number,
    extra?: readonly string[],
    grpcStatus?: number,
  ): Replied;
  /**
   * Stops request or response at the filter that calls, until that resumes it or answers. `close` is called exactly once, whatever ends the wait.
   * @param reads of a response: its data come to the filter's hooks meanwhile
   */
  hold(close: () => void, reads?: boolean): Hold;
  /** How long the request's data are from now on; -1: not known before its end. For filters that change data, while the head has not passed them all. */
  setRequestLength(bytes: number): void;
  /** The same of the response. */
  setResponseLength(bytes: number): void;
  /**
   * Bytes of the request that may wait from now on, whatever the manager allows.
   * @param whole false: more waits at its client, as without a filter's word; otherwise it is answered with 413
   */
  limitRequest(bytes: number, whole?: boolean): void;
  /** Whether there is a route: there may be none, which the router tells the client. */
  readonly hasRoute: boolean;
  /** All that {@link perFilter} chooses from, the most specific last. */
  perFilterLevels<C>(name: string): C[];
  /** A host for the first attempt, before the balancer is asked. */
  overrideHost(host: HostOverride): void;
  /** Chooses the route again, after a filter has changed what it goes by. */
  reroute(): void;
  /** Adds to the request's dynamic metadata, which later filters and the log read. */
  setMetadata(namespace: string, values: Readonly<Record<string, unknown>>): void;
}

/** What limits there are for requests of a route. */
export interface RateLimitPolicy {
  readonly route: readonly RateLimitRule[];
  readonly host: readonly RateLimitRule[];
  /** Whether the host's hold beside the route's, whatever a filter says. */
  readonly includeHost: boolean;
}

/** A step between connection manager and router. One instance per place in a chain; what it knows of one request is in its {@link StreamFilter}. */
export interface HttpFilter {
  /** As in the connection manager's `http_filters[].name`: the key of per-route config. */
  readonly name: string;
  /** Bits of {@link Wants}: bodies of a chain in which nobody wants them pass verbatim. */
  readonly wants?: number;
  onRequest?(request: RequestContext): Step;
  /** Runs in reverse order before the response head is written, for local replies too. */
  onResponse?(request: RequestContext): Step;
  /** Before `onRequest`, for filters with something to keep of a request; undefined: not of this one. */
  open?(request: RequestContext): StreamFilter | undefined;
}

/**
 * What a filter keeps of one request. Data hooks return what goes on: the same bytes, others, or none while they keep them; `data` is valid during the call only.
 * A filter that holds the head sees data nevertheless, and what it lets go on waits behind it.
 */
export interface StreamFilter {
  /** As {@link HttpFilter.onRequest}, which then is not there. */
  onRequest?(): Step;
  onResponse?(): Step;
  requestData?(data: Buffer): Buffer;
  /** @returns data to go before the end; trailers may be changed in place, and without any they are empty */
  requestEnd?(trailers: Fields): Buffer | undefined;
  responseData?(data: Buffer): Buffer;
  responseEnd?(trailers: Fields): Buffer | undefined;
  /** Exactly once, when the request is over. */
  close?(): void;
}

/** The last of a chain, which answers: the router. */
export interface TerminalFilter {
  /** `x-envoy-*` response headers and the timeout header upstream. */
  readonly envoyHeaders: boolean;
  open(exchange: Exchange): TerminalStream;
}

export interface TerminalStream {
  /** The request's head has passed all filters. @param end nothing follows; `requestEnd` isn't called */
  begin(end: boolean): void;
  requestData(bytes: Buffer, start: number, end: number): void;
  requestEnd(trailers: Fields | undefined): void;
  /** The client takes data again. */
  onDrain(): void;
  /** A filter holds the response: its data should not come now. */
  pauseResponse(): void;
  /** Lets go of everything upstream: the client is gone or has its answer. */
  abandon(): void;
}

/** One kind of filter: its file is all that it needs besides its line in the registry. Compilers throw an Error naming the field. */
export interface FilterFactory {
  /** Type inside the `typed_config` of `http_filters`. */
  readonly schema: DescMessage;
  /** Type of what routes, virtual hosts and clusters may say of it; absent: nothing. */
  readonly perRouteSchema?: DescMessage;
  /** Types inside the `typed_config`s of its own config, such as a compressor's library. */
  readonly libraries?: readonly DescMessage[];
  /** Fields with an effect, for these and the messages that only they use: {@link SupportedFields}. */
  readonly fields: SupportedFields;
  compile(name: string, config: Any, io: FilterIo): HttpFilter;
  compilePerRoute?(config: Any, local: LocalProxy): unknown;
}

/** Fields that have their effect here, by message. `opaque` messages are not looked into: someone else judges them, or they are only carried. */
export type SupportedFields = Readonly<Record<string, readonly string[] | "opaque" | undefined>>;

export interface FilterIo {
  readonly stats: Stats;
  /** `http.<stat_prefix>.` */
  readonly statPrefix: string;
  readonly random: () => number;
  /** Where calls of a filter's own go; the same map as long as its data plane lives. */
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly timers: Timers;
  readonly wall: WallClock;
  readonly runtime: Runtime;
  /** The proxy itself. */
  readonly local: LocalProxy;
  /** Takes what its listener is to wait for before it takes connections; absent: nobody waits. */
  readonly firsts?: First[] | undefined;
}

/** Something that is to have happened, well or not, before a listener takes connections. Begun once its clusters are ready. */
export type First = () => Promise<unknown>;

export interface LocalProxy {
  /** `node.cluster` of the bootstrap. */
  readonly cluster: string;
  /** The cluster of all proxies like this one: `local_cluster_name` of the bootstrap; absent: none is named. */
  readonly peers?: string | undefined;
  /** Whether an operator has said, over the admin, that health checks shall fail. */
  healthCheckFails(): boolean;
}
