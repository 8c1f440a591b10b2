export { injectFault, removeFault } from "./fault.ts";
export { expiredFaults, listFaults, nextFaultEnd } from "./fault-list.ts";
export { routingOf } from "./routing.ts";
export { type DestinationRule, isHostOf, type ServiceRef, type VirtualService } from "./service-host.ts";
export { versionSubsets } from "./subsets.ts";
export { setWeights } from "./weights.ts";
