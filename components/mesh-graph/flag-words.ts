import { grpcStatusNames } from "../../server/wire/grpc-status.ts";

/**
 * Envoy's response flags, all of 1.40, in its order; the messages `flags` say of each what it means and what to do about it.
 * https://www.envoyproxy.io/docs/envoy/v1.40.0/configuration/observability/access_log/usage#command-operators
 */
export const knownFlags = [
  "LH",
  "UH",
  "UT",
  "LR",
  "UR",
  "UF",
  "UC",
  "UO",
  "NR",
  "DI",
  "FI",
  "RL",
  "UAEX",
  "RLSE",
  "DC",
  "URX",
  "SI",
  "IH",
  "DPE",
  "UMSDR",
  "RFCF",
  "NFCF",
  "DT",
  "UPE",
  "NC",
  "OM",
  "DF",
  "DO",
  "DR",
  "UDO",
] as const;

/** Those that the records of access logs have a field for. */
export const loggedFlags = knownFlags.filter((flag) => flag !== "DO" && flag !== "UDO");

export type KnownFlag = (typeof knownFlags)[number];

export const isKnownFlag = (flag: string): flag is KnownFlag => (knownFlags as readonly string[]).includes(flag);

/** `14 UNAVAILABLE` */
export const grpcName = (code: string): string => [code, grpcStatusNames[Number(code)]].filter(Boolean).join(" ");
