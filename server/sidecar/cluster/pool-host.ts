import type { Timers } from "../../lib/timers.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { ClusterStats } from "./cluster-stats.ts";

/** What pools know of their cluster. Its settings change underneath them. */
export interface PoolHost {
  readonly config: ClusterConfig;
  readonly stats: ClusterStats;
  readonly timers: Timers;
  readonly removed: boolean;
}
