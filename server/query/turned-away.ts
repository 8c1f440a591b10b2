import { rowsOf } from "./metric-groups.ts";
import type { Steps } from "./ranges.ts";
import type { TelemetryReader } from "./reader.ts";

const name = "envoy_listener_no_filter_chain_match";
const mostSeries = 20_000;

/** How many connections fitted no filter chain of a listener, by its `<address>:<port>`, as proxies counted them. */
export async function readTurnedAway(
  reader: Pick<TelemetryReader, "metricSeries" | "metrics">,
  steps: Steps,
): Promise<ReadonlyMap<string, number>> {
  const series = await reader.metricSeries({ name, limit: mostSeries });
  const rows = await rowsOf(reader, steps, series);
  const counts = new Map<string, number>();
  for (const { id, labels } of series) {
    const count = (rows.get(id) ?? []).reduce((sum, row) => sum + row.sum, 0);
    const at = addressOf(labels.envoy_listener_address ?? "");
    if (count > 0) counts.set(at, (counts.get(at) ?? 0) + count);
  }
  return counts;
}

/** Envoy's names of stats have no colon: `127.0.0.1_9080`. */
const addressOf = (label: string): string => label.replace(/_(\d+)$/, ":$1");
