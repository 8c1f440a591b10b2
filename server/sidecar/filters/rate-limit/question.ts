import { create } from "@bufbuild/protobuf";
import type { HeaderValue } from "../../../gen/proto/envoy/config/core/v3/base_pb.js";
import { RateLimit_XRateLimitHeadersRFCVersion as Draft } from "../../../gen/proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js";
import {
  RateLimitResponse_Code as Code,
  RateLimitRequestSchema,
  type RateLimitResponse,
  RateLimitService,
} from "../../../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { isHeaderName, isHeaderValue } from "../../../lib/http-chars.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { isGrpc } from "../../http/grpc.ts";
import { getHeader, removeHeader, toWire } from "../../http/headers.ts";
import { ResponseFlag } from "../../record.ts";
import type { FilterIo, RequestContext, Step, StreamFilter } from "../../request/filter.ts";
import type { Hold } from "../../request/hold.ts";
import { applyHeaderOps } from "../../route/header-ops.ts";
import type { Descriptor } from "../../route/rate-limits.ts";
import { GrpcFailure, grpcCall } from "../../upstream/grpc-call.ts";
import { quotaHeaders } from "./quota-headers.ts";
import type { Settings } from "./settings.ts";

interface Asked {
  readonly domain: string;
  readonly descriptors: readonly Descriptor[];
  readonly cluster: Cluster;
}

/** One request that a service is asked about. */
export class Question implements StreamFilter {
  private readonly request: RequestContext;
  private readonly settings: Settings;
  private readonly io: FilterIo;
  private readonly asked: Asked;
  private readonly enforces: () => boolean;
  private hold: Hold | undefined = undefined;
  private cancel: (() => void) | undefined = undefined;
  private toAdd: string[] = [];
  private refused = false;

  constructor(request: RequestContext, settings: Settings, io: FilterIo, asked: Asked, enforces: () => boolean) {
    this.request = request;
    this.settings = settings;
    this.io = io;
    this.asked = asked;
    this.enforces = enforces;
  }

  onRequest(): Step {
    const hold = this.request.hold(() => this.cancel?.());
    this.hold = hold;
    let answered = false;
    const cancel = grpcCall(
      this.io.clusters,
      this.settings.target,
      RateLimitService.method.shouldRateLimit,
      this.message(),
      (answer) => {
        answered = true;
        this.cancel = undefined;
        if (answer instanceof GrpcFailure) this.fail();
        else this.conclude(answer);
      },
    );
    if (!answered) this.cancel = cancel;
    return hold;
  }

  onResponse(): Step {
    const { request, toAdd, settings, refused } = this;
    const { responseHeaders: headers } = request;
    // What the service says of the body's type holds for an answer made here, but where that is gRPC's.
    if (refused && getHeader(toAdd, "content-type") !== undefined) {
      removeHeader(isGrpc(headers) ? toAdd : headers, "content-type");
    }
    headers.push(...toAdd);
    if (refused) applyHeaderOps(settings.toResponse, headers, request.record);
    return "go";
  }

  private message() {
    const { domain, descriptors } = this.asked;
    return create(RateLimitRequestSchema, {
      domain,
      descriptors: descriptors.map(({ entries, limit, hits }) => ({
        entries: entries.map(({ key, value }) => ({ key, value: Buffer.from(value, "latin1").toString("utf8") })),
        ...(limit && { limit }),
        ...(hits !== undefined && { hitsAddend: BigInt(hits) }),
      })),
    });
  }

  private conclude(answer: RateLimitResponse): void {
    const { request, settings, asked } = this;
    const { config } = settings;
    const over = answer.overallCode === Code.OVER_LIMIT;
    this.count(over ? "over_limit" : "ok");
    if (answer.dynamicMetadata !== undefined)
      request.setMetadata("envoy.filters.http.ratelimit", answer.dynamicMetadata as Record<string, unknown>);
    this.toAdd = fields(answer.responseHeadersToAdd);
    if (over && !config.disableXEnvoyRatelimitedHeader) this.toAdd.push("x-envoy-ratelimited", "true");
    if (config.enableXRatelimitHeaders === Draft.DRAFT_VERSION_03) this.toAdd.push(...quotaHeaders(answer.statuses));
    if (over) asked.cluster.stats.response(settings.limitedStatus);
    if (!over || !this.enforces()) {
      request.headers.push(...fields(answer.requestHeadersToAdd));
      this.hold?.resume();
      return;
    }
    this.refused = true;
    const body = Buffer.from(answer.rawBody).toString("latin1");
    const grpc = config.rateLimitedAsResourceExhausted ? resourceExhausted : undefined;
    request.reply(settings.limitedStatus, body, "request_rate_limited", ResponseFlag.rateLimited, [], grpc);
  }

  private fail(): void {
    const { request, settings } = this;
    this.count("error");
    if (settings.config.failureModeDeny) {
      request.reply(settings.statusOnError, "", "rate_limiter_error", ResponseFlag.rateLimitServiceError);
      return;
    }
    this.count("failure_mode_allowed");
    this.hold?.resume();
  }

  private count(name: string): void {
    const { statPrefix } = this.settings.config;
    const prefix = statPrefix === "" ? "" : `${statPrefix}.`;
    this.io.stats.counter(`${this.asked.cluster.stats.prefix}ratelimit.${prefix}${name}`).inc();
  }
}

const resourceExhausted = 8;

/** What a message can have; flat. */
const fields = (headers: readonly HeaderValue[]): string[] =>
  headers.flatMap(({ key, value, rawValue }) => {
    const name = key.toLowerCase();
    const text = value === "" ? Buffer.from(rawValue).toString("latin1") : toWire(value);
    return isHeaderName(name) && isHeaderValue(text) ? [name, text] : [];
  });
