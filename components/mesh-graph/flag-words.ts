import { grpcStatusNames } from "../../server/wire/grpc-status.ts";
/** Envoy's response flags that have words of ours. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage */
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
  "DT",
  "UPE",
  "NC",
  "OM",
  "DF",
] as const;

export type KnownFlag = (typeof knownFlags)[number];

export const isKnownFlag = (flag: string): flag is KnownFlag => (knownFlags as readonly string[]).includes(flag);

/** `14 UNAVAILABLE` */
export const grpcName = (code: string): string => [code, grpcStatusNames[Number(code)]].filter(Boolean).join(" ");
