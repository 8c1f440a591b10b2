/** Envoy's response flags in the order of their bits, which is that of their numbers in `ResponseFlags`. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage */
const flags = [
  ["failedLocalHealthcheck", "LH"],
  ["noHealthyUpstream", "UH"],
  ["upstreamRequestTimeout", "UT"],
  ["localReset", "LR"],
  ["upstreamRemoteReset", "UR"],
  ["upstreamConnectionFailure", "UF"],
  ["upstreamConnectionTermination", "UC"],
  ["upstreamOverflow", "UO"],
  ["noRouteFound", "NR"],
  ["delayInjected", "DI"],
  ["faultInjected", "FI"],
  ["rateLimited", "RL"],
  ["unauthorizedDetails", "UAEX"],
  ["rateLimitServiceError", "RLSE"],
  ["downstreamConnectionTermination", "DC"],
  ["upstreamRetryLimitExceeded", "URX"],
  ["streamIdleTimeout", "SI"],
  ["invalidEnvoyRequestHeaders", "IH"],
  ["downstreamProtocolError", "DPE"],
  ["upstreamMaxStreamDurationReached", "UMSDR"],
  ["responseFromCacheFilter", "RFCF"],
  ["noFilterConfigFound", "NFCF"],
  ["durationTimeout", "DT"],
  ["upstreamProtocolError", "UPE"],
  ["noClusterFound", "NC"],
  ["overloadManager", "OM"],
  ["dnsResolutionFailure", "DF"],
  ["downstreamRemoteReset", "DR"],
] as const;

/** Bit 0 is field 1 of the message `ResponseFlags`, and so on. */
export const flagCount = flags.length;

export type ResponseFlagField = (typeof flags)[number][0];

/** A set of flags as bits; stored, so the order above only ever grows at its end. */
export function flagBits(message: Partial<Record<ResponseFlagField, unknown>> | undefined): number {
  if (message === undefined) return 0;
  let bits = 0;
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i];
    if (flag && message[flag[0]]) bits |= 1 << i;
  }
  return bits;
}

/** Envoy's short names: `["DI", "FI"]`. */
export function flagNames(bits: number): string[] {
  const names: string[] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i];
    if (flag && bits & (1 << i)) names.push(flag[1]);
  }
  return names;
}

/** The inverse of {@link flagNames}; names that are not known are left out. */
export function flagBitsOf(names: readonly string[]): number {
  let bits = 0;
  for (let i = 0; i < flags.length; i++) if (names.includes(flags[i]?.[1] ?? "")) bits |= 1 << i;
  return bits;
}
