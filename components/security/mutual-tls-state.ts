import type { WorkloadSecurity } from "../../server/contract/index.ts";

/** `ready`: it lets plain text in, and nobody comes so. */
export type MutualTlsState = "turned-away" | "plain" | "strict" | "ready" | "silent" | "no-proxy" | "no-certificate";

type Judged = Pick<WorkloadSecurity, "proxy" | "ports" | "plain" | "mutual" | "turnedAway">;

export function stateOf({ proxy, ports, plain, mutual, turnedAway }: Judged): MutualTlsState {
  if (turnedAway > 0) return "turned-away";
  if (proxy === "none") return "no-proxy";
  if (proxy === "uncertified") return "no-certificate";
  if (ports.length > 0 && ports.every(({ mode }) => mode === "STRICT")) return "strict";
  if (plain > 0) return "plain";
  return mutual > 0 ? "ready" : "silent";
}
