import type { ExplainedCluster } from "../contract/index.ts";
import { rowsOf } from "./metric-groups.ts";
import type { Steps } from "./ranges.ts";
import type { TelemetryReader } from "./reader.ts";

/** By `<node id> <cluster>`: how many hosts a proxy has, how many of these it would call, and how many outlier detection has put aside. */
export type LiveHosts = ReadonlyMap<string, NonNullable<ExplainedCluster["live"]>>;

const facts = {
  envoy_cluster_membership_healthy: "healthy",
  envoy_cluster_membership_total: "total",
  envoy_cluster_outlier_detection_ejections_active: "ejected",
} as const;

const mostSeries = 20_000;

/** As each proxy told it last, within the window. */
export async function readLiveHosts(
  reader: Pick<TelemetryReader, "metricSeries" | "metrics">,
  steps: Steps,
): Promise<LiveHosts> {
  const names = Object.keys(facts) as (keyof typeof facts)[];
  const series = (await Promise.all(names.map((name) => reader.metricSeries({ name, limit: mostSeries })))).flat();
  const rows = await rowsOf(reader, steps, series);
  const hosts = new Map<string, { healthy: number; total: number; ejected: number }>();
  for (const { id, name, instance, labels } of series) {
    const last = rows.get(id)?.at(-1)?.last;
    const cluster = labels.envoy_cluster_name;
    if (last === undefined || cluster === undefined) continue;
    const key = `${instance} ${cluster}`;
    const known = hosts.get(key) ?? { healthy: 0, total: 0, ejected: 0 };
    hosts.set(key, { ...known, [facts[name as keyof typeof facts]]: last });
  }
  return hosts;
}
