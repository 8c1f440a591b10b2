import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { RateLimitSchema } from "../../gen/proto/envoy/extensions/filters/network/ratelimit/v3/rate_limit_pb.js";
import {
  RateLimitResponse_Code as Code,
  RateLimitRequestSchema,
  RateLimitService,
} from "../../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { at, each } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { GrpcFailure, grpcCall } from "../upstream/grpc-call.ts";
import { compileGrpcService, grpcServiceFields } from "../upstream/grpc-service.ts";
import { type NetworkFilterFactory, type Refusal, Undecided } from "./network-filter.ts";

/** New connections as a service says: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/rate_limit_filter */
export const networkRateLimit: NetworkFilterFactory = {
  schema: RateLimitSchema,
  fields: {
    [RateLimitSchema.typeName]: [
      "stat_prefix",
      "domain",
      "descriptors",
      "timeout",
      "failure_mode_deny",
      "rate_limit_service",
    ],
    "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor": ["entries", "limit"],
    "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry": ["key", "value"],
    "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.RateLimitOverride": ["requests_per_unit", "unit"],
    // harmless: there is no other version
    "envoy.config.ratelimit.v3.RateLimitServiceConfig": ["grpc_service", "transport_api_version"],
    ...grpcServiceFields,
  },
  compile(config, { stats, runtime, random, clusters }) {
    const limit = anyUnpack(config, RateLimitSchema);
    if (limit === undefined || limit.statPrefix === "") throw new Error("stat_prefix: required");
    if (limit.domain === "") throw new Error("domain: required");
    if (limit.descriptors.length === 0) throw new Error("descriptors: at least one is required");
    each("descriptors", limit.descriptors, ({ entries }) => each("entries", entries, checkEntry));
    const service = at("rate_limit_service.grpc_service", () =>
      compileGrpcService(limit.rateLimitService?.grpcService, 0),
    );
    const target = { ...service, timeoutMs: durationMs(limit.timeout) ?? 20 };
    const request = create(RateLimitRequestSchema, { domain: limit.domain, descriptors: limit.descriptors });
    const prefix = `ratelimit.${limit.statPrefix}.`;
    const count = (name: string) => stats.counter(prefix + name).inc();
    const active = stats.gauge(`${prefix}active`);
    const enabled = runtime.keyed("ratelimit.tcp_filter_enabled", "share", 1);
    const enforcing = runtime.keyed("ratelimit.tcp_filter_enforcing", "share", 1);
    const draws = (share: number) => share >= 1 || random() < share;

    function judge(over: boolean | undefined): Refusal | undefined {
      if (over === undefined) {
        count("error");
        if (!limit?.failureModeDeny) {
          count("failure_mode_allowed");
          return undefined;
        }
      } else count(over ? "over_limit" : "ok");
      if (over === false || (over === true && !draws(enforcing()))) return undefined;
      count("cx_closed");
      return refusal;
    }

    return {
      accept() {
        if (!draws(enabled())) return undefined;
        return new Undecided((done) => {
          count("total");
          active.add(1);
          const cancel = grpcCall(clusters, target, RateLimitService.method.shouldRateLimit, request, (answer) => {
            active.add(-1);
            done(judge(answer instanceof GrpcFailure ? undefined : answer.overallCode === Code.OVER_LIMIT));
          });
          return () => {
            active.add(-1);
            cancel();
          };
        });
      },
    };
  },
};

const refusal: Refusal = { details: "ratelimit_close_over_limit", flags: 0, delayMs: 0 };

function checkEntry({ value }: { readonly value: string }): void {
  if (value.includes("%")) throw new Error("value: is not computed here: % is not supported");
}
