export { type EntranceRules, entrancesOf, hasOwnRule, type PlacedRules } from "./entrances.ts";
export { type FaultEntrance, injectFault, removeFault } from "./fault.ts";
export { type ExpiredFaults, expiredFaults, fusedRules, listFaults, nextFaultEnd } from "./fault-list.ts";
export { hasFault, hasRecords } from "./fault-record.ts";
export { describeRule, routingOf } from "./routing.ts";
export { type DestinationRule, type ServiceRef, throughOf, type VirtualService } from "./service-host.ts";
export { versionSubsets } from "./subsets.ts";
export { setWeights } from "./weights.ts";
