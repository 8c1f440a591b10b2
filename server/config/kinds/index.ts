import { type Told, told } from "../../contract/told.ts";
import { type FieldError, fail, type Result } from "../../lib/result.ts";
import { suggest } from "../../lib/suggest.ts";
import type { KindDefinition } from "../kind.ts";
import type { ConfigObject } from "../object.ts";
import { alertRule } from "./alert-rule.ts";
import { authorizationPolicy } from "./authorization-policy.ts";
import { canary } from "./canary.ts";
import { joinVersion } from "./define.ts";
import { designKind } from "./design.ts";
import { destinationRule } from "./destination-rule.ts";
import { envoyFilter } from "./envoy-filter.ts";
import { gateway } from "./gateway.ts";
import { healthCheck } from "./health-check.ts";
import { meshConfig } from "./mesh-config.ts";
import { namespace } from "./namespace.ts";
import { peerAuthentication } from "./peer-authentication.ts";
import { proxyConfig } from "./proxy-config.ts";
import { rateLimit } from "./rate-limit.ts";
import { rateLimitConfig } from "./rate-limit-config.ts";
import { requestAuthentication } from "./request-authentication.ts";
import { runtimeLayer } from "./runtime-layer.ts";
import { secret } from "./secret.ts";
import { service } from "./service.ts";
import { serviceEntry } from "./service-entry.ts";
import { sidecar } from "./sidecar.ts";
import { telemetry } from "./telemetry.ts";
import { virtualService } from "./virtual-service.ts";
import { workloadEntry } from "./workload-entry.ts";
import { workloadGroup } from "./workload-group.ts";

/** Every kind that Limpid stores, core first. */
export const kinds: readonly KindDefinition[] = [
  namespace,
  service,
  secret,
  virtualService,
  destinationRule,
  gateway,
  serviceEntry,
  workloadEntry,
  workloadGroup,
  sidecar,
  envoyFilter,
  proxyConfig,
  peerAuthentication,
  requestAuthentication,
  authorizationPolicy,
  telemetry,
  meshConfig,
  runtimeLayer,
  rateLimitConfig,
  rateLimit,
  healthCheck,
  canary,
  alertRule,
  designKind(parseObject),
];

/** The kind at exactly this version or one of its aliases. */
export const kindOf = (apiVersion: string, kind: string): KindDefinition | undefined =>
  kinds.find((definition) => definition.kind === kind && versionsOf(definition).includes(apiVersion));

/** The kind by name alone: names are unique over all groups. */
export const kindNamed = (kind: string): KindDefinition | undefined =>
  kinds.find((definition) => definition.kind === kind);

const versionsOf = (definition: KindDefinition): string[] =>
  [definition.version, ...definition.aliases].map((version) => joinVersion(definition.group, version));

/** Checks one object of any kind. A kind or version that Limpid doesn't have is refused by name. */
export function parseObject(input: unknown): Result<ConfigObject, FieldError> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return fail({ path: "", ...told("object-form", {}) });
  }
  const { apiVersion, kind } = input as Record<string, unknown>;
  const missing = [
    ...(typeof apiVersion === "string" && apiVersion !== "" ? [] : ["apiVersion"]),
    ...(typeof kind === "string" && kind !== "" ? [] : ["kind"]),
  ];
  if (missing.length > 0) return fail(...missing.map((path) => ({ path, ...told("required-text", {}) })));
  const definition = kindNamed(String(kind));
  if (definition === undefined) return fail({ path: "kind", ...unknownKind(String(apiVersion), String(kind)) });
  return definition.parse(input) as Result<ConfigObject, FieldError>;
}

function unknownKind(apiVersion: string, kind: string): Told {
  const names = kinds.map((definition) => definition.kind);
  const near = suggest(kind, names);
  const asked = { kind, version: apiVersion, kinds: names.join(", ") };
  return near === undefined ? told("kind-unknown", asked) : told("kind-unknown-near", { ...asked, near });
}

export type { AlertRuleSpec } from "./alert-rule.ts";
export { type AuthorizationPolicySpec, isDryRun } from "./authorization-policy.ts";
export type { CanarySpec } from "./canary.ts";
export type { DesignSpec } from "./design.ts";
export type { Destination } from "./destination.ts";
export type { DestinationRuleSpec, Subset } from "./destination-rule.ts";
export { parseDocuments } from "./documents.ts";
export type { EnvoyFilterSpec, PatchedPart } from "./envoy-filter.ts";
export type { DefaultProviders, ExtensionProvider, TelemetrySignal } from "./extension-providers.ts";
export { builtInProviders, ownProvider, providersOf } from "./extension-providers.ts";
export { routingClaim, type StringMatch } from "./fields.ts";
export type { GatewaySpec } from "./gateway.ts";
export type { HealthCheckSpec } from "./health-check.ts";
export type { HTTPMatchRequest } from "./http-match.ts";
export type {
  CorsPolicy,
  Headers,
  HTTPDirectResponse,
  HTTPFaultInjection,
  HTTPRedirect,
  HTTPRetry,
  HTTPRewrite,
  HTTPRoute,
  HTTPRouteDestination,
} from "./http-route.ts";
export type { L4MatchAttributes, RouteDestination, TCPRoute, TLSRoute } from "./l4-route.ts";
export type { ConsistentHash, LoadBalancerSettings, LocalityLbSetting } from "./load-balancer.ts";
export type { MeshConfigSpec } from "./mesh-config.ts";
export type { PeerAuthenticationSpec } from "./peer-authentication.ts";
export type { PolicyTargetReference } from "./policy-target.ts";
export type { ProxyConfigSpec } from "./proxy-config.ts";
export type { RateLimitSpec } from "./rate-limit.ts";
export type { RateLimitConfigSpec, RateLimitDescriptorSpec } from "./rate-limit-config.ts";
export type { JWTRule, RequestAuthenticationSpec } from "./request-authentication.ts";
export type { RuntimeLayerSpec } from "./runtime-layer.ts";
export type { SecretSpec } from "./secret.ts";
export type { ServiceSpec } from "./service.ts";
export type { ServiceEntrySpec } from "./service-entry.ts";
export type { SidecarSpec } from "./sidecar.ts";
export { standardMetrics, type TelemetrySpec, type WorkloadMode } from "./telemetry.ts";
export type { ClientTLSSettings } from "./tls-settings.ts";
export type {
  ConnectionPoolSettings,
  OutlierDetection,
  TrafficPolicy,
} from "./traffic-policy.ts";
export type { VirtualServiceSpec } from "./virtual-service.ts";
export type { WorkloadEntrySpec } from "./workload-entry.ts";
export type { ReadinessProbe, WorkloadGroupSpec } from "./workload-group.ts";
