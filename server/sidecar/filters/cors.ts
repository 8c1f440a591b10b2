import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { CorsPolicySchema, CorsSchema } from "../../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { getHeader, setHeader, toWire } from "../http/headers.ts";
import type { FilterFactory, FilterIo, HttpFilter, RequestContext, Step } from "../request/filter.ts";
import { type Share, shareOf } from "../runtime.ts";
import { compileString, type TextTest } from "../text/string-matcher.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter */
export const corsFilter: FilterFactory = {
  schema: CorsSchema,
  perRouteSchema: CorsPolicySchema,
  fields: {
    [CorsSchema.typeName]: [],
    [CorsPolicySchema.typeName]: [
      "allow_origin_string_match",
      "allow_methods",
      "allow_headers",
      "expose_headers",
      "max_age",
      "allow_credentials",
      "filter_enabled",
      "forward_not_matching_preflights",
    ],
  },
  compile: (name, _config, io) => new CorsFilter(name, io),
  compilePerRoute(config: Any): CompiledCors {
    const policy = anyUnpack(config, CorsPolicySchema);
    const matchers = policy?.allowOriginStringMatch ?? [];
    const tests = matchers.map(compileString);
    return {
      // A matcher that takes the text "*" takes every origin, as in Envoy.
      origins: tests.some((test) => test("*")) ? [() => true] : tests,
      methods: toWire(policy?.allowMethods ?? ""),
      headers: toWire(policy?.allowHeaders ?? ""),
      expose: toWire(policy?.exposeHeaders ?? ""),
      maxAge: toWire(policy?.maxAge ?? ""),
      credentials: policy?.allowCredentials ?? false,
      forwardUnmatched: policy?.forwardNotMatchingPreflights ?? true,
      share: shareOf(policy?.filterEnabled, 1),
    };
  },
};

interface CompiledCors {
  readonly origins: readonly TextTest[];
  readonly methods: string;
  readonly headers: string;
  readonly expose: string;
  readonly maxAge: string;
  readonly credentials: boolean;
  readonly forwardUnmatched: boolean;
  readonly share: Share;
}

class CorsFilter implements HttpFilter {
  readonly name: string;
  private readonly io: FilterIo;

  constructor(name: string, io: FilterIo) {
    this.name = name;
    this.io = io;
  }

  onRequest(request: RequestContext): Step {
    const origin = getHeader(request.headers, "origin");
    if (origin === undefined || origin === "") return "go";
    const policy = this.policyOf(request);
    if (policy === undefined) return "go";
    const allowed = policy.origins.some((test) => test(origin));
    this.io.stats.counter(`${this.io.statPrefix}cors.${allowed ? "origin_valid" : "origin_invalid"}`).inc();
    const asked = getHeader(request.headers, "access-control-request-method") ?? "";
    if (request.method !== "OPTIONS" || asked === "") return "go";
    if (!allowed && policy.forwardUnmatched) return "go";
    return request.reply(200, "", "cors_response", 0, preflightHeaders(policy, request, allowed ? origin : ""));
  }

  onResponse(request: RequestContext): Step {
    const origin = getHeader(request.headers, "origin");
    if (origin === undefined || origin === "") return "go";
    const policy = this.policyOf(request);
    if (policy === undefined || !policy.origins.some((test) => test(origin))) return "go";
    const headers = request.responseHeaders;
    setHeader(headers, "access-control-allow-origin", origin);
    if (policy.credentials) setHeader(headers, "access-control-allow-credentials", "true");
    if (policy.expose !== "") setHeader(headers, "access-control-expose-headers", policy.expose);
    return "go";
  }

  private policyOf(request: RequestContext): CompiledCors | undefined {
    const policy = request.perFilter<CompiledCors>(this.name);
    return policy !== undefined && this.io.runtime.draws(policy.share, this.io.random) ? policy : undefined;
  }
}

/** @param origin empty: not allowed, and so not named; a browser then refuses the call, whatever else it is told */
function preflightHeaders(policy: CompiledCors, { headers: request }: RequestContext, origin: string): string[] {
  const headers: string[] = [];
  if (origin !== "") headers.push("access-control-allow-origin", origin);
  if (policy.credentials) headers.push("access-control-allow-credentials", "true");
  // "*" is answered with what was asked for: with credentials a browser takes the star literally (https://fetch.spec.whatwg.org/#http-new-header-syntax).
  const methods = policy.methods === "*" ? getHeader(request, "access-control-request-method") : policy.methods;
  const allowed = policy.headers === "*" ? getHeader(request, "access-control-request-headers") : policy.headers;
  if (methods) headers.push("access-control-allow-methods", methods);
  if (allowed) headers.push("access-control-allow-headers", allowed);
  if (policy.maxAge !== "") headers.push("access-control-max-age", policy.maxAge);
  return headers;
}
