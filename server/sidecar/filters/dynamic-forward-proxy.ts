import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  FilterConfigSchema,
  type PerRouteConfig,
  PerRouteConfigSchema,
} from "../../gen/proto/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js";
import { compileDnsCache } from "../cluster/dns-cache.ts";
import type { HostFinder } from "../cluster/host-finder.ts";
import { getHeader, toWire } from "../http/headers.ts";
import { ResponseFlag } from "../record.ts";
import type { FilterFactory, RequestContext, Step } from "../request/filter.ts";

/**
 * Has the host of a request looked up before it comes to its cluster, and answers itself where there is none.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/dynamic_forward_proxy_filter
 */
export const dynamicForwardProxyFilter: FilterFactory = {
  schema: FilterConfigSchema,
  perRouteSchema: PerRouteConfigSchema,
  fields: {
    [FilterConfigSchema.typeName]: ["dns_cache_config"],
    [PerRouteConfigSchema.typeName]: ["host_rewrite_literal", "host_rewrite_header"],
  },
  compile(name, config, { clusters }) {
    const specifier = anyUnpack(config, FilterConfigSchema)?.implementationSpecifier;
    const cache = compileDnsCache(specifier?.case === "dnsCacheConfig" ? specifier.value : undefined);
    return {
      name,
      onRequest(request) {
        const cluster = clusters.get(request.cluster);
        if (cluster?.finder === undefined || cluster.config.dnsCache?.name !== cache.name) return "go";
        const rewrite = request.perFilter<HostRewrite>(name)?.(request) ?? "";
        if (rewrite !== "") request.authority = rewrite;
        return lookUp(request, cluster.finder);
      },
    };
  },
  compilePerRoute: (config: Any) => hostRewrite(anyUnpack(config, PerRouteConfigSchema)),
};

/** The host that a route puts in place of the request's; "": none. */
type HostRewrite = (request: RequestContext) => string;

function hostRewrite(config: PerRouteConfig | undefined): HostRewrite {
  const specifier = config?.hostRewriteSpecifier;
  if (specifier?.case === "hostRewriteLiteral") {
    const host = toWire(specifier.value);
    return () => host;
  }
  if (specifier?.case !== "hostRewriteHeader") return () => "";
  const header = specifier.value.toLowerCase();
  return ({ headers }) => getHeader(headers, header) ?? "";
}

function lookUp(request: RequestContext, finder: HostFinder): Step {
  const { authority: host, headers } = request;
  let stop = (): void => {};
  let found: string | undefined;
  let known = false;
  const held: { resume?: () => void } = {};
  stop = finder.find({ host, port: undefined, headers, destination: undefined }, (result) => {
    known = true;
    found = typeof result === "string" ? result : undefined;
    if (held.resume === undefined) return;
    if (found === undefined) held.resume();
    else refuse(request, found);
  });
  if (known) return found === undefined ? "go" : refuse(request, found);
  const hold = request.hold(() => stop());
  held.resume = () => hold.resume();
  return hold;
}

function refuse(request: RequestContext, reason: string) {
  if (reason === "dns_cache_pending_requests_overflow") {
    return request.reply(503, "Dynamic forward proxy pending request overflow", reason, ResponseFlag.upstreamOverflow);
  }
  if (reason === "dns_cache_overflow") return request.reply(503, "DNS cache overflow", reason, 0);
  return request.reply(503, "DNS resolution failure", reason, ResponseFlag.dnsResolutionFailure);
}
