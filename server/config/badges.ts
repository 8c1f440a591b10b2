import type { Badge } from "../contract/graph.ts";
import type { MeshService } from "../contract/services.ts";
import type { DestinationRuleSpec, VirtualServiceSpec } from "./kinds/index.ts";
import type { ConfigObject } from "./object.ts";

/** Where config acts on calls to a service, for the marks on the graph. `objects` by `<namespace>/<name>`. */
export function badgesOf(
  service: Pick<MeshService, "virtualServices" | "destinationRules">,
  virtualServices: ReadonlyMap<string, ConfigObject>,
  destinationRules: ReadonlyMap<string, ConfigObject>,
): Badge[] {
  const badges = new Set<Badge>();
  for (const key of service.virtualServices) {
    const { http = [], tcp = [], tls = [] } = (virtualServices.get(key)?.spec ?? {}) as VirtualServiceSpec;
    for (const rule of [...http, ...tcp, ...tls]) {
      if ((rule.route?.filter(({ weight = 0 }) => weight > 0).length ?? 0) > 1) badges.add("split");
    }
    for (const rule of http) {
      if (rule.fault) badges.add("fault");
      if (rule.mirror || rule.mirrors?.length) badges.add("mirror");
      if (rule.timeout) badges.add("timeout");
      if (rule.retries) badges.add("retry");
    }
  }
  for (const key of service.destinationRules) {
    const { trafficPolicy, subsets = [] } = (destinationRules.get(key)?.spec ?? {}) as DestinationRuleSpec;
    const policies = [trafficPolicy, ...subsets.map((subset) => subset.trafficPolicy)];
    if (policies.some((policy) => policy?.connectionPool || policy?.outlierDetection)) badges.add("circuit-breaker");
  }
  return [...badges];
}
