import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteAction_HashPolicySchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { ConsistentHash } from "../model/specs.ts";
import { duration } from "./duration.ts";

type HashPolicyInit = MessageInitShape<typeof RouteAction_HashPolicySchema>;

/** What of a request the ring is asked with. https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB */
export function hashPolicy(hash: ConsistentHash | undefined): HashPolicyInit[] {
  if (hash?.httpHeaderName) {
    return [{ policySpecifier: { case: "header", value: { headerName: hash.httpHeaderName } } }];
  }
  if (hash?.httpCookie) {
    const { name, path, ttl } = hash.httpCookie;
    const value = { name, path: path ?? "", ...(ttl && { ttl: duration(ttl) }) };
    return [{ policySpecifier: { case: "cookie", value } }];
  }
  if (hash?.useSourceIp) {
    return [{ policySpecifier: { case: "connectionProperties", value: { sourceIp: true } } }];
  }
  if (hash?.httpQueryParameterName) {
    return [{ policySpecifier: { case: "queryParameter", value: { name: hash.httpQueryParameterName } } }];
  }
  return [];
}
