import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { XRateLimitHeadersRFCVersion as Draft } from "../../../gen/proto/envoy/extensions/common/ratelimit/v3/ratelimit_pb.js";
import {
  type LocalRateLimit,
  LocalRateLimitSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { each, together } from "../../config/problems.ts";
import type { DownstreamFacts } from "../../http/stream.ts";
import type { TokenBucket } from "../../limit/token-bucket.ts";
import { ResponseFlag } from "../../record.ts";
import type {
  FilterFactory,
  FilterIo,
  HttpFilter,
  LocalProxy,
  RequestContext,
  Step,
  StreamFilter,
} from "../../request/filter.ts";
import { applyHeaderOps, compileAdd, type HeaderOp } from "../../route/header-ops.ts";
import { compileFilterRateLimits, type RateLimitRule } from "../../route/rate-limits.ts";
import { descriptorsOf, hostLimits } from "./descriptors.ts";
import { localRateLimitFields } from "./fields.ts";
import { compileLimiter, type LimiterSettings, LocalLimiter } from "./local-limiter.ts";

/** Limits requests by buckets of its own: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter */
export const localRateLimitFilter: FilterFactory = {
  schema: LocalRateLimitSchema,
  perRouteSchema: LocalRateLimitSchema,
  fields: localRateLimitFields,
  compile: (name, config, io) => new LocalRateLimitFilter(name, compileLimits(config, io.local), io),
  compilePerRoute(config: Any, local: LocalProxy) {
    const limits = compileLimits(config, local);
    if (limits.limiter.common === undefined) throw new Error("token_bucket: required");
    return limits;
  },
};

interface Limits {
  readonly config: LocalRateLimit;
  readonly status: number;
  readonly limiter: LimiterSettings;
  /** Shared by all requests, unless connections have their own. */
  readonly shared: LocalLimiter;
  readonly ofConnections: WeakMap<DownstreamFacts, LocalLimiter>;
  readonly rules: readonly RateLimitRule[];
  readonly toRequest: readonly HeaderOp[];
  readonly toResponse: readonly HeaderOp[];
}

function compileLimits(any: Any, local: LocalProxy): Limits {
  const config = anyUnpack(any, LocalRateLimitSchema);
  if (config === undefined || config.statPrefix === "") throw new Error("stat_prefix: required");
  if (config.localClusterRateLimit !== undefined) checkShared(config, local);
  const parts = together<Pick<Limits, "limiter" | "rules" | "toRequest" | "toResponse">>({
    limiter: () => compileLimiter(config),
    rules: () => compileFilterRateLimits(config.rateLimits),
    toRequest: () =>
      each("request_headers_to_add_when_not_enforced", config.requestHeadersToAddWhenNotEnforced, compileAdd),
    toResponse: () => each("response_headers_to_add", config.responseHeadersToAdd, compileAdd),
  });
  const code = config.status?.code ?? 0;
  return {
    config,
    status: code < 400 ? 429 : code,
    ...parts,
    shared: new LocalLimiter(parts.limiter),
    ofConnections: new WeakMap(),
  };
}

function checkShared({ localRateLimitPerDownstreamConnection: perConnection }: LocalRateLimit, { peers }: LocalProxy) {
  if (perConnection) {
    throw new Error("local_cluster_rate_limit: cannot be with local_rate_limit_per_downstream_connection");
  }
  if (peers === undefined) {
    throw new Error("local_cluster_rate_limit: the bootstrap names no cluster_manager.local_cluster_name");
  }
}

interface Shares {
  readonly enabled: () => number;
  readonly enforced: () => number;
}

class LocalRateLimitFilter implements HttpFilter {
  readonly name: string;
  private readonly limits: Limits;
  private readonly io: FilterIo;
  /** Routes are compiled without the runtime that their shares are read from. */
  private readonly shares = new WeakMap<Limits, Shares>();

  constructor(name: string, limits: Limits, io: FilterIo) {
    this.name = name;
    this.limits = limits;
    this.io = io;
  }

  open(request: RequestContext): StreamFilter | undefined {
    const limits = request.perFilter<Limits>(this.name) ?? this.limits;
    const shares = this.sharesOf(limits);
    if (!this.draws(shares.enabled())) return undefined;
    return new Limited(request, limits, this.io, () => this.draws(shares.enforced()));
  }

  private sharesOf(limits: Limits): Shares {
    const { runtime } = this.io;
    const { filterEnabled, filterEnforced } = limits.config;
    const shares = this.shares.get(limits) ?? {
      enabled: runtime.share(filterEnabled, 0),
      enforced: runtime.share(filterEnforced, 0),
    };
    this.shares.set(limits, shares);
    return shares;
  }

  private draws(share: number): boolean {
    return share >= 1 || (share > 0 && this.io.random() < share);
  }
}

/** One request that is counted. */
class Limited implements StreamFilter {
  private readonly request: RequestContext;
  private readonly limits: Limits;
  private readonly io: FilterIo;
  private readonly enforces: () => boolean;
  private bucket: TokenBucket | undefined = undefined;
  private refused = false;

  constructor(request: RequestContext, limits: Limits, io: FilterIo, enforces: () => boolean) {
    this.request = request;
    this.limits = limits;
    this.io = io;
    this.enforces = enforces;
  }

  onRequest(): Step {
    const { request, limits, io } = this;
    const { config } = limits;
    this.count("enabled");
    const asked = {
      stage: config.stage,
      host: hostLimits[config.vhRateLimits] ?? "override",
      own: limits.rules,
      isOn: () => false,
    };
    const descriptors = limits.limiter.limits.length === 0 ? [] : descriptorsOf(request, io, asked);
    const { allowed, bucket } = this.limiter().judge(descriptors, this.sharers());
    this.bucket = bucket;
    this.count(allowed ? "ok" : "rate_limited");
    if (allowed) return "go";
    if (!this.enforces()) {
      applyHeaderOps(limits.toRequest, request.headers, request.record);
      return "go";
    }
    this.count("enforced");
    this.refused = true;
    const grpc = config.rateLimitedAsResourceExhausted ? resourceExhausted : undefined;
    return request.reply(limits.status, "local_rate_limited", "local_rate_limited", ResponseFlag.rateLimited, [], grpc);
  }

  onResponse(): Step {
    const { request, limits, bucket, refused } = this;
    if (refused) applyHeaderOps(limits.toResponse, request.responseHeaders, request.record);
    if (bucket !== undefined && limits.config.enableXRatelimitHeaders === Draft.DRAFT_VERSION_03) {
      const { settings, remaining, resetSeconds } = bucket;
      request.responseHeaders.push("x-ratelimit-limit", String(settings.max));
      request.responseHeaders.push("x-ratelimit-remaining", String(remaining));
      request.responseHeaders.push("x-ratelimit-reset", String(resetSeconds));
    }
    return "go";
  }

  private limiter(): LocalLimiter {
    const { limits, request } = this;
    if (!limits.config.localRateLimitPerDownstreamConnection) return limits.shared;
    const limiter = limits.ofConnections.get(request.connection) ?? new LocalLimiter(limits.limiter);
    limits.ofConnections.set(request.connection, limiter);
    return limiter;
  }

  /** A cluster without any hosts is as good as one of this proxy alone. */
  private sharers(): number {
    const { limits, io } = this;
    if (limits.config.localClusterRateLimit === undefined) return 1;
    return io.clusters.get(io.local.peers ?? "")?.size || 1;
  }

  private count(name: string): void {
    this.io.stats.counter(`${this.limits.config.statPrefix}.http_local_rate_limit.${name}`).inc();
  }
}

const resourceExhausted = 8;
