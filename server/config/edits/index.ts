export { describeMatch } from "./describe.ts";
export { type FaultOrigin, injectFault, removeFault } from "./fault.ts";
export { expiredFaults, listFaults, nextFaultEnd, parseFaultId } from "./fault-list.ts";
export { faultsAnnotation } from "./fault-record.ts";
export { type RoutingInput, routingOf } from "./routing.ts";
export { type DestinationRule, isHostOf, type ServiceRef, shortHost, type VirtualService } from "./service-host.ts";
export { type VersionSubset, versionSubsets } from "./subsets.ts";
export { setWeights, type WeightsEdit } from "./weights.ts";
