import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteAction_RequestMirrorPolicySchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { Destination, HTTPRoute } from "../model/specs.ts";
import { fractionalPercent } from "./percent.ts";

type MirrorInit = MessageInitShape<typeof RouteAction_RequestMirrorPolicySchema>;

/** Written as a message without a value it is 0, as protobuf reads it. */
const ownPercent = (http: HTTPRoute): number | undefined =>
  http.mirrorPercentage ? (http.mirrorPercentage.value ?? 0) : (http.mirrorPercent ?? http.mirror_percent);

/** All of the traffic unless told otherwise; 0 % is no mirror at all. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMirrorPolicy */
export function mirrorPolicies(http: HTTPRoute, cluster: (destination: Destination) => string): MirrorInit[] {
  const own = http.mirror && { destination: http.mirror, percent: ownPercent(http) };
  const listed = (http.mirrors ?? []).map((it) => ({
    destination: it.destination,
    percent: it.percentage && (it.percentage.value ?? 0),
  }));
  return [...(own ? [own] : []), ...listed]
    .filter(({ percent }) => percent !== 0)
    .map(({ destination, percent }) => ({
      cluster: cluster(destination),
      runtimeFraction: { defaultValue: fractionalPercent(percent ?? 100) },
      traceSampled: false,
      // The mirror is called as the original was, as Istio has it.
      disableShadowHostSuffixAppend: true,
    }));
}
