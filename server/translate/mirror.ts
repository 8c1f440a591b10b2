import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteAction_RequestMirrorPolicySchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { Destination, HttpRoute } from "../model/specs.ts";
import { fractionalPercent } from "./percent.ts";

type MirrorInit = MessageInitShape<typeof RouteAction_RequestMirrorPolicySchema>;

/** All of the traffic unless told otherwise; 0 % is no mirror at all. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMirrorPolicy */
export function mirrorPolicies(http: HttpRoute, cluster: (destination: Destination) => string): MirrorInit[] {
  const own = http.mirror && { destination: http.mirror, percent: http.mirrorPercentage?.value ?? http.mirrorPercent };
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
    }));
}
