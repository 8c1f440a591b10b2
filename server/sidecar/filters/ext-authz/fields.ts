import { metadataMatcherFields } from "../../match/metadata-matcher.ts";
import type { SupportedFields } from "../../request/filter.ts";
import { grpcServiceFields } from "../../upstream/grpc-service.ts";

const authz = "envoy.extensions.filters.http.ext_authz.v3";

/** Fields with an effect here, by message. */
export const extAuthzFields: SupportedFields = {
  [`${authz}.ExtAuthz`]: [
    "grpc_service",
    "http_service",
    // harmless: there is no other version
    "transport_api_version",
    "failure_mode_allow",
    "failure_mode_allow_header_add",
    "with_request_body",
    "clear_route_cache",
    "status_on_error",
    "validate_mutations",
    "metadata_context_namespaces",
    "route_metadata_context_namespaces",
    "typed_metadata_context_namespaces",
    "route_typed_metadata_context_namespaces",
    "filter_enabled",
    "filter_enabled_metadata",
    "deny_at_disable",
    "include_peer_certificate",
    "stat_prefix",
    "allowed_headers",
    "disallowed_headers",
    "include_tls_session",
    "charge_cluster_response_stats",
    "encode_raw_headers",
    "enable_dynamic_metadata_ingestion",
    "max_denied_response_body_bytes",
  ],
  [`${authz}.BufferSettings`]: ["max_request_bytes", "allow_partial_message", "pack_as_bytes"],
  [`${authz}.HttpService`]: [
    "server_uri",
    "path_prefix",
    "authorization_request",
    "authorization_response",
    "retry_policy",
  ],
  [`${authz}.AuthorizationRequest`]: ["allowed_headers", "headers_to_add"],
  [`${authz}.AuthorizationResponse`]: [
    "allowed_upstream_headers",
    "allowed_upstream_headers_to_append",
    "allowed_client_headers",
    "allowed_client_headers_on_success",
    "dynamic_metadata_from_headers",
  ],
  [`${authz}.ExtAuthzPerRoute`]: ["disabled", "check_settings"],
  [`${authz}.CheckSettings`]: [
    "context_extensions",
    "disable_request_body_buffering",
    "with_request_body",
    "grpc_service",
    "http_service",
  ],
  "envoy.type.matcher.v3.ListStringMatcher": ["patterns"],
  "envoy.type.v3.HttpStatus": ["code"],
  "envoy.config.core.v3.RuntimeFeatureFlag": ["default_value", "runtime_key"],
  ...metadataMatcherFields,
  ...grpcServiceFields,
};
