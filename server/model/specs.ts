// The shapes of the specs that the model carries on unresolved, for those who may not import server/config.
import type { TrafficPolicy } from "../config/kinds/index.ts";

export type {
  AuthorizationPolicySpec,
  ClientTLSSettings,
  ConnectionPoolSettings,
  ConsistentHash,
  CorsPolicy,
  DefaultProviders,
  Destination,
  DestinationRuleSpec,
  EnvoyFilterSpec,
  ExtensionProvider,
  GatewaySpec,
  Headers,
  HealthCheckSpec,
  HTTPDirectResponse,
  HTTPFaultInjection,
  HTTPMatchRequest,
  HTTPRedirect,
  HTTPRetry,
  HTTPRewrite,
  HTTPRoute,
  HTTPRouteDestination,
  JWTRule,
  L4MatchAttributes,
  LoadBalancerSettings,
  LocalityLbSetting,
  MeshConfigSpec,
  OutlierDetection,
  PatchedPart,
  PeerAuthenticationSpec,
  PolicyTargetReference,
  ProxyConfigSpec,
  RateLimitSpec,
  ReadinessProbe,
  RequestAuthenticationSpec,
  RouteDestination,
  RuntimeLayerSpec,
  SecretSpec,
  ServiceEntrySpec,
  ServiceSpec,
  SidecarSpec,
  StringMatch,
  Subset,
  TCPRoute,
  TelemetrySignal,
  TelemetrySpec,
  TLSRoute,
  TrafficPolicy,
  VirtualServiceSpec,
  WorkloadEntrySpec,
  WorkloadGroupSpec,
  WorkloadMode,
} from "../config/kinds/index.ts";

export { builtInProviders, ownProvider, providersOf, routingClaim, standardMetrics } from "../config/kinds/index.ts";

/** What a policy says of connections; the blocks that replace each other. */
export type PolicySettings = Pick<
  TrafficPolicy,
  "loadBalancer" | "connectionPool" | "outlierDetection" | "tls" | "proxyProtocol" | "retryBudget" | "tunnel"
>;
