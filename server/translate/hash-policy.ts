import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteAction_HashPolicySchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { Mesh } from "../model/mesh.ts";
import type { ConsistentHash } from "../model/specs.ts";
import { duration } from "./duration.ts";
import { ruleFor, type Scope } from "./scope.ts";
import { trafficPolicy } from "./traffic-policy.ts";

export type HashPolicy = MessageInitShape<typeof RouteAction_HashPolicySchema>;

/** What of a call decides where it goes, by its cluster's name; undefined: nothing. */
export function consistentHashOf(mesh: Mesh, scope: Scope, cluster: string): ConsistentHash | undefined {
  if (!mesh.destinationRules.hashes) return undefined;
  const [, port, subset = "", host = ""] = cluster.split("|");
  return trafficPolicy(ruleFor(mesh, host, scope), subset, Number(port)).loadBalancer?.consistentHash;
}

/** Several destinations of one route are asked one after another, as in Istio. */
export const hashPolicies = (hashes: readonly (ConsistentHash | undefined)[]): HashPolicy[] =>
  hashes.flatMap((hash) => (hash && hashPolicy(hash)) ?? []);

/** https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB */
function hashPolicy(hash: ConsistentHash): HashPolicy | undefined {
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName } = hash;
  if (httpHeaderName) return { policySpecifier: { case: "header", value: { headerName: httpHeaderName } } };
  if (httpCookie) {
    const { name, path = "", ttl, attributes = [] } = httpCookie;
    const lifetime = ttl === undefined ? {} : { ttl: duration(ttl) };
    const value = { name, path, attributes: attributes.map(({ name, value = "" }) => ({ name, value })), ...lifetime };
    return { policySpecifier: { case: "cookie", value } };
  }
  if (useSourceIp) return { policySpecifier: { case: "connectionProperties", value: { sourceIp: true } } };
  if (httpQueryParameterName) {
    return { policySpecifier: { case: "queryParameter", value: { name: httpQueryParameterName } } };
  }
  return undefined;
}
