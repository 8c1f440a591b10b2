import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import type { GrpcServiceSchema } from "../gen/proto/envoy/config/core/v3/grpc_service_pb.js";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import {
  type AuthorizationRequestSchema,
  type AuthorizationResponseSchema,
  type BufferSettingsSchema,
  ExtAuthzSchema as HttpExtAuthzSchema,
  type HttpServiceSchema,
} from "../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { ExtAuthzSchema as NetworkExtAuthzSchema } from "../gen/proto/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js";
import type { HttpFilterSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { MetadataMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import type { ListStringMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { StatusCode } from "../gen/proto/envoy/type/v3/http_status_pb.js";
import type { ExtensionProvider } from "../model/specs.ts";
import { metadataMatcher, stringValue } from "./authorization-claims.ts";
import { duration, seconds } from "./duration.ts";
import { wildcardMatcher } from "./wildcard-matcher.ts";

type HttpProvider = NonNullable<ExtensionProvider["envoyExtAuthzHttp"]>;
type GrpcProvider = NonNullable<ExtensionProvider["envoyExtAuthzGrpc"]>;

/** Filters that ask somebody outside. */
export interface Authorizer {
  readonly http: MessageInitShape<typeof HttpFilterSchema>;
  /** Undefined: it can't be asked about connections. */
  readonly tcp: MessageInitShape<typeof FilterSchema> | undefined;
}

/** Istio's prefix of what the rules note that choose whom to ask about. */
export const checkPrefix = "istio_ext_authz_";

/** Of the names of a provider's rules. */
export const policyPrefix = (provider: string): string => `istio-ext-authz-${provider}-`;

/** `cluster` leads to the provider, whose host is `hostname`. https://istio.io/latest/docs/tasks/security/authorization/authz-custom/ */
export function authorizerFor(provider: ExtensionProvider, hostname: string, cluster: string): Authorizer {
  const { name, envoyExtAuthzHttp, envoyExtAuthzGrpc } = provider;
  if (envoyExtAuthzGrpc) return grpcAuthorizer(name, envoyExtAuthzGrpc, hostname, cluster);
  const http = envoyExtAuthzHttp ?? { service: hostname, port: 0 };
  const services = { case: "httpService", value: httpService(http, hostname, cluster) } as const;
  const shown = headerMatchers(http.includeRequestHeadersInCheck ?? http.includeHeadersInCheck);
  return {
    http: httpFilter({ ...common(name, http), services, ...(shown && { allowedHeaders: shown }) }),
    tcp: undefined,
  };
}

function grpcAuthorizer(name: string, grpc: GrpcProvider, hostname: string, cluster: string): Authorizer {
  const grpcService: MessageInitShape<typeof GrpcServiceSchema> = {
    targetSpecifier: { case: "envoyGrpc", value: { clusterName: cluster, authority: hostname } },
    timeout: timeoutOf(grpc),
  };
  const tcp = create(NetworkExtAuthzSchema, {
    statPrefix: "tcp.",
    failureModeAllow: grpc.failOpen ?? false,
    transportApiVersion: ApiVersion.V3,
    grpcService,
    filterEnabledMetadata: isChosen(name, "network"),
  });
  return {
    http: httpFilter({ ...common(name, grpc), services: { case: "grpcService", value: grpcService } }),
    tcp: {
      name: "envoy.filters.network.ext_authz",
      configType: { case: "typedConfig", value: anyPack(NetworkExtAuthzSchema, tcp) },
    },
  };
}

type HttpConfig = MessageInitShape<typeof HttpExtAuthzSchema>;

const httpFilter = (config: HttpConfig): Authorizer["http"] => ({
  name: "envoy.filters.http.ext_authz",
  configType: { case: "typedConfig", value: anyPack(HttpExtAuthzSchema, create(HttpExtAuthzSchema, config)) },
});

const common = (name: string, provider: GrpcProvider) => ({
  ...(provider.statusOnError && { statusOnError: { code: Number(provider.statusOnError) as StatusCode } }),
  failureModeAllow: provider.failOpen ?? false,
  clearRouteCache: provider.clearRouteCache ?? false,
  transportApiVersion: ApiVersion.V3,
  filterEnabledMetadata: isChosen(name, "http"),
  ...(provider.includeRequestBodyInCheck && { withRequestBody: bodyOf(provider.includeRequestBodyInCheck) }),
});

/** Where nothing is said of how much, as much as Envoy's own example. */
const defaultBodyBytes = 8_192;

const bodyOf = (
  body: NonNullable<HttpProvider["includeRequestBodyInCheck"]>,
): MessageInitShape<typeof BufferSettingsSchema> => ({
  maxRequestBytes: body.maxRequestBytes ?? defaultBodyBytes,
  allowPartialMessage: body.allowPartialMessage ?? false,
  packAsBytes: body.packAsBytes ?? false,
});

/**
 * Whether a rule of this provider matched. The prefix ends with what follows a provider's name, so that one whose name begins like another's is not
 * taken for it.
 */
const isChosen = (provider: string, kind: "http" | "network"): MessageInitShape<typeof MetadataMatcherSchema> =>
  metadataMatcher(
    `envoy.filters.${kind}.rbac`,
    [`${checkPrefix}shadow_effective_policy_id`],
    stringValue({ matchPattern: { case: "prefix", value: `${policyPrefix(provider)}ns[` } }),
  );

const timeoutOf = ({ timeout }: GrpcProvider) => (timeout === undefined ? seconds(600) : duration(timeout));

function httpService(
  http: HttpProvider,
  hostname: string,
  cluster: string,
): MessageInitShape<typeof HttpServiceSchema> {
  const added = Object.entries(http.includeAdditionalHeadersInCheck ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const request: MessageInitShape<typeof AuthorizationRequestSchema> = {
    headersToAdd: added.map(([key, value]) => ({ key, value })),
  };
  const upstream = headerMatchers(http.headersToUpstreamOnAllow);
  const denied = headerMatchers(http.headersToDownstreamOnDeny);
  const allowed = headerMatchers(http.headersToDownstreamOnAllow);
  const response: MessageInitShape<typeof AuthorizationResponseSchema> = {
    ...(upstream && { allowedUpstreamHeaders: upstream }),
    ...(denied && { allowedClientHeaders: denied }),
    ...(allowed && { allowedClientHeadersOnSuccess: allowed }),
  };
  return {
    pathPrefix: http.pathPrefix ?? "",
    serverUri: {
      uri: `http://${hostname}`,
      httpUpstreamType: { case: "cluster", value: cluster },
      timeout: timeoutOf(http),
    },
    ...(added.length > 0 && { authorizationRequest: request }),
    ...(Object.keys(response).length > 0 && { authorizationResponse: response }),
  };
}

const headerMatchers = (
  names: readonly string[] | undefined,
): MessageInitShape<typeof ListStringMatcherSchema> | undefined =>
  names?.length ? { patterns: names.map((name) => ({ ...wildcardMatcher(name), ignoreCase: true })) } : undefined;
