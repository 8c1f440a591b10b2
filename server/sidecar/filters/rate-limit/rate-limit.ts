import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  RateLimitPerRouteSchema,
  RateLimitSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js";
import { getHeader } from "../../http/headers.ts";
import type { FilterFactory, FilterIo, HttpFilter, RequestContext, StreamFilter } from "../../request/filter.ts";
import { compileFilterRateLimits, type RateLimitRule } from "../../route/rate-limits.ts";
import { descriptorsOf, type HostLimits, hostLimits } from "./descriptors.ts";
import { rateLimitFilterFields } from "./fields.ts";
import { Question } from "./question.ts";
import { compileSettings, type Settings } from "./settings.ts";

/** Limits requests as a service says: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rate_limit_filter */
export const rateLimitFilter: FilterFactory = {
  schema: RateLimitSchema,
  perRouteSchema: RateLimitPerRouteSchema,
  fields: rateLimitFilterFields,
  compile: (name, config, io) => new RateLimitFilter(name, compileSettings(config, io), io),
  compilePerRoute(config: Any): RouteSettings {
    const own = anyUnpack(config, RateLimitPerRouteSchema);
    if (own === undefined) throw new Error("cannot be read");
    return {
      domain: own.domain,
      host: hostLimits[own.vhRateLimits] ?? "override",
      rules: compileFilterRateLimits(own.rateLimits),
    };
  },
};

interface RouteSettings {
  /** "": the filter's. */
  readonly domain: string;
  readonly host: HostLimits;
  readonly rules: readonly RateLimitRule[];
}

class RateLimitFilter implements HttpFilter {
  readonly name: string;
  private readonly settings: Settings;
  private readonly io: FilterIo;

  constructor(name: string, settings: Settings, io: FilterIo) {
    this.name = name;
    this.settings = settings;
    this.io = io;
  }

  open(request: RequestContext): StreamFilter | undefined {
    const { settings, io } = this;
    const { config } = settings;
    if (!this.draws(settings.enabled()) || !isMeant(request, config.requestType)) return undefined;
    const cluster = io.clusters.get(request.cluster);
    if (cluster === undefined) return undefined;
    const route = request.perFilter<RouteSettings>(this.name);
    const descriptors = descriptorsOf(request, io, {
      stage: config.stage,
      host: route?.host ?? "override",
      own: route === undefined || route.rules.length === 0 ? settings.rules : route.rules,
      isOn: (key) => this.draws(io.runtime.keyed(`ratelimit.${key}.http_filter_enabled`, "share", 1)()),
    });
    if (descriptors.length === 0) return undefined;
    const domain = route?.domain || config.domain;
    return new Question(request, settings, io, { domain, descriptors, cluster }, () =>
      this.draws(settings.enforcing()),
    );
  }

  private draws(share: number): boolean {
    return share >= 1 || (share > 0 && this.io.random() < share);
  }
}

/** Of requests from inside the mesh, of those from outside, or of both. */
function isMeant({ headers }: RequestContext, type: string): boolean {
  if (type === "" || type === "both") return true;
  return (getHeader(headers, "x-envoy-internal") === "true") === (type === "internal");
}
