import type { SupportedFields } from "../../request/filter.ts";
import { rateLimitFields } from "../../route/rate-limits.ts";
import { grpcServiceFields } from "../../upstream/grpc-service.ts";

const shared: SupportedFields = {
  ...rateLimitFields,
  "envoy.type.v3.HttpStatus": ["code"],
};

/** Fields with an effect here, by message. */
export const localRateLimitFields: SupportedFields = {
  "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit": [
    "stat_prefix",
    "status",
    "token_bucket",
    "filter_enabled",
    "filter_enforced",
    "request_headers_to_add_when_not_enforced",
    "response_headers_to_add",
    "descriptors",
    "stage",
    "local_rate_limit_per_downstream_connection",
    "enable_x_ratelimit_headers",
    "vh_rate_limits",
    "always_consume_default_token_bucket",
    "rate_limited_as_resource_exhausted",
    "rate_limits",
    "max_dynamic_descriptors",
    "local_cluster_rate_limit",
  ],
  "envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor": ["entries", "token_bucket"],
  "envoy.extensions.common.ratelimit.v3.LocalClusterRateLimit": [],
  "envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry": ["key", "value"],
  "envoy.type.v3.TokenBucket": ["max_tokens", "tokens_per_fill", "fill_interval"],
  ...shared,
};

export const rateLimitFilterFields: SupportedFields = {
  "envoy.extensions.filters.http.ratelimit.v3.RateLimit": [
    "domain",
    "stage",
    "request_type",
    "timeout",
    "failure_mode_deny",
    "rate_limited_as_resource_exhausted",
    "rate_limit_service",
    "enable_x_ratelimit_headers",
    "disable_x_envoy_ratelimited_header",
    "rate_limited_status",
    "response_headers_to_add",
    "status_on_error",
    "stat_prefix",
    "rate_limits",
  ],
  "envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute": ["vh_rate_limits", "rate_limits", "domain"],
  // harmless: there is no other version
  "envoy.config.ratelimit.v3.RateLimitServiceConfig": ["grpc_service", "transport_api_version"],
  ...shared,
  ...grpcServiceFields,
};
