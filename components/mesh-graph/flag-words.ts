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

/** In the order of their numbers. https://grpc.io/docs/guides/status-codes/ */
const grpcNames =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

/** `14 UNAVAILABLE` */
export const grpcName = (code: string): string => [code, grpcNames[Number(code)]].filter(Boolean).join(" ");
