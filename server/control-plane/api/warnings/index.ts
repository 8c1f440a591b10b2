import { withoutZeroValues } from "../../../config/kinds/zero-values.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ConfigWarning } from "../../../contract/index.ts";
import type { Mesh } from "../../../model/mesh.ts";
import type { ApiContext } from "../context.ts";
import { destinationRuleAdvice, gatewayAdvice, virtualServiceAdvice } from "./advice.ts";
import { doubtfulCanary } from "./canaries.ts";
import { doubtfulCredentials, endingCertificates } from "./credentials.ts";
import { doubtfulDelegates } from "./delegates.ts";
import { bereaved, takesAway, takesRules } from "./dependents.ts";
import { deadDestinations } from "./destinations.ts";
import { type Facts, factsOf, type GatewayClient, meshWith, meshWithout } from "./facts.ts";
import { idleGateway, missingGateways } from "./gateways.ts";
import { doubtfulHealth } from "./health.ts";
import { shutOutProbes } from "./probes.ts";
import { doubtfulLimits, rivalLimits } from "./rate-limits.ts";
import { doubtfulServiceEntry, idleDestinationRule, sharedTcpPorts, unreachableWorkload } from "./registry.ts";
import { doubtfulSelection, rivalDestinationRules, rivalVirtualServices } from "./rivals.ts";
import { rivalRuntimeLayers } from "./runtime-layers.ts";
import { doubtfulPolicy, doubtfulTokens, idleTargets, otherTrustDomain, unreachableProviders } from "./security.ts";
import { doubtfulEgress, idleSelector, rivalSelectors } from "./selectors.ts";
import { doubtfulTelemetry, silentProviders } from "./telemetry.ts";
import { unheardRules } from "./unheard-rules.ts";
import { unreachableRules } from "./unreachable-rules.ts";
import { type Finding, warningOf } from "./warning.ts";
import { doubtfulGroup, doubtfulProxyConfig } from "./workloads.ts";

export { warningHeader } from "./warning.ts";

/** `warningsOf` a commit. A check that fails must not fail the write that is done already. */
export async function warningsFor(context: ApiContext, changes: readonly ConfigChange[]): Promise<ConfigWarning[]> {
  try {
    return warningsOf(changes, {
      mesh: await context.mesh(),
      gatewayProxies: context.gatewayProxies(),
      nowMs: context.clock.now(),
    });
  } catch (error) {
    context.logger.error({ err: error }, "a change could not be looked through for what is hardly meant");
    return [];
  }
}

const maxWarnings = 10;

export interface WarningContext {
  /** The mesh with or without the changes in it. */
  mesh: Mesh;
  /** Gateway proxies that are connected; undefined where nobody knows them. */
  gatewayProxies: readonly GatewayClient[] | undefined;
  /** Unix milliseconds: certificates have an end. */
  nowMs: number;
}

/**
 * What is valid and yet hardly meant in objects that were written, and what is missed where objects were deleted, by the mesh as it is
 * after the changes. At most ten.
 */
export function warningsOf(
  changes: readonly ConfigChange[],
  { mesh, gatewayProxies, nowMs }: WarningContext,
): ConfigWarning[] {
  if (changes.length === 0) return [];
  const after = meshWith(mesh, changes);
  const facts = factsOf(after, gatewayProxies);
  const found: ConfigWarning[] = [];
  const add = (warning: ConfigWarning): boolean => found.push(warning) >= maxWarnings;
  for (const { after: object } of changes) {
    if (object === undefined) continue;
    for (const finding of findings(withoutZeroValues(object), facts, nowMs)) {
      if (add(warningOf(object, finding))) return found;
    }
  }
  if (changes.some((change) => takesAway(change) || takesRules(change))) {
    const before = factsOf(meshWithout(after, changes), gatewayProxies);
    for (const warning of bereaved(changes, before, facts)) if (add(warning)) return found;
  }
  return found;
}

function* findings(object: ConfigObject, facts: Facts, nowMs: number): Generator<Finding> {
  switch (object.kind) {
    case "VirtualService":
      yield* rivalVirtualServices(object, facts);
      yield* deadDestinations(object, facts);
      yield* unheardRules(object, facts);
      yield* missingGateways(object, facts);
      yield* doubtfulDelegates(object, facts);
      yield* unreachableRules(object);
      yield* virtualServiceAdvice(object);
      break;
    case "DestinationRule":
      yield* idleDestinationRule(object, facts);
      yield* rivalDestinationRules(object, facts);
      yield* idleSelector(object, facts);
      yield* doubtfulSelection(object, facts);
      yield* destinationRuleAdvice(object);
      break;
    case "Gateway":
      yield* idleGateway(object, facts);
      yield* gatewayAdvice(object);
      yield* doubtfulCredentials(object, facts, nowMs);
      break;
    case "Secret":
      yield* endingCertificates(object, nowMs);
      break;
    case "ServiceEntry":
      yield* doubtfulHealth(object);
      yield* doubtfulServiceEntry(object);
      yield* sharedTcpPorts(object, facts);
      break;
    case "Sidecar":
      yield* idleSelector(object, facts);
      yield* rivalSelectors(object, facts);
      yield* doubtfulEgress(object, facts);
      break;
    case "EnvoyFilter":
      yield* idleSelector(object, facts);
      yield* idleTargets(object, facts);
      break;
    case "PeerAuthentication":
      yield* idleSelector(object, facts);
      yield* rivalSelectors(object, facts);
      break;
    case "AuthorizationPolicy":
      yield* idleSelector(object, facts);
      yield* idleTargets(object, facts);
      yield* doubtfulPolicy(object, facts);
      yield* shutOutProbes(object, facts);
      break;
    case "RequestAuthentication":
      yield* idleSelector(object, facts);
      yield* idleTargets(object, facts);
      yield* doubtfulTokens(object, facts);
      break;
    case "Telemetry":
      yield* idleSelector(object, facts);
      yield* idleTargets(object, facts);
      yield* rivalSelectors(object, facts);
      yield* doubtfulTelemetry(object, facts);
      break;
    case "HealthCheck":
      yield* shutOutProbes(object, facts);
      break;
    case "MeshConfig":
      yield* doubtfulHealth(object);
      yield* otherTrustDomain(object, facts);
      yield* silentProviders(object, facts);
      yield* unreachableProviders(object, facts);
      break;
    case "RuntimeLayer":
      yield* idleSelector(object, facts);
      yield* rivalRuntimeLayers(object, facts);
      break;
    case "RateLimitConfig":
      yield* doubtfulLimits(object);
      yield* rivalLimits(object, facts);
      break;
    case "Canary":
      yield* doubtfulCanary(object, facts);
      break;
    case "WorkloadGroup":
      yield* doubtfulGroup(object, facts);
      break;
    case "ProxyConfig":
      yield* idleSelector(object, facts);
      yield* rivalSelectors(object, facts);
      yield* doubtfulProxyConfig(object);
      break;
    case "WorkloadEntry":
      yield* unreachableWorkload(object);
      break;
    case "Service":
      yield* doubtfulHealth(object);
      yield* sharedTcpPorts(object, facts);
      break;
  }
}
