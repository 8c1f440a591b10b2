import type { HostOverride } from "../cluster/balancer.ts";
import type { FlatHeaders } from "../http/headers.ts";
import type { DownstreamFacts, DownstreamStream, StreamRequestHead } from "../http/stream.ts";
import type { RequestView } from "../match/request-view.ts";
import { type Metadata, newRecord, type RequestRecord } from "../record.ts";
import type { CompiledRoute, WeightedTarget } from "../route/compile-route.ts";
import { pickTarget } from "../route/match-route.ts";
import { type CompiledVirtualHost, findRoute, type RouteTable } from "../route/route-table.ts";
import { type RateLimitPolicy, Wants } from "./filter.ts";
import type { HttpManager } from "./manager.ts";

/** A request as it stands, with the route that it has: what matchers and filters see, and what is noted of it. It is the part of an exchange that sends nothing. */
export abstract class RoutedRequest implements RequestView {
  readonly stream: DownstreamStream;
  readonly manager: HttpManager;
  readonly record: RequestRecord;
  readonly method: string;
  readonly headers: FlatHeaders;
  contentLength: number;
  /** Whether any `x-envoy-` field came in; those that ask for timeouts and retries are the router's. */
  envoyFields = false;
  /** The protocol to switch to, asked for and allowed; or "". */
  upgrade: string;
  /** Whether request data are chunks as on the wire. */
  chunked: boolean;
  readonly hasBody: boolean;
  answersAsHttp = false;
  /** What a filter wants the first attempt to go to. */
  hostOverride: HostOverride | undefined = undefined;
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

  constructor(stream: DownstreamStream, manager: HttpManager, head: StreamRequestHead, end: boolean) {
    const start = head.receivedAt ?? performance.now();
    this.stream = stream;
    this.manager = manager;
    this.start = start;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority || manager.options.defaultHost;
    this.headers = head.headers;
    this.upgrade = head.upgrade;
    this.contentLength = head.contentLength;
    this.chunked = head.chunked === true;
    this.hasBody = !end && head.upgrade === "";
    this.record = recordOf(stream, manager, head, start);
    if (end) this.record.timeToLastDownstreamRxMs = performance.now() - start;
  }

  get connection(): DownstreamFacts {
    return this.stream.connection;
  }

  get cluster(): string {
    return this.target?.cluster ?? "";
  }

  get dynamicMetadata(): Metadata | undefined {
    return this.record.dynamicMetadata;
  }

  get routeMetadata(): Metadata | undefined {
    return this.record.routeMetadata;
  }

  setMetadata(namespace: string, values: Readonly<Record<string, unknown>>): void {
    const before = this.record.dynamicMetadata;
    this.record.dynamicMetadata = { ...before, [namespace]: { ...before?.[namespace], ...values } };
  }

  overrideHost(host: HostOverride): void {
    this.hostOverride = host;
  }

  get rateLimits(): RateLimitPolicy | undefined {
    const action = this.route?.action;
    if (action?.kind !== "forward") return undefined;
    return { route: action.rateLimits, host: this.host?.rateLimits ?? [], includeHost: action.includeHostRateLimits };
  }

  get hasRoute(): boolean {
    return this.route !== undefined;
  }

  perFilterLevels<C>(name: string): C[] {
    const levels = [this.table, this.host, this.route, this.target];
    return levels.map((level) => level?.perFilter.get(name)).filter((config) => config !== undefined) as C[];
  }

  perFilter<C>(name: string): C | undefined {
    const config =
      this.target?.perFilter.get(name) ??
      this.route?.perFilter.get(name) ??
      this.host?.perFilter.get(name) ??
      this.table?.perFilter.get(name);
    return config as C | undefined;
  }

  reroute(): void {
    const { manager, record } = this;
    const table = manager.routes.table;
    this.table = table;
    this.host = table?.find(this.authority);
    const route = this.host === undefined ? undefined : findRoute(this.host, this, manager);
    this.route = route;
    this.target = undefined;
    record.routeName = route?.name ?? "";
    record.operation = route?.operation ?? "";
    record.routeMetadata = route?.metadata;
    record.routeTypedMetadata = route?.typedMetadata;
    record.virtualHostMetadata = this.host?.metadata;
    const action = route?.action;
    if (action?.kind === "forward") this.target = pickTarget(action, manager);
    record.routedCluster = this.target?.cluster ?? "";
  }

  /** Whether chunks of the request go to their upstream, and to its mirrors, as they are: nobody looks into them, and all speak HTTP/1. */
  protected passesChunks(wants: number): boolean {
    const { manager } = this;
    const action = this.route?.action;
    if ((wants & Wants.requestData) !== 0) return false;
    if (action?.kind !== "forward") return true;
    if (action.clusterHeader !== "") return false;
    const { protocol } = this.stream;
    const speaksHttp1 = (name: string) => (manager.clusters.get(name)?.protocolFor(protocol) ?? "http1") === "http1";
    return speaksHttp1(this.cluster) && action.mirrors.every(({ cluster }) => speaksHttp1(cluster));
  }

  protected get idleLimitMs(): number {
    const action = this.route?.action;
    return (action?.kind === "forward" ? action.idleTimeoutMs : undefined) ?? this.manager.options.streamIdleMs;
  }
}

function recordOf(
  { protocol, connection }: DownstreamStream,
  manager: HttpManager,
  head: StreamRequestHead,
  start: number,
): RequestRecord {
  const record = newRecord(manager.wall.about(start), start);
  record.protocol = protocol;
  record.downstreamRemoteAddress = connection.remoteAddress;
  record.downstreamRemotePort = connection.remotePort;
  record.downstreamLocalAddress = connection.localAddress;
  record.downstreamLocalPort = connection.localPort;
  record.downstreamTls = connection.tls;
  record.connection = connection;
  record.atEdge = manager.options.useRemoteAddress;
  record.place = manager.place;
  record.requestHeadersBytes = head.bytes;
  record.requestHeaders = head.headers;
  return record;
}
