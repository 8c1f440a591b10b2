import { ResponseFlag } from "./record.ts";

// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
const rows: Record<keyof typeof ResponseFlag, { short: string; field: number }> = {
  failedLocalHealthcheck: { short: "LH", field: 1 },
  noHealthyUpstream: { short: "UH", field: 2 },
  upstreamRequestTimeout: { short: "UT", field: 3 },
  localReset: { short: "LR", field: 4 },
  upstreamRemoteReset: { short: "UR", field: 5 },
  upstreamConnectionFailure: { short: "UF", field: 6 },
  upstreamConnectionTermination: { short: "UC", field: 7 },
  upstreamOverflow: { short: "UO", field: 8 },
  noRouteFound: { short: "NR", field: 9 },
  delayInjected: { short: "DI", field: 10 },
  faultInjected: { short: "FI", field: 11 },
  rateLimited: { short: "RL", field: 12 },
  downstreamConnectionTermination: { short: "DC", field: 15 },
  upstreamRetryLimitExceeded: { short: "URX", field: 16 },
  streamIdleTimeout: { short: "SI", field: 17 },
  downstreamProtocolError: { short: "DPE", field: 19 },
  upstreamProtocolError: { short: "UPE", field: 24 },
  upstreamMaxStreamDurationReached: { short: "UMSDR", field: 20 },
  noClusterFound: { short: "NC", field: 25 },
  durationTimeout: { short: "DT", field: 23 },
  unauthorizedExternalService: { short: "UAEX", field: 13 },
  rateLimitServiceError: { short: "RLSE", field: 14 },
  dnsResolutionFailure: { short: "DF", field: 27 },
  noFilterConfigFound: { short: "NFCF", field: 22 },
  dropOverload: { short: "DO", field: 0 },
  unconditionalDropOverload: { short: "UDO", field: 0 },
};

/** Bit number → field number of envoy.data.accesslog.v3.ResponseFlags; 0: it has none. */
export const flagFieldNumbers: readonly number[] = table((row) => row.field, 0);

/** The flags by Envoy's own numbers, of those that it had them for. */
export function responseFlagBits(flags: number): number {
  let bits = 0;
  for (let rest = flags; rest !== 0; rest &= rest - 1) {
    const field = flagFieldNumbers[31 - Math.clz32(rest & -rest)] ?? 0;
    if (field > 0) bits |= 1 << (field - 1);
  }
  return bits;
}

/** Envoy's short names of the flags that are set, such as `URX`, `UF`. */
export const flagNames = (flags: number): string[] => named(flags, shortNames);

/** The short names, joined by a comma; `-` when there is none, which in Envoy is a value of its own and not an absent one. */
export const shortFlags = (flags: number): string => (flags === 0 ? "-" : flagNames(flags).join(","));

/** `UpstreamRetryLimitExceeded,UpstreamConnectionFailure`. */
export const longFlags = (flags: number): string => (flags === 0 ? "-" : named(flags, longNames).join(","));

/**
 * Envoy tells flags in the order in which they were set. A set of bits doesn't know it, but what comes before the end of a request is known: a delay, retries that
 * were given up; whatever ended it then comes last.
 */
const early = [ResponseFlag.delayInjected, ResponseFlag.upstreamRetryLimitExceeded, ResponseFlag.upstreamOverflow];

function named(flags: number, names: readonly string[]): string[] {
  const bits = early.filter((bit) => flags & bit);
  for (let rest = flags & ~early.reduce((all, bit) => all | bit, 0); rest !== 0; rest &= rest - 1)
    bits.push(rest & -rest);
  return bits.map((bit) => names[31 - Math.clz32(bit)] ?? "");
}

const shortNames = table((row) => row.short, "");
const longNames = table(
  (_, name) => (name === "failedLocalHealthcheck" ? "FailedLocalHealthCheck" : capital(name)),
  "",
);

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function table<T>(pick: (row: { short: string; field: number }, name: string) => T, empty: T): T[] {
  const result: T[] = [];
  for (const [name, bit] of Object.entries(ResponseFlag)) {
    result[31 - Math.clz32(bit)] = pick(rows[name as keyof typeof ResponseFlag], name);
  }
  return Array.from(result, (value) => value ?? empty);
}
