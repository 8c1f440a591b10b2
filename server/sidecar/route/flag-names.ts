import { ResponseFlag } from "../record.ts";

/** Envoy's short names of the flags that are set, such as `UF,URX`. */
export const flagNames = (flags: number): string[] =>
  shortNames.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);

const shortNames: readonly (readonly [number, string])[] = [
  [ResponseFlag.failedLocalHealthcheck, "LH"],
  [ResponseFlag.noHealthyUpstream, "UH"],
  [ResponseFlag.upstreamRequestTimeout, "UT"],
  [ResponseFlag.localReset, "LR"],
  [ResponseFlag.upstreamRemoteReset, "UR"],
  [ResponseFlag.upstreamConnectionFailure, "UF"],
  [ResponseFlag.upstreamConnectionTermination, "UC"],
  [ResponseFlag.upstreamOverflow, "UO"],
  [ResponseFlag.noRouteFound, "NR"],
  [ResponseFlag.delayInjected, "DI"],
  [ResponseFlag.faultInjected, "FI"],
  [ResponseFlag.rateLimited, "RL"],
  [ResponseFlag.downstreamConnectionTermination, "DC"],
  [ResponseFlag.upstreamRetryLimitExceeded, "URX"],
  [ResponseFlag.streamIdleTimeout, "SI"],
  [ResponseFlag.downstreamProtocolError, "DPE"],
  [ResponseFlag.upstreamProtocolError, "UPE"],
  [ResponseFlag.upstreamMaxStreamDurationReached, "UMSDR"],
  [ResponseFlag.noClusterFound, "NC"],
  [ResponseFlag.durationTimeout, "DT"],
];
