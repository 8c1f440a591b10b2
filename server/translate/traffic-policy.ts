import type { DestinationRule } from "../model/destination-rules.ts";
import type { PolicySettings, TrafficPolicy } from "../model/specs.ts";

/**
 * What holds for one port of a host, or of a subset of it: the subset's settings replace the rule's block by block, and those
 * of a port replace all blocks, the ones that they leave out too. https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-PortTrafficPolicy
 */
export function trafficPolicy(rule: DestinationRule | undefined, subset: string, port: number): PolicySettings {
  const own = rule?.subsets.find((it) => it.name === subset)?.trafficPolicy;
  return overlay(overlay({}, rule?.trafficPolicy, port), own, port);
}

function overlay(base: PolicySettings, policy: TrafficPolicy | undefined, port: number): PolicySettings {
  if (!policy) return base;
  const own: PolicySettings = { ...base, ...defined(policy) };
  const { loadBalancer, connectionPool, outlierDetection, tls } =
    policy.portLevelSettings?.find((it) => it.port?.number === port) ?? own;
  // A port has no say in these.
  const { proxyProtocol, retryBudget, tunnel } = own;
  return { loadBalancer, connectionPool, outlierDetection, tls, proxyProtocol, retryBudget, tunnel };
}

const defined = (policy: TrafficPolicy): PolicySettings =>
  Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
