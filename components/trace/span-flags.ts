import type { TraceSpan } from "../../server/contract/index.ts";

/** Envoy's response flags, as proxies write them into their spans: `UF,URX`; `-` where there is none. */
export function flagsOf({ attributes }: Pick<TraceSpan, "attributes">): string[] {
  const told = attributes.response_flags;
  return typeof told === "string" && told !== "-" ? told.split(",").filter(Boolean) : [];
}
