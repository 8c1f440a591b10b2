/** Envoy's response flags that have words of ours. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage */
const known = [
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

export type KnownFlag = (typeof known)[number];

export const isKnownFlag = (flag: string): flag is KnownFlag => (known as readonly string[]).includes(flag);
