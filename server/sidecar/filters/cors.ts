import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { CorsPolicySchema, CorsSchema } from "../../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import type { Exchange } from "../exchange/exchange.ts";
import { getHeader, setHeader, toWire } from "../http1/headers.ts";
import { runtimeShare } from "../match/fraction.ts";
import { compileString, type TextTest } from "../match/string-matcher.ts";
import type { FilterFactory } from "./filter.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter */
export const corsFilter: FilterFactory = {
  typeName: CorsSchema.typeName,
  perRouteTypeName: CorsPolicySchema.typeName,
  compile(name, _config, io) {
    const policyOf = (exchange: Exchange): CompiledCors | undefined => {
      const policy = exchange.perFilter(name) as CompiledCors | undefined;
      return policy !== undefined && policy.share > 0 && (policy.share >= 1 || io.random() < policy.share)
        ? policy
        : undefined;
    };
    return {
      name,
      onRequest(exchange) {
        const origin = getHeader(exchange.headers, "origin");
        if (origin === undefined) return true;
        const policy = policyOf(exchange);
        if (policy === undefined) return true;
        const allowed = policy.origins.some((test) => test(origin));
        io.stats.counter(`${io.statPrefix}cors.${allowed ? "origin_valid" : "origin_invalid"}`).inc();
        const asked = getHeader(exchange.headers, "access-control-request-method");
        if (exchange.method !== "OPTIONS" || asked === undefined) return true;
        if (!allowed) return policy.forwardUnmatched;
        exchange.reply(200, "", "cors_response", 0, preflightHeaders(policy, origin));
        return false;
      },
      onResponse(exchange) {
        const origin = getHeader(exchange.headers, "origin");
        if (origin === undefined || exchange.record.responseCodeDetails === "cors_response") return;
        const policy = policyOf(exchange);
        if (policy === undefined || !policy.origins.some((test) => test(origin))) return;
        const headers = exchange.responseHeaders;
        setHeader(headers, "access-control-allow-origin", origin);
        if (policy.credentials) setHeader(headers, "access-control-allow-credentials", "true");
        if (policy.expose !== "") setHeader(headers, "access-control-expose-headers", policy.expose);
      },
    };
  },
  compilePerRoute(config: Any): CompiledCors {
    const policy = anyUnpack(config, CorsPolicySchema);
    return {
      origins: (policy?.allowOriginStringMatch ?? []).map(compileString),
      methods: toWire(policy?.allowMethods ?? ""),
      headers: toWire(policy?.allowHeaders ?? ""),
      expose: toWire(policy?.exposeHeaders ?? ""),
      maxAge: toWire(policy?.maxAge ?? ""),
      credentials: policy?.allowCredentials ?? false,
      forwardUnmatched: policy?.forwardNotMatchingPreflights ?? true,
      share: runtimeShare(policy?.filterEnabled, 1),
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
  readonly share: number;
}

function preflightHeaders(policy: CompiledCors, origin: string): string[] {
  const headers = ["access-control-allow-origin", origin];
  if (policy.credentials) headers.push("access-control-allow-credentials", "true");
  if (policy.methods !== "") headers.push("access-control-allow-methods", policy.methods);
  if (policy.headers !== "") headers.push("access-control-allow-headers", policy.headers);
  if (policy.maxAge !== "") headers.push("access-control-max-age", policy.maxAge);
  return headers;
}
